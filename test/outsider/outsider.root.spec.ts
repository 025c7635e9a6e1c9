/**
 * The seed repeated by a script that knows nothing of weft but `bin/weft`: on one underlay and across a router, with
 * IPv4 and IPv6 endpoints, on the embedded log and on Debian's etcd.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { requireCommand, requireRoot } from '../support/requirements.ts';

const script = fileURLToPath(new URL('../../../test/outsider/seed.sh', import.meta.url));

const variants = [
  { store: 'file', topology: 'flat', family: '4' },
  { store: 'file', topology: 'routed', family: '6' },
  { store: 'etcd', topology: 'flat', family: '6' },
  { store: 'etcd', topology: 'routed', family: '4' },
];

describe("An outsider's script repeats the seed", function () {
  this.timeout(120_000);

  for (const { store, topology, family } of variants) {
    it(`on ${store}, ${topology} underlay, IPv${family} endpoints`, async function () {
      requireRoot(this);
      if (store === 'etcd') requireCommand(this, 'etcd');
      await promisify(execFile)('bash', [script, store, topology, family]);
    });
  }
});

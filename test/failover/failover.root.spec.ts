/** What a real daemon does with wrong secrets and certificates, one round of `npm run test:failover` on every store. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { requireRoot, skipBecause } from '../support/requirements.ts';
import { clusterStores, storeUnavailable } from './stores.ts';

const program = fileURLToPath(new URL('main.js', import.meta.url));

describe('a daemon that its store does not let in', function suite() {
  this.timeout(300_000);

  for (const store of clusterStores) {
    it(`says so, waits, gives no secret away, and is at work when it may, on ${store}`, async function test() {
      requireRoot(this);
      const unavailable = storeUnavailable(store);
      if (unavailable !== undefined) skipBecause(this, unavailable);
      const faults = ['wrong-credentials', 'wrong-ca'].flatMap((name) => ['--fault', name]);
      const output = await outputOf([program, '--rounds', '1', '--store', store, ...faults]);
      assert.match(output, new RegExp(`^${store} wrong-credentials round 1: good$`, 'm'));
      assert.match(output, new RegExp(`^${store} wrong-ca round 1: good$`, 'm'));
    });
  }
});

/** @throws Error with all that it said, where its status is not 0 */
function outputOf(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(`${out}${err}`));
    });
  });
}

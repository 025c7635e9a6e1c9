/** A sample of `npm run test:failover`: one round on each store, on loopback and without root. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { skipBecause } from '../support/requirements.ts';
import type { Fault } from './fault.ts';
import { allKilled } from './faults/all-killed.ts';
import { slowConsumer } from './faults/slow-consumer.ts';
import { runFault } from './run.ts';
import { type StoreName, storeUnavailable } from './stores.ts';

const sample: readonly (readonly [StoreName, Fault])[] = [
  ['etcd', allKilled],
  ['consul', allKilled],
  ['zookeeper', allKilled],
  ['file', slowConsumer],
];

describe('failover, a sample', function suite() {
  this.timeout(180_000);

  for (const [store, fault] of sample) {
    it(`${store}: ${fault.name}: nothing lost, doubled or reordered, and nobody told untruly`, async function test() {
      const unavailable = storeUnavailable(store);
      if (unavailable !== undefined) skipBecause(this, unavailable);
      const lines: string[] = [];
      const say = (line: string) => lines.push(line);
      const row = await runFault(store, fault, { rounds: 1, network: undefined, say });
      assert.deepEqual(row.failures, [], lines.join('\n'));
      assert.equal(row.judgements.length, 1);
    });
  }
});

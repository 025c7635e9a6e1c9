/**
 * A host that begins from a snapshot comes to where a host comes that folded the whole log: with every cut, whatever the
 * log holds. What is compared is everything that a state keeps, derived parts and hashes included.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { checkState } from '../../core/fold/check.ts';
import { initialState } from '../../core/fold/predefined.ts';
import { replay } from '../../core/fold/replay.ts';
import type { State } from '../../core/fold/state.ts';
import { SnapshotReader } from '../../core/snapshot/read-snapshot.ts';
import { snapshotLines } from '../../core/snapshot/write-snapshot.ts';
import { Ledger } from '../support/ledger.ts';
import { runs } from '../support/property-settings.ts';
import { anyRequest, send } from '../support/requests.ts';

function throughSnapshot(state: State): State {
  const reader = new SnapshotReader();
  for (const line of snapshotLines(state)) reader.take(line);
  return reader.finish();
}

describe('P3 (I10): a snapshot at any cut, and the log behind it', () => {
  it('fold to the same as the whole log', () => {
    fc.assert(
      fc.property(fc.array(anyRequest, { maxLength: 60, size: 'max' }), fc.nat(63), (requests, at) => {
        const ledger = new Ledger('h0', 'h1', 'h2');
        for (const request of requests) send(ledger, request);
        const cut = at % (ledger.lines.length + 1);
        const before = replay(initialState(), ledger.lines.slice(0, cut)).state;
        const again = throughSnapshot(before);
        assert.deepEqual(checkState(again), []);
        const tail = replay(again, ledger.lines.slice(cut));
        assert.deepEqual([...snapshotLines(tail.state)], [...snapshotLines(ledger.state)]);
        assert.deepEqual(tail.outcomes, ledger.outcomes.slice(cut));
        assert.deepEqual(checkState(tail.state), []);
      }),
      { numRuns: runs(150) },
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Ledger } from '../../test/support/ledger.ts';
import { snapshotOrdinalsMin } from './defaults.ts';
import { distanceOf, dueAt, firstTurn } from './turn.ts';

const names = ['a', 'b', 'c', 'd'];
const { state } = new Ledger(...names);

describe('turns at making snapshots', () => {
  it('come to one host first, and to each of the others later', () => {
    const due = names.map((name) => dueAt(state, 0, name)).sort((a, b) => a - b);
    assert.equal(due[0], snapshotOrdinalsMin);
    assert.equal(new Set(due).size, names.length);
    assert.ok((due.at(-1) ?? 0) < 2 * snapshotOrdinalsMin);
  });

  it('go round: every host is the first of some', () => {
    const firsts = [0, 1, 2, 3].map((turn) => {
      const newest = turn * snapshotOrdinalsMin;
      return names.toSorted((a, b) => dueAt(state, newest, a) - dueAt(state, newest, b))[0];
    });
    assert.deepEqual(firsts.toSorted(), names);
  });

  it('begin with the host whose turn comes first', () => {
    for (const newest of [0, 1, 5_000, 9 * snapshotOrdinalsMin]) {
      const first = firstTurn(state, newest);
      assert.ok(first !== undefined);
      assert.equal(first.ordinal, dueAt(state, newest, first.host));
      assert.equal(first.ordinal, Math.min(...names.map((name) => dueAt(state, newest, name))));
    }
    assert.equal(firstTurn(new Ledger().state, 0), undefined);
  });

  it('come last to a host that is not in the state', () => {
    const others = names.map((name) => dueAt(state, 0, name));
    assert.ok(dueAt(state, 0, 'stranger') > Math.max(...others));
  });

  it('are as far apart as the state is large', () => {
    const hosts = Array.from({ length: 50 }, (_, index) => `h${index}`);
    const large = new Ledger(...hosts).state;
    assert.equal(distanceOf(large, 1), Math.ceil((50 + large.networks.size) / 4));
    assert.equal(distanceOf(large, 100), 100);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SeededRandom } from '../test/support/seeded-random.ts';
import { Rota } from './rota.ts';

describe('The rota of the members of a store', () => {
  const rota = () => new Rota(['n1', 'n2', 'n3'], new SeededRandom(1));

  it('gives every member its turn, from one that is drawn by lot', () => {
    const firsts = new Set(
      Array.from({ length: 64 }, (_, seed) => new Rota(['n1', 'n2', 'n3'], new SeededRandom(seed)).preferred),
    );
    assert.deepEqual([...firsts].sort(), ['n1', 'n2', 'n3']);
    const turns = rota();
    const order = Array.from({ length: 4 }, () => {
      turns.turn();
      return turns.preferred;
    });
    assert.equal(new Set(order.slice(0, 3)).size, 3);
    assert.equal(order[3], order[0]);
  });

  it('holds the store for reachable until all members failed in a row, and again after one answer', () => {
    const store = rota();
    assert.equal(store.health.reachable, false);
    store.noteSuccess();
    for (let failures = 1; failures <= 2; failures += 1) {
      store.noteFailure(new Error('no answer'));
      assert.deepEqual(store.health, { reachable: true });
    }
    store.noteFailure(new Error('no answer'));
    assert.deepEqual(store.health, { reachable: false, reason: 'no answer' });
    store.noteSuccess();
    assert.deepEqual(store.health, { reachable: true });
  });
});

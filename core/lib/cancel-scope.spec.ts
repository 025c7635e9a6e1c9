import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cancelScope } from './cancel-scope.ts';

describe('A cancel scope', () => {
  it('ends with whichever of its parents ends first, and cancels none of them', () => {
    for (const first of [0, 1]) {
      const parents = [cancelScope(), cancelScope()];
      const scope = cancelScope(...parents.map(({ signal }) => signal));
      let heard = 0;
      scope.signal.addEventListener('abort', () => (heard += 1));
      parents[first]?.cancel();
      parents[1 - first]?.cancel();
      assert.deepEqual([scope.signal.aborted, heard], [true, 1]);
    }
  });

  it('is over at once where a parent is', () => {
    const over = cancelScope();
    over.cancel();
    assert.equal(cancelScope(cancelScope().signal, over.signal).signal.aborted, true);
  });

  it('leaves its parents alone when it ends by itself', () => {
    const parent = cancelScope();
    {
      using scope = cancelScope(parent.signal);
      assert.equal(scope.signal.aborted, false);
    }
    assert.equal(parent.signal.aborted, false);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { SortedTable } from './table.ts';

const edit = fc.record({ key: fc.string({ maxLength: 3 }), value: fc.nat(), isDelete: fc.boolean() });

/** By code units, not by locale. */
function sorted(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].sort(([a], [b]) => (a < b ? -1 : 1));
}

function run(
  table: SortedTable<string, number>,
  model: Map<string, number>,
  edits: readonly { key: string; value: number; isDelete: boolean }[],
) {
  for (const { key, value, isDelete } of edits) {
    if (isDelete) assert.equal(table.delete(key), model.delete(key));
    else {
      table.set(key, value);
      model.set(key, value);
    }
  }
}

describe('a sorted table', () => {
  it('is a map in the order of its keys by code units', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 200 }), fc.string({ maxLength: 3 }), (edits, from) => {
        const [table, model] = [SortedTable.empty<string, number>(), new Map<string, number>()];
        run(table, model, edits);
        assert.equal(table.size, model.size);
        assert.deepEqual([...table.entries()], sorted(model));
        assert.deepEqual(
          [...table.keys(from)],
          sorted(model)
            .map(([key]) => key)
            .filter((key) => key >= from),
        );
        assert.deepEqual(
          table.floor(from),
          sorted(model).findLast(([key]) => key <= from),
        );
        for (const { key } of edits) assert.equal(table.get(key), model.get(key));
      }),
    );
  });

  it('that is loaded is the same as one that got its entries one by one, also when it is written to then', () => {
    const entries = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.nat()), {
      selector: ([key]) => key,
      maxLength: 200,
    });
    fc.assert(
      fc.property(entries, fc.boolean(), fc.array(edit, { maxLength: 50 }), (given, isEnded, edits) => {
        const [table, model] = [SortedTable.loading<string, number>(), new Map(given)];
        for (const [key, value] of given) table.set(key, value);
        if (isEnded) table.endLoading();
        const before = table.fork();
        run(table, model, edits);
        assert.deepEqual([...table.entries()], sorted(model));
        assert.deepEqual([...before.entries()], sorted(new Map(given)));
      }),
    );
  });

  it('that is loaded takes no two entries of one key', () => {
    const table = SortedTable.loading<string, number>();
    for (const key of ['b', 'a', 'b']) table.set(key, 1);
    assert.throws(() => table.endLoading(), /strictly ascending/);
  });

  it('and its forks do not notice what is written to each other', () => {
    const edits = fc.array(edit, { maxLength: 100 });
    fc.assert(
      fc.property(edits, edits, edits, (first, second, third) => {
        const [table, model] = [SortedTable.empty<string, number>(), new Map<string, number>()];
        run(table, model, first);
        const [fork, forkModel] = [table.fork(), new Map(model)];
        run(fork, forkModel, second);
        run(table, model, third);
        assert.deepEqual([...table.entries()], sorted(model));
        assert.deepEqual([...fork.entries()], sorted(forkModel));
      }),
    );
  });

  it('copies any other table', () => {
    const source = SortedTable.empty<number, string>();
    source.set(2, 'b');
    source.set(1, 'a');
    const other = {
      size: 2,
      get: () => undefined,
      has: () => false,
      keys: () => source.keys(),
      values: () => source.values(),
      entries: () => source.entries(),
    };
    assert.deepEqual(
      [...SortedTable.forkOf(other).entries()],
      [
        [1, 'a'],
        [2, 'b'],
      ],
    );
  });
});

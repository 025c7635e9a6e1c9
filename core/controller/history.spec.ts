import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { HistoryItem, HistoryQuery } from './control.ts';
import { History } from './history.ts';

function items(first: number, last: number): HistoryItem[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    return { outcome: { accepted: false, ordinal: first + index, code: 'malformed', message: '' } };
  });
}

/** What is remembered, and what is archived. */
async function select(
  query: HistoryQuery,
  end: number,
  remembered: readonly HistoryItem[],
  archived: readonly HistoryItem[],
): Promise<number[]> {
  const history = new History();
  for (const item of remembered) history.push(item);
  const found = await history.select(query, end, async ({ after, limit }) =>
    archived.filter(({ outcome }) => outcome.ordinal > after).slice(0, limit),
  );
  return found.map(({ outcome }) => outcome.ordinal);
}

describe('the history', () => {
  it('does not ask the archive for what it remembers', async () => {
    const history = new History();
    for (const item of items(1, 20)) history.push(item);
    const refuse = async (): Promise<never> => assert.fail('asked');
    assert.equal((await history.select({ limit: 5 }, 20, refuse)).length, 5);
    assert.equal((await history.select({ limit: 100 }, 20, refuse)).length, 20);
    assert.equal((await history.select({ after: 18, limit: 5, from: 'oldest' }, 20, refuse)).length, 2);
  });

  it('goes on from the archive into what it remembers, either way', async () => {
    const [remembered, archived] = [items(11, 20), items(1, 15)];
    assert.deepEqual(await select({ limit: 12 }, 20, remembered, archived), [
      9,
      10,
      ...items(11, 20).map((item) => item.outcome.ordinal),
    ]);
    assert.deepEqual(await select({ limit: 3, from: 'oldest' }, 20, remembered, archived), [1, 2, 3]);
    assert.deepEqual(
      await select({ after: 9, limit: 3, from: 'oldest' }, 20, remembered, archived),
      [10, 11, 12],
    );
    assert.deepEqual(await select({ after: 20, limit: 3, from: 'oldest' }, 20, remembered, archived), []);
    assert.deepEqual(await select({ limit: 0 }, 20, remembered, archived), []);
  });

  it('fills what a leap left out from the archive, and leaves out what nobody has', async () => {
    const remembered = [...items(1, 3), ...items(8, 10)];
    assert.deepEqual(await select({ limit: 100 }, 10, remembered, items(5, 6)), [1, 2, 3, 5, 6, 8, 9, 10]);
    assert.deepEqual(
      await select({ after: 2, limit: 3, from: 'oldest' }, 10, remembered, items(5, 6)),
      [3, 5, 6],
    );
  });

  it('does not show what the archive has of a history that the log has left', async () => {
    assert.deepEqual(await select({ limit: 100 }, 10, [], items(8, 20)), [8, 9, 10]);
    assert.deepEqual(await select({ after: 9, limit: 100, from: 'oldest' }, 10, [], items(8, 20)), [10]);
  });
});

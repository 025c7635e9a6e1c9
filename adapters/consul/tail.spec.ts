/** The tail against servers that answer in an order of the test's choosing. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import type { StoredKey } from './answers.ts';
import type { ReadOptions } from './channel.ts';
import type { Connection } from './connection.ts';
import { formatLogId, placeKeys } from './keys.ts';
import type { ListAnswer } from './member.ts';
import { Tail } from './tail.ts';
import { genesisMark } from './transactions.ts';

const logId = 'a'.repeat(32) as LogId;
const keys = placeKeys('/weft').of(logId);
const scope = { keys, logId, url: 'consul://h/weft' };
const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };

const idOf = (number: number) => String(number).padStart(32, '0') as EntryId;
const stored = (key: string, index: number, value = ''): StoredKey => ({
  key,
  value: Buffer.from(value),
  createIndex: index,
  modifyIndex: index,
});
const start = stored(keys.segment(0).start, 1, 'mark');
const entry = (index: number) => stored(keys.entry(0, idOf(index)), index);

/** The states that the server shows one after the other, and what a linearizable read shows. */
interface Script {
  readonly lists: readonly ListAnswer[];
  readonly truth: readonly StoredKey[];
  /** What is there too by the time that the tail asks again. */
  readonly later?: readonly StoredKey[];
}

/** What the tail brings until the script is at its end, and the indexes that it waited with. */
async function play({ lists, truth, later = [] }: Script) {
  const controller = new AbortController();
  const waits: (number | undefined)[] = [];
  const queue = [...lists];
  const line = {
    list: async (_folder: string, { index }: ReadOptions) => {
      const next = queue.shift();
      if (next === undefined) {
        controller.abort();
        return { found: truth, index };
      }
      waits.push(index);
      return next;
    },
    get: async () => stored(keys.identity, 1, formatLogId(logId)),
    transact: async () => ({ type: 'done', results: waits.length < 2 ? truth : [...truth, ...later] }),
    close: () => {},
  };
  const connection = {
    preferred: { address: 'n0', line: () => line },
    noteSuccess: () => {},
    noteFailure: () => {},
  };
  const tail = new Tail(scope, connection as unknown as Connection, ports, genesisMark, controller.signal);
  const seen: LogEntry[] = [];
  for await (const one of tail.run()) seen.push(one);
  return { ids: seen.map(({ id }) => id), waits };
}

const identity = stored(keys.identity, 1, formatLogId(logId));
const floor = (index: number) => stored(keys.floor, index + 1, `${index}:0:${idOf(index)}`);
const head = (index: number) => stored(keys.head, index, `0 ${idOf(index)}`);

describe('the tail on Consul', () => {
  it('asks for the truth when an old leader shows less than was delivered, and goes on', async () => {
    const { ids } = await play({
      lists: [
        { found: [start, entry(5), entry(6)], index: 6 },
        { found: [start, entry(5)], index: 5 },
        { found: [], index: 5 },
      ],
      truth: [identity, head(7), start, entry(5), entry(6), entry(7)],
    });
    assert.deepEqual(ids, [5, 6, 7].map(idOf));
  });

  it('says that the log is behind when that is the truth', async () => {
    const script = {
      lists: [
        { found: [start, entry(5), entry(6)], index: 6 },
        { found: [start, entry(5)], index: 5 },
      ],
      truth: [identity, head(5), start, entry(5)],
    };
    await assert.rejects(play(script), (error) => isWeftError(error, 'log-ahead'));
  });

  it('does not begin from before the floor, though what was trimmed is still there', async () => {
    const found = [start, entry(5), entry(6)];
    const script = { lists: [{ found, index: 6 }], truth: [identity, head(6), floor(5), ...found] };
    await assert.rejects(play(script), (error) => isWeftError(error, 'log-trimmed'));
  });

  it('says that the log was trimmed when its segment is gone under it, and only if more was than it has read', async () => {
    const lists = [
      { found: [start, entry(5)], index: 5 },
      { found: [], index: 9 },
    ];
    const gone = (last: number) => play({ lists, truth: [identity, head(9)], later: [floor(last)] });
    await assert.rejects(gone(6), (error) => isWeftError(error, 'log-trimmed'));
    await assert.rejects(gone(5), (error) => isWeftError(error, 'log-mismatch'));
  });

  it('delivers nothing that appears before what was delivered', async () => {
    const late = [start, entry(4), entry(5)];
    const script = {
      lists: [
        { found: [start, entry(5)], index: 5 },
        { found: late, index: 6 },
      ],
      truth: [identity, head(5), ...late],
    };
    await assert.rejects(play(script), (error) => isWeftError(error, 'log-mismatch'));
  });

  it('does not wait with an index that the server has left behind, nor with none', async () => {
    const found = [start, entry(5)];
    const { waits } = await play({
      lists: [9, 4, 4, 6, undefined, 7].map((index) => ({ found, index })),
      truth: [identity, head(5), ...found],
    });
    assert.deepEqual(waits, [undefined, 9, undefined, 4, 6, undefined]);
  });

  it('does not take a pause for the end: nothing is delivered twice when it wakes for nothing', async () => {
    const found = [entry(6), start, entry(5)];
    const { ids } = await play({
      lists: Array.from({ length: 4 }, () => ({ found, index: 6 })),
      truth: [identity, head(6), ...found],
    });
    assert.deepEqual(ids, [5, 6].map(idOf));
  });
});

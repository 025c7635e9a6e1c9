/** Trimming while others write, read, trim and die. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { entryBytesMax } from '../../core/limits.ts';
import { type EntryDraft, genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import { type ConsulServer, consulUnavailable, startConsul } from '../../lab/consul.ts';
import { ConsulLogs } from '../../test/support/consul-logs.ts';
import { draft, inParallel, never, take, takeAll } from '../../test/support/log-drafts.ts';
import {
  codeOf,
  eventually,
  RunningTail,
  type Try,
  until,
  untilMore,
  writeWhile,
} from '../../test/support/log-trials.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { parseList } from './answers.ts';
import { Calls } from './calls.ts';
import { type KvOperation, openChannel } from './channel.ts';
import { Connection } from './connection.ts';
import { ConsulCallError } from './errors.ts';
import { type Floor, floorOf, removeOperations } from './floor.ts';
import { placeKeys } from './keys.ts';
import { idsPerTransaction, segmentsPerTransaction } from './limits.ts';
import { OpenSegmentCache } from './open-segment.ts';
import { parseConsulUrl } from './options.ts';
import { forget, sweep } from './sweep.ts';
import { appendOperations, type EntryMark, type LogScope, parsePosition } from './transactions.ts';
import { trim } from './trim.ts';

/** Lots by which only an entry ends its segment that always does. */
class PoorLots extends SystemRandom {
  override unit(): number {
    return 0.999;
  }
}

describe('consul: trimming', function trimming() {
  this.timeout(60_000);
  const logs = new ConsulLogs(new PoorLots());
  const opened: Connection[] = [];
  const [clock, random] = [new SystemClock(), new SystemRandom()];
  let server: ConsulServer;
  let places = 0;

  before(async function start() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startConsul();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close();
    await logs.closeAll();
  });
  after(() => server?.stop());

  /** A place of its own, with a log in it, and what the adapter works with below its port. */
  const place = async () => {
    places += 1;
    const prefix = `/trim/${places}`;
    const url = `${server.url}${prefix}`;
    const log = await logs.open(url);
    const logId = await log.open(never());
    const scope: LogScope = { keys: placeKeys(prefix).of(logId), logId, url };
    const connection = new Connection(parseConsulUrl(url), clock, random, openChannel);
    opened.push(connection);
    return { prefix: prefix.slice(1), url, log, scope, connection };
  };
  type Place = Awaited<ReturnType<typeof place>>;

  const keysAt = async ({ prefix }: Place): Promise<string[]> =>
    (await (await server.request('GET', `/v1/kv/${prefix}/?keys`)).json()) as string[];
  const segmentsAt = async (where: Place): Promise<number[]> => {
    const { segments } = where.scope.keys;
    const names = (await keysAt(where)).filter((key) => key.startsWith(segments));
    return [...new Set(names.map((key) => Number(key.slice(segments.length).split('/')[0])))];
  };
  const idsAt = async (where: Place): Promise<string[]> =>
    (await keysAt(where)).filter((key) => key.startsWith(where.scope.keys.ids)).map((key) => key.slice(-32));
  const stored = async (key: string) => {
    const found = await (await server.request('GET', `/v1/kv/${key}?recurse`)).json();
    return parseList(found);
  };
  const floorAt = async ({ scope }: Place): Promise<Floor> =>
    floorOf(scope, (await stored(scope.keys.floor))[0]);
  const send = async (operations: readonly KvOperation[]): Promise<string> => {
    const body = JSON.stringify(operations.map((KV) => ({ KV })));
    return await server.request('PUT', '/v1/txn', body).then(
      () => 'done',
      (error: unknown) => (/: 409 /.test(String(error)) ? 'refused' : String(error)),
    );
  };

  /** So many segments with two entries each, an open one with one, in the order of the log. */
  const filled = async ({ log }: Place, segments: number): Promise<readonly LogEntry[]> => {
    for (let segment = 0; segment < segments; segment += 1) {
      await log.append(draft(`small ${segment}`, segment * 5_000), never());
      // One of this size always ends its segment.
      await log.append(draft(new Uint8Array(entryBytesMax), segment * 5_000), never());
    }
    await log.append(draft('last'), never());
    return await takeAll(log, genesis);
  };
  const at = (entries: readonly LogEntry[], index: number): LogEntry => {
    const entry = entries.at(index);
    assert.ok(entry !== undefined);
    return entry;
  };
  const markOf = (position: Position): EntryMark => {
    const mark = parsePosition(position);
    assert.ok(mark !== undefined);
    return mark;
  };

  /** Trims with writes that are carried out in another way. */
  const trimBy = async (where: Place, upTo: Position, repeat: Connection['repeat']): Promise<QuietLogger> => {
    const { connection: real, scope, url } = where;
    const connection = { read: real.read.bind(real), repeat } as unknown as Connection;
    const segments = new OpenSegmentCache(scope, real);
    const [calls, logger] = [new Calls(url), new QuietLogger()];
    await trim({ scope, connection, calls, segments, random, logger }, markOf(upTo), never());
    return logger;
  };

  /** Trims as a host would that dies after so many writes: what follows is never sent. */
  const trimAndDie = async (where: Place, upTo: Position, writes: number): Promise<boolean> => {
    let left = writes;
    const logger = await trimBy(where, upTo, async (...args) => {
      left -= 1;
      if (left < 0) throw new ConsulCallError('broken', 'it is dead');
      return await where.connection.repeat(...args);
    });
    assert.equal(logger.lines.length > 0, left < 0, 'it is said of a trim that something of it was left');
    return left >= 0;
  };

  it('removes whole segments and the keys under ids, and leaves head, open segment and that of the floor', async () => {
    const where = await place();
    const entries = await filled(where, 6);
    const floor = at(entries, 8);
    await where.log.trim(floor.position, never());
    assert.deepEqual(await segmentsAt(where), [4, 5, 6]);
    const left = entries.slice(9).map(({ id }) => id as string);
    assert.deepEqual((await idsAt(where)).toSorted(), left.toSorted());
    const { head, open, floor: floorKey } = where.scope.keys;
    const names = await keysAt(where);
    for (const key of [head, open, floorKey]) assert.ok(names.includes(key), key);
    assert.equal(await where.log.head(never()), at(entries, -1).position);
  });

  it('is finished by whoever trims next, wherever it was broken off', async () => {
    for (let writes = 1, isWhole = false; !isWhole; writes += 1) {
      const where = await place();
      const entries = await filled(where, 3);
      const floor = at(entries, 4).position;
      isWhole = await trimAndDie(where, floor, writes);
      // For readers it is done, however much was removed.
      assert.equal(await codeOf(take(where.log, at(entries, 3).position, 1)), 'log-trimmed');
      assert.deepEqual(
        (await takeAll(where.log, floor)).map(({ id }) => id),
        entries.slice(5).map(({ id }) => id),
      );
      for (const { id } of entries.slice(0, 5))
        for (const base of [0, 5_000, 10_000])
          assert.equal(await where.log.resolve({ id, base }, never()), undefined);
      await (await logs.open(where.url)).trim(genesis, never());
      assert.deepEqual(await segmentsAt(where), [2, 3], `after ${writes} writes`);
      assert.equal((await idsAt(where)).length, 2, `after ${writes} writes`);
      assert.ok(writes < 20);
    }
  });

  it('comes to the same when every answer is lost and every write is carried out twice', async () => {
    const where = await place();
    const entries = await filled(where, 4);
    for (const index of [4, -1]) {
      await trimBy(where, at(entries, index).position, async (...args) => {
        await where.connection.repeat(...args);
        return await where.connection.repeat(...args);
      });
      assert.deepEqual((await floorAt(where)).mark, markOf(at(entries, index).position));
    }
    assert.deepEqual(await segmentsAt(where), [4, 5]);
    assert.deepEqual(await idsAt(where), []);
  });

  it('removes hundreds of keys and dozens of segments, in parts', async () => {
    const where = await place();
    await inParallel(Array.from({ length: 2 * idsPerTransaction + 5 }), 16, () =>
      where.log.append(draft(), never()),
    );
    const entries = await filled(where, segmentsPerTransaction + 3);
    await where.log.trim(at(entries, -1).position, never());
    assert.deepEqual(await segmentsAt(where), [segmentsPerTransaction + 3, segmentsPerTransaction + 4]);
    assert.deepEqual(await idsAt(where), []);
  });

  it('lets an entry in anew that was trimmed and not removed, with the same bytes or others', async () => {
    const where = await place();
    const [late, other] = [draft('late'), draft('other')];
    await where.log.append(late, never());
    const floor = await where.log.append(other, never());
    await trimAndDie(where, floor, 1);
    assert.equal((await idsAt(where)).length, 2, 'nothing was removed');
    const first = await where.log.append(late, never());
    assert.equal(await (await logs.open(where.url)).append(late, never()), first);
    const changed: EntryDraft = { ...other, bytes: new TextEncoder().encode('changed') };
    const second = await where.log.append(changed, never());
    assert.equal(await where.log.resolve(late, never()), first);
    assert.deepEqual(
      (await takeAll(where.log, floor)).map(({ position }) => position),
      [first, second],
    );
    await where.log.trim(floor, never());
    assert.equal(
      await where.log.resolve(late, never()),
      first,
      'its second time is not swept with the first',
    );
    assert.equal((await idsAt(where)).length, 2);
  });

  it('leaves a first attempt that lands after everything nothing to land in', async () => {
    const where = await place();
    const { scope, log } = where;
    const made = draft('slow');
    const [open] = await stored(scope.keys.open);
    const attempt = appendOperations(scope, { segment: 0, index: open?.modifyIndex ?? 0 }, made);
    const floor = await log.append(made, never());
    await log.trim(floor, never());
    assert.equal(await send(attempt), 'refused');
    assert.deepEqual(await takeAll(log, floor), []);
  });

  it('does not forget an entry that came anew while a list of the old ones was worked off', async () => {
    const where = await place();
    const [late, gone] = [draft('late'), draft('gone')];
    await where.log.append(late, never());
    const floor = await where.log.append(gone, never());
    await trimAndDie(where, floor, 1);
    const list = await stored(where.scope.keys.ids);
    assert.equal(list.length, 2);
    const anew = await where.log.append(late, never());
    assert.equal(await forget({ ...where, floor: await floorAt(where) }, list, never()), true);
    assert.deepEqual(await idsAt(where), [late.id]);
    assert.equal(await where.log.append(late, never()), anew);
  });

  it('by several at once comes to the higher floor, and removes nothing above it', async () => {
    const where = await place();
    const entries = await filled(where, 8);
    const hosts = await Promise.all([0, 1, 2, 3].map(() => logs.open(where.url)));
    const floors = [3, 10, 6, 13].map((index) => at(entries, index).position);
    await Promise.all(hosts.map((host, index) => host.trim(floors[index] ?? genesis, never())));
    assert.equal((await floorAt(where)).mark.index, markOf(at(entries, 13).position).index);
    assert.deepEqual(
      (await takeAll(where.log, at(entries, 13).position)).map(({ id }) => id),
      entries.slice(14).map(({ id }) => id),
    );
    await where.log.trim(genesis, never());
    assert.deepEqual(await segmentsAt(where), [6, 7, 8]);
    assert.equal((await idsAt(where)).length, 3);
  });

  it('removes nothing where the floor is not the one that it goes by', async () => {
    const where = await place();
    const entries = await filled(where, 4);
    await trimAndDie(where, at(entries, 2).position, 1);
    const old = await floorAt(where);
    await trimAndDie(where, at(entries, 4).position, 1);
    const before = await keysAt(where);
    await sweep({ ...where, floor: old }, never());
    assert.deepEqual(await keysAt(where), before);
    await sweep({ ...where, floor: await floorAt(where) }, never());
    assert.deepEqual(await segmentsAt(where), [2, 3, 4]);
  });

  it('deletes nothing late from a store that was brought back from a backup of before it', async () => {
    const where = await place();
    const entries = await filled(where, 3);
    const backup = await server.backUp();
    await trimAndDie(where, at(entries, 4).position, 1);
    const removal = removeOperations(where.scope, await floorAt(where), [0, 1]);
    await server.restore(backup);
    await eventually(() => where.log.head(never()));
    assert.equal(await send(removal), 'refused');
    assert.equal((await takeAll(where.log, genesis)).length, entries.length);
  });

  it('leaves a tail asleep that is ahead of it: what that waits for has neither changed nor a tombstone', async () => {
    const where = await place();
    const entries = await filled(where, 5);
    const tail = new RunningTail(await logs.open(where.url), at(entries, 7).position);
    await tail.until(3);
    const { folder } = where.scope.keys.segment(5);
    const indexOf = async () =>
      (await server.request('GET', `/v1/kv/${folder}?recurse`)).headers.get('x-consul-index');
    const before = await indexOf();
    await where.log.trim(at(entries, 5).position, never());
    await where.log.trim(at(entries, 7).position, never());
    assert.deepEqual(await segmentsAt(where), [3, 4, 5]);
    assert.equal(await indexOf(), before);
    const made = draft('after');
    await where.log.append(made, never());
    await tail.until(4);
    assert.deepEqual(tail.ids, [...entries.slice(8).map(({ id }) => id), made.id]);
    assert.equal(logs.logger.lines.filter(({ message }) => message.includes('cannot be read')).length, 0);
    await tail.stop();
  });

  it('brings a tail that it overtakes everything up to some entry, and then says so', async () => {
    const where = await place();
    const entries = await filled(where, 6);
    const seen: string[] = [];
    const reading = async () => {
      for await (const { id } of where.log.tail(genesis, never())) {
        seen.push(id);
        if (seen.length === 1) await (await logs.open(where.url)).trim(at(entries, 9).position, never());
      }
    };
    assert.equal(await codeOf(reading()), 'log-trimmed');
    assert.deepEqual(
      seen,
      entries.slice(0, 2).map(({ id }) => id),
    );
  });

  it('ends the open segment where the floor is in it, under the eyes of a tail that waits there', async () => {
    const where = await place();
    const first = await where.log.append(draft('first'), never());
    const second = await where.log.append(draft('second'), never());
    const tail = new RunningTail(await logs.open(where.url), second);
    await where.log.trim(first, never());
    const third = await where.log.append(draft('third'), never());
    await tail.until(1);
    assert.deepEqual(
      tail.entries.map(({ position }) => position),
      [third],
    );
    assert.equal(markOf(third).segment, 1);
    await tail.stop();
  });

  it('takes a floor that names no position for damage, and one of another history for a mismatch', async () => {
    const { log, scope } = await place();
    const position = await log.append(draft(), never());
    await log.trim(position, never());
    const impostor = position.replace(/[0-9a-f]{32}$/, 'f'.repeat(32)) as Position;
    assert.equal(await codeOf(log.trim(impostor, never())), 'log-mismatch');
    assert.equal(await codeOf(log.trim('nonsense' as Position, never())), 'log-ahead');
    await server.request('PUT', `/v1/kv/${scope.keys.floor}`, 'nonsense');
    assert.equal(await codeOf(log.trim(position, never())), 'log-damaged');
    assert.equal(await codeOf(log.resolve(draft(), never())), 'log-damaged');
    assert.equal(await codeOf(take(log, position, 1)), 'log-damaged');
  });
});

describe('consul: trimming through faults', function faults() {
  this.timeout(60_000);

  it('takes nothing from a tail ahead of it while the server is killed and started again', async function test() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const server = await startConsul();
    const logs = new ConsulLogs();
    let isOver = false;
    try {
      const [log, ...hosts] = await Promise.all([0, 1, 2].map(() => logs.open(`${server.url}/weft`)));
      assert.ok(log !== undefined);
      const tail = new RunningTail(log);
      const tries = new Map<EntryDraft, Try>();
      const writing = writeWhile(() => !isOver, 8, log, tries);
      let trimmed = 0;
      const floor = () => tail.entries[trimmed]?.position ?? genesis;
      const trimming = hosts.map(async (host) => {
        while (!isOver) {
          const { length } = tail.entries;
          await until(() => isOver || tail.entries.length >= length + 20);
          const position = tail.entries[length]?.position ?? genesis;
          await eventually(() => host.trim(position, never()));
          if (position !== genesis) trimmed = Math.max(trimmed, length);
        }
      });
      for (let time = 0; time < 3; time += 1) {
        await untilMore(tries);
        await server.restart();
      }
      await untilMore(tries);
      isOver = true;
      await writing;
      await Promise.all(trimming);

      const left = await takeAll(log, floor());
      await tail.until(tail.ids.indexOf(left.at(-1)?.id ?? '') + 1);
      assert.deepEqual(
        tail.ids.slice(-left.length),
        left.map(({ id }) => id),
      );
      assert.equal(new Set(tail.ids).size, tail.ids.length);
      const positions = new Map(tail.entries.map(({ id, position }) => [id, position]));
      for (const [{ id }, result] of tries) {
        if (result.type === 'acked') assert.equal(positions.get(id), result.position);
        if (result.type === 'refused') assert.equal(positions.get(id), undefined, result.code);
      }
      assert.equal(await codeOf(take(log, genesis, 1)), 'log-trimmed');
      await tail.stop();
    } finally {
      isOver = true;
      await logs.closeAll();
      await server.stop();
    }
  });
});

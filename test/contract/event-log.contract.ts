/**
 * The contract of the EventLog port: one suite that every adapter runs, so that a guarantee means the same on each.
 *
 * A harness makes fresh, empty stores and any number of independent handles on one; a handle stands for a process. The
 * suite sees nothing but the port and the harness. Time limits are mocha's and only say "for ever": nothing is timed.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { entryBytesMax } from '../../core/limits.ts';
import { type EventLog, genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import type { BootId } from '../../core/model/ids.ts';
import { draft, inParallel, never, take, takeAll } from '../support/log-drafts.ts';
import { appendPatiently } from '../support/log-trials.ts';
import { clockCases } from './clock-cases.ts';
import { discardCases, refuseCases } from './discard-cases.ts';
import { patterned, plain, rejectsWith } from './log-assertions.ts';
import { presenceCases } from './presence-cases.ts';
import { snapshotCases } from './snapshot-cases.ts';
import { trimCases } from './trim-cases.ts';

/** One empty store, made for one test. */
export interface ContractStore {
  /**
   * A new handle, not opened, as another process would have it: no memory shared with the other handles but the store.
   * The suite closes it.
   */
  connect(): EventLog;
  /**
   * Makes the store unreachable to every handle; the function that it gives back makes it reachable again, with all
   * that it held. Present where `capabilities.interruptible` says so.
   */
  interrupt?(): Promise<() => Promise<void>>;
  /**
   * Empties the store behind the backs of its handles, as an operator who wipes or swaps it does. Present where
   * `capabilities.replaceable` says so.
   */
  replace?(): Promise<void>;
  /** Removes everything. All handles are closed by then. */
  destroy(): Promise<void>;
}

export interface EventLogCapabilities {
  readonly interruptible: boolean;
  readonly replaceable: boolean;
  /** Entries that the large catch-ups write: 10,000 where the store takes that many in seconds. */
  readonly catchUpEntries: number;
  /** How often a handle is opened and closed to see what is left: 10,000 times where that takes seconds. */
  readonly openings: number;
}

export interface EventLogHarness {
  readonly capabilities: EventLogCapabilities;
  /** One line that says why the suite cannot run here. It is then reported as skipped under that reason. */
  readonly unavailable?: string;
  /** mocha's limit for one test, milliseconds: after that a wait counts as endless. */
  readonly timeoutMs?: number;
  /** Once, before all tests: servers, directories. */
  setUp?(): Promise<void>;
  /** Once, after all tests, also when they failed. */
  tearDown?(): Promise<void>;
  createStore(): Promise<ContractStore>;
  /** A well-formed position of this kind of store that lies beyond `position`, where nothing is yet. */
  beyond(position: Position): Position;
}

/** What a test has at hand: its store, and opened handles on it that are closed when it ends. */
export interface World {
  readonly harness: EventLogHarness;
  readonly store: ContractStore;
  /** A handle of its own, opened. */
  open(): Promise<EventLog>;
  /** A handle of its own, not opened. */
  connect(): EventLog;
}

export type Case = (title: string, body: (world: World) => Promise<void>, isPossible?: boolean) => void;

/** Declares the suite. Call it at the top level of a spec file. */
export function describeEventLog(name: string, harness: EventLogHarness): void {
  if (harness.unavailable !== undefined) {
    describe(`${name}: event log contract`, () => {
      it(`skipped: ${harness.unavailable}`, function skipped() {
        this.skip();
      });
    });
    return;
  }
  describe(`${name}: event log contract`, function contract() {
    this.timeout(harness.timeoutMs ?? 60_000);
    before(async () => harness.setUp?.());
    after(async () => harness.tearDown?.());
    const inWorld = worldOf(harness);
    describe('open', () => openCases(inWorld));
    describe('append', () => appendCases(inWorld));
    describe('resolve and head', () => resolveCases(inWorld));
    describe('tail', () => tailCases(inWorld, harness.capabilities.catchUpEntries));
    describe('trim', () => trimCases(inWorld));
    describe('snapshots', () => snapshotCases(inWorld));
    describe('presence', () => presenceCases(inWorld));
    describe('discard', () => discardCases(inWorld));
    describe('a wall clock', () => clockCases(inWorld));
    describe('close', () => closeCases(inWorld, harness.capabilities.openings));
    describe('interruption', () => interruptionCases(inWorld, harness.capabilities.interruptible));
    describe('replacement', () => replacementCases(inWorld, harness.capabilities.replaceable));
  });
}

function worldOf(harness: EventLogHarness): Case {
  let store: ContractStore;
  let handles: EventLog[];
  beforeEach(async () => {
    handles = [];
    store = await harness.createStore();
  });
  afterEach(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
    await store.destroy();
  });
  const connect = (): EventLog => {
    const handle = store.connect();
    handles.push(handle);
    return handle;
  };
  const open = async (): Promise<EventLog> => {
    const handle = connect();
    await handle.open(never());
    return handle;
  };
  return (title, body, isPossible = true) => {
    it(
      isPossible ? title : `${title} (skipped: the harness cannot do that to its store)`,
      async function test() {
        if (!isPossible) this.skip();
        await body({ harness, store, open, connect });
      },
    );
  };
}

function openCases(test: Case): void {
  refuseCases(test);
  test('writes one genesis however many handles open at once', async ({ connect }) => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => connect().open(never())));
    assert.match(ids[0] ?? '', /^[0-9a-f]{32}$/);
    assert.equal(new Set(ids).size, 1, 'all handles follow one log');
  });

  test('keeps its identity when it is opened again, and when it has entries', async ({ connect, open }) => {
    const first = connect();
    const id = await first.open(never());
    await first.append(draft(), never());
    await first.close();
    const second = connect();
    assert.equal(await second.open(never()), id);
    assert.equal(await (await open()).head(never()), await second.head(never()));
  });

  test('gives different logs different identities', async ({ harness, connect }) => {
    const other = await harness.createStore();
    const log = other.connect();
    try {
      assert.notEqual(await log.open(never()), await connect().open(never()));
    } finally {
      await log.close();
      await other.destroy();
    }
  });

  test('may be opened again by the same handle', async ({ connect }) => {
    const log = connect();
    assert.equal(await log.open(never()), await log.open(never()));
  });

  test('is cancelled with `closed`', async ({ connect }) => {
    await rejectsWith(connect().open(AbortSignal.abort()), 'closed');
  });

  test('shows its URL without credentials, and its health', async ({ open }) => {
    const log = await open();
    assert.match(log.url, /^[a-z]+:/);
    assert.doesNotMatch(log.url, /@/);
    assert.deepEqual(log.health, { reachable: true });
  });
}

function appendCases(test: Case): void {
  test('gives the position at which every tail finds the entry', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const made = draft('{"a":1}', 7);
    const position = await writer.append(made, never());
    assert.notEqual(position, genesis);
    const [entry] = await take(reader, genesis, 1);
    assert.deepEqual(plain(entry), { position, id: made.id, bytes: 'eyJhIjoxfQ==' });
  });

  test('keeps the order of one author', async ({ open }) => {
    const log = await open();
    const drafts = Array.from({ length: 50 }, (_, index) => draft(`${index}`));
    const positions: Position[] = [];
    for (const each of drafts) positions.push(await log.append(each, never()));
    const entries = await takeAll(await open(), genesis);
    assert.deepEqual(
      entries.map(({ id }) => id),
      drafts.map(({ id }) => id),
    );
    assert.deepEqual(
      entries.map(({ position }) => position),
      positions,
    );
    assert.equal(new Set(positions).size, drafts.length);
  });

  test('brings every acked entry of concurrent authors, once, in one order for all', async ({ open }) => {
    const writers = await Promise.all(Array.from({ length: 8 }, open));
    const acked = new Map<string, Position>();
    await Promise.all(
      writers.map(async (writer, index) => {
        const drafts = Array.from({ length: 25 }, (_, count) => draft(`${index}/${count}`));
        await inParallel(drafts, 3, async (each) => acked.set(each.id, await writer.append(each, never())));
      }),
    );
    const histories = await Promise.all(writers.slice(0, 3).map((log) => takeAll(log, genesis)));
    const [first = []] = histories;
    assert.equal(first.length, acked.size);
    for (const { id, position } of first) assert.equal(acked.get(id), position);
    for (const history of histories) assert.deepEqual(history.map(plain), first.map(plain));
  });

  test('puts an entry once, however often its author tries', async ({ open }) => {
    const log = await open();
    const made = draft('again');
    const position = await log.append(made, never());
    await log.append(draft('another'), never());
    assert.equal(await log.append(made, never()), position);
    assert.equal((await takeAll(log, genesis)).length, 2);
  });

  test('puts an entry once when several processes try it at the same time', async ({ open }) => {
    const logs = await Promise.all(Array.from({ length: 4 }, open));
    const made = draft('at once');
    const positions = await Promise.all([...logs, ...logs].map((log) => log.append(made, never())));
    assert.equal(new Set(positions).size, 1);
    assert.equal((await takeAll(await open(), genesis)).length, 1);
  });

  test('puts an entry once when another process repeats it later', async ({ open }) => {
    const made = draft('later');
    const first = await open();
    const position = await first.append(made, never());
    await first.close();
    assert.equal(await (await open()).append(made, never()), position);
    assert.equal((await takeAll(await open(), genesis)).length, 1);
  });

  test('refuses an id that is used again for other bytes', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const made = draft('mine');
    await log.append(made, never());
    for (const handle of [log, other]) {
      for (const content of ['yours', 'min', 'mine ', '']) {
        const impostor = { ...made, bytes: new TextEncoder().encode(content) };
        await rejectsWith(handle.append(impostor, never()), 'entry-conflict');
      }
    }
    assert.deepEqual(
      (await takeAll(other, genesis)).map(plain).map(({ bytes }) => bytes),
      ['bWluZQ=='],
    );
  });

  test('takes the empty, the smallest and the largest entry', async ({ open }) => {
    const log = await open();
    const sizes = [0, 1, 4095, 4096, 4097, entryBytesMax - 1, entryBytesMax];
    for (const size of sizes) await log.append(draft(patterned(size)), never());
    const entries = await takeAll(await open(), genesis);
    assert.deepEqual(
      entries.map(({ bytes }) => bytes.length),
      sizes,
    );
    for (const { bytes } of entries) assert.ok(Buffer.from(bytes).equals(patterned(bytes.length)));
  });

  test('refuses an entry over the bound before it sends anything', async ({ open }) => {
    const log = await open();
    const made = draft(new Uint8Array(entryBytesMax + 1));
    await rejectsWith(log.append(made, never()), 'too-large');
    assert.equal(await log.resolve(made, never()), undefined);
    assert.equal(await log.head(never()), genesis);
  });

  test('gives back any bytes as they were', async ({ open }) => {
    const log = await open();
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const contents = [everyByte, new Uint8Array(64), Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0x0a, 0x0d, 0x00)];
    for (const content of contents) await log.append(draft(content), never());
    const entries = await takeAll(await open(), genesis);
    assert.deepEqual(
      entries.map(({ bytes }) => Uint8Array.from(bytes)),
      contents,
    );
  });

  test('takes any base', async ({ open }) => {
    const log = await open();
    const drafts = [0, 1, 16_384, 2 ** 32, Number.MAX_SAFE_INTEGER, 5].map((base) => draft(`${base}`, base));
    for (const each of drafts) await log.append(each, never());
    assert.deepEqual(
      (await takeAll(await open(), genesis)).map(({ id }) => id),
      drafts.map(({ id }) => id),
    );
    for (const each of drafts) assert.notEqual(await log.resolve(each, never()), undefined);
  });

  test('leaves the bytes to their owner', async ({ open }) => {
    const log = await open();
    const bytes = new TextEncoder().encode('mine');
    await log.append(draft(bytes), never());
    bytes.fill(0);
    const [entry] = await take(log, genesis, 1);
    entry?.bytes.fill(0);
    assert.equal(plain((await take(log, genesis, 1))[0]).bytes, 'bWluZQ==');
  });

  test('tells no lie when it is cancelled', async ({ open }) => {
    const log = await open();
    const cancelledBefore = draft('before');
    await rejectsWith(
      log.append(cancelledBefore, AbortSignal.abort()),
      'store-unreachable',
      'outcome-unknown',
    );
    assert.equal(await log.resolve(cancelledBefore, never()), undefined, 'a cancelled signal sends nothing');
    for (let turns = 0; turns < 8; turns++) {
      const controller = new AbortController();
      const made = draft(`after ${turns} turns`);
      const outcome = log.append(made, controller.signal).then(
        (position) => ({ position }),
        (error: unknown) => ({ error }),
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      controller.abort();
      await assertHonest(log, made.id, await outcome);
    }
  });
}

function resolveCases(test: Case): void {
  test('finds what is there, for every handle, and nothing else', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const [made, absent] = [draft('there', 3), draft('not there', 3)];
    assert.equal(await reader.resolve(made, never()), undefined);
    const position = await writer.append(made, never());
    assert.equal(await reader.resolve(made, never()), position);
    assert.equal(await writer.resolve({ id: made.id, base: made.base }, never()), position);
    assert.equal(await reader.resolve(absent, never()), undefined);
  });

  test('has no head before the first entry', async ({ open }) => {
    assert.equal(await (await open()).head(never()), genesis);
  });

  test('has a head that is never older than an ack before it', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    for (let count = 0; count < 20; count++) {
      const position = await writer.append(draft(`${count}`), never());
      assert.equal(await reader.head(never()), position);
    }
  });
}

function tailCases(test: Case, catchUpEntries: number): void {
  test('brings what was there and then what follows', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const drafts = Array.from({ length: 6 }, (_, index) => draft(`${index}`));
    for (const each of drafts.slice(0, 3)) await writer.append(each, never());
    const tailing = take(reader, genesis, 6);
    for (const each of drafts.slice(3)) await writer.append(each, never());
    assert.deepEqual(
      (await tailing).map(({ id }) => id),
      drafts.map(({ id }) => id),
    );
  });

  test('begins behind any position, exclusively', async ({ open }) => {
    const log = await open();
    for (let count = 0; count < 10; count++) await log.append(draft(`${count}`), never());
    const all = await takeAll(log, genesis);
    const other = await open();
    for (const [index, { position }] of all.entries()) {
      assert.deepEqual((await takeAll(other, position)).map(plain), all.slice(index + 1).map(plain));
    }
  });

  test('waits at the head and wakes for what another process appends', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    let after = await writer.append(draft('first'), never());
    for (let count = 0; count < 10; count++) {
      const waiting = take(reader, after, 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const position = await writer.append(draft(`${count}`), never());
      assert.deepEqual(
        (await waiting).map((entry) => entry.position),
        [position],
      );
      after = position;
    }
  });

  test('waits on an empty log and wakes', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const waiting = take(reader, genesis, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const made = draft('at last');
    await writer.append(made, never());
    assert.equal((await waiting)[0]?.id, made.id);
  });

  test('refuses a position beyond the end instead of waiting in silence', async ({ harness, open }) => {
    const log = await open();
    await rejectsWith(take(log, harness.beyond(genesis), 1), 'log-ahead');
    const head = await log.append(draft(), never());
    await rejectsWith(take(log, harness.beyond(head), 1), 'log-ahead');
  });

  test('ends without error when it is cancelled, also while it waits', async ({ open }) => {
    const log = await open();
    await log.append(draft('one'), never());
    const controller = new AbortController();
    const seen: LogEntry[] = [];
    const tailing = (async () => {
      for await (const entry of log.tail(genesis, controller.signal)) seen.push(entry);
    })();
    while (seen.length === 0) await new Promise(setImmediate);
    controller.abort();
    await tailing;
    assert.equal(seen.length, 1);
    for await (const entry of log.tail(genesis, AbortSignal.abort())) assert.fail(`brought ${entry.id}`);
  });

  test('gives the same to all tails of all processes', async ({ open }) => {
    const [writer, near, far] = [await open(), await open(), await open()];
    const tails = [writer, near, near, far].map((log) => take(log, genesis, 100));
    const drafts = Array.from({ length: 100 }, (_, index) => draft(`${index}`));
    await inParallel(drafts, 8, (each) => writer.append(each, never()));
    const [first = [], ...others] = await Promise.all(tails);
    assert.equal(new Set(first.map(({ id }) => id)).size, 100);
    for (const other of others) assert.deepEqual(other.map(plain), first.map(plain));
  });

  test('loses nothing to a slow consumer', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const drafts = Array.from({ length: 200 }, (_, index) => draft(patterned(index * 20)));
    const controller = new AbortController();
    const seen: string[] = [];
    const tailing = (async () => {
      for await (const { id } of reader.tail(genesis, controller.signal)) {
        seen.push(id);
        if (seen.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        if (seen.length === drafts.length) controller.abort();
      }
    })();
    const order: string[] = [];
    for (const each of drafts) {
      await writer.append(each, never());
      order.push(each.id);
    }
    await tailing;
    assert.deepEqual(seen, order);
  });

  test('follows a burst of 1,000 entries', async ({ open }) => {
    const [writer, reader] = [await open(), await open()];
    const tailing = take(reader, genesis, 1000);
    await inParallel(
      Array.from({ length: 1000 }, (_, index) => draft(`${index}`)),
      64,
      (each) => appendPatiently(writer, each),
    );
    const seen = await tailing;
    assert.equal(new Set(seen.map(({ id }) => id)).size, 1000);
    assert.deepEqual(seen.map(plain), (await takeAll(writer, genesis)).map(plain));
  });

  test(`catches up over ${catchUpEntries} entries, each once, in order`, async ({ open }) => {
    const writer = await open();
    const positions = new Map<string, Position>();
    const drafts = Array.from({ length: catchUpEntries }, (_, index) => draft(`{"n":${index}}`));
    await inParallel(drafts, 64, async (each) => positions.set(each.id, await appendPatiently(writer, each)));
    const entries = await takeAll(await open(), genesis);
    assert.equal(entries.length, catchUpEntries);
    assert.equal(new Set(entries.map(({ id }) => id)).size, catchUpEntries);
    for (const { id, position } of entries) assert.equal(position, positions.get(id));
  });

  test('catches up over more than 4 MiB', async ({ open }) => {
    const writer = await open();
    const drafts = Array.from({ length: 40 }, (_, index) => draft(patterned(entryBytesMax - index)));
    for (const each of drafts) await writer.append(each, never());
    const entries = await takeAll(await open(), genesis);
    assert.deepEqual(
      entries.map(({ id }) => id),
      drafts.map(({ id }) => id),
    );
    for (const { bytes } of entries) assert.ok(Buffer.from(bytes).equals(patterned(bytes.length)));
  });

  test('is resumed by another process where the first one stopped', async ({ open }) => {
    const writer = await open();
    const drafts = Array.from({ length: 60 }, (_, index) => draft(`${index}`));
    await inParallel(drafts, 4, (each) => writer.append(each, never()));
    const whole = await takeAll(writer, genesis);
    const pieced: LogEntry[] = [];
    for (const count of [1, 7, 20, 32]) {
      const log = await open();
      pieced.push(...(await take(log, pieced.at(-1)?.position ?? genesis, count)));
      await log.close();
    }
    assert.deepEqual(pieced.map(plain), whole.map(plain));
  });
}

/** Timers, sockets and files that may be there by chance after a handle was closed often. */
const leftMax = 2;

function closeCases(test: Case, openings: number): void {
  test('refuses what comes later with `closed`', async ({ open }) => {
    const log = await open();
    const position = await log.append(draft(), never());
    await log.close();
    await rejectsWith(log.append(draft(), never()), 'closed');
    await rejectsWith(log.resolve(draft(), never()), 'closed');
    await rejectsWith(log.head(never()), 'closed');
    await rejectsWith(take(log, position, 1), 'closed');
    await rejectsWith(log.open(never()), 'closed');
  });

  test('is idempotent, also before the log is open', async ({ connect, open }) => {
    const log = await open();
    await Promise.all([log.close(), log.close()]);
    await log.close();
    const unopened = connect();
    await unopened.close();
    await rejectsWith(unopened.open(never()), 'closed');
  });

  test('ends tails, those that wait and those that are being read', async ({ open }) => {
    const log = await open();
    await log.append(draft('one'), never());
    const waiting = (async () => {
      for await (const entry of log.tail(await log.head(never()), never()))
        assert.fail(`brought ${entry.id}`);
    })();
    const iterator = log.tail(genesis, never())[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).done, false);
    await log.close();
    await waiting;
    assert.equal((await iterator.next()).done, true);
  });

  test('does not lie about appends under way', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const drafts = Array.from({ length: 20 }, (_, index) => draft(`${index}`));
    const outcomes = drafts.map((each) =>
      log.append(each, never()).then(
        (position) => ({ position }),
        (error: unknown) => ({ error }),
      ),
    );
    await new Promise(setImmediate);
    await log.close();
    const settled = await Promise.all(outcomes);
    for (const [index, each] of drafts.entries()) {
      const outcome = settled[index];
      assert.ok(outcome !== undefined);
      await assertHonest(other, each.id, outcome, 'closed');
    }
  });

  test(`leaves nothing behind when it is opened and closed ${openings} times`, async ({ store }) => {
    const countResources = (): number =>
      process.getActiveResourcesInfo().length + readdirSync('/proc/self/fd').length;
    const openAndClose = async (): Promise<void> => {
      const log = store.connect();
      try {
        await log.open(never());
        await take(log, genesis, 0);
      } finally {
        await log.close();
      }
    };
    await openAndClose();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = countResources();
    for (let count = 0; count < openings; count += 1) await openAndClose();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(
      countResources() <= before + leftMax,
      `${countResources()} timers, sockets and files are open, ${before} before`,
    );
  });
}

function interruptionCases(test: Case, isPossible: boolean): void {
  const interruptionOf = async (store: ContractStore): Promise<() => Promise<void>> => {
    assert.ok(store.interrupt !== undefined);
    return await store.interrupt();
  };

  test(
    'brings every entry once to a tail that lived through it',
    async ({ open, store }) => {
      const [writer, reader] = [await open(), await open()];
      const before = draft('before');
      await writer.append(before, never());
      const tailing = take(reader, genesis, 3);
      const restore = await interruptionOf(store);
      const during = draft('during');
      const failure = await writer.append(during, AbortSignal.timeout(300)).then(
        () => assert.fail('acked by a store that is cut off'),
        (error: unknown) => error,
      );
      assert.ok(
        isWeftError(failure, 'store-unreachable') || isWeftError(failure, 'outcome-unknown'),
        String(failure),
      );
      await restore();
      await eventually(() => writer.append(during, AbortSignal.timeout(1000)));
      const later = draft('after');
      await eventually(() => writer.append(later, AbortSignal.timeout(1000)));
      assert.deepEqual(
        (await tailing).map(({ id }) => id),
        [before.id, during.id, later.id],
      );
      assert.equal((await takeAll(reader, genesis)).length, 3);
    },
    isPossible,
  );

  test(
    'is seen in the health, and its end too',
    async ({ open, store }) => {
      const log = await open();
      const restore = await interruptionOf(store);
      await rejectsWith(log.head(AbortSignal.timeout(300)), 'store-unreachable');
      await rejectsWith(log.resolve(draft(), AbortSignal.timeout(300)), 'store-unreachable');
      assert.equal(log.health.reachable, false);
      assert.ok((log.health.reason ?? '').length > 0);
      await restore();
      await eventually(() => log.head(AbortSignal.timeout(1000)));
      assert.deepEqual(log.health, { reachable: true });
    },
    isPossible,
  );

  test(
    'makes a tail wait that was asked for meanwhile',
    async ({ open, store }) => {
      const log = await open();
      const made = draft('kept');
      await log.append(made, never());
      const restore = await interruptionOf(store);
      const tailing = take(log, genesis, 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await restore();
      assert.equal((await tailing)[0]?.id, made.id);
    },
    isPossible,
  );

  test(
    'does not keep close from ending',
    async ({ open, store }) => {
      const log = await open();
      const restore = await interruptionOf(store);
      const append = log.append(draft(), never()).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await log.close();
      assert.ok(isWeftError(await append), 'the append has ended');
      await restore();
    },
    isPossible,
  );
}

function replacementCases(test: Case, isPossible: boolean): void {
  const boot = '1'.repeat(32) as BootId;
  const replace = async (store: ContractStore): Promise<void> => {
    assert.ok(store.replace !== undefined);
    await store.replace();
  };

  test(
    'is refused by a handle that followed another log, and nothing is written',
    async ({ open, connect, store }) => {
      const old = await open();
      await old.append(draft('old'), never());
      await replace(store);
      const fresh = connect();
      await fresh.open(never());
      await rejectsWith(old.append(draft('stray'), never()), 'log-mismatch');
      await rejectsWith(old.head(never()), 'log-mismatch');
      await rejectsWith(old.resolve(draft(), never()), 'log-mismatch');
      await rejectsWith(old.presence.put(boot, Buffer.from('beat'), never()), 'log-mismatch');
      await rejectsWith(old.presence.drop(boot, never()), 'log-mismatch');
      await rejectsWith(old.presence.list(never()), 'log-mismatch');
      assert.deepEqual(await fresh.presence.list(never()), []);
      assert.equal(await fresh.head(never()), genesis);
    },
    isPossible,
  );

  test(
    'ends a tail that followed another log',
    async ({ open, connect, store }) => {
      const old = await open();
      const head = await old.append(draft('old'), never());
      const waiting = take(old, head, 1);
      waiting.catch(() => undefined);
      await replace(store);
      const fresh = connect();
      await fresh.open(never());
      await fresh.append(draft('fresh'), never());
      await fresh.append(draft('fresh too'), never());
      await rejectsWith(waiting, 'log-mismatch', 'log-ahead');
    },
    isPossible,
  );
}

/** An ack means that it is there, a definite error that it is not; unknown may be either. */
async function assertHonest(
  log: EventLog,
  id: string,
  outcome: { readonly position: Position } | { readonly error: unknown },
  ...definite: Parameters<typeof isWeftError>[1][]
): Promise<void> {
  const found = (await takeAll(log, genesis)).find((entry) => entry.id === id);
  if ('position' in outcome) {
    assert.equal(found?.position, outcome.position);
    return;
  }
  if (isWeftError(outcome.error, 'outcome-unknown')) return;
  const codes = ['store-unreachable', ...definite] as const;
  assert.ok(
    codes.some((code) => isWeftError(outcome.error, code)),
    `unexpected: ${String(outcome.error)}`,
  );
  assert.equal(found, undefined, 'reported as not done, but in the log');
}

/** Tries until it works: for what comes back after an interruption. The test's own limit ends it. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWeftError(error, 'store-unreachable') && !isWeftError(error, 'outcome-unknown')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * A log as a state machine: what a caller can do with handles on one log, in any order, and what each answer must be by
 * a model that is a plain list. The list is fed by acknowledgements alone; what an unknown outcome came to is read from
 * the log once, and must never change after that.
 *
 * Words: a handle is one process's way to the log; an entry is settled when its place is known for good.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isWeftError, type WeftError } from '../../core/errors.ts';
import {
  type EntryDraft,
  type EventLog,
  genesis,
  type LogEntry,
  type Position,
} from '../../core/log/event-log.ts';
import type { EntryId } from '../../core/model/ids.ts';
import { never, take, takeAll } from '../support/log-drafts.ts';

/** The log under test with its handles, and the faults that it can be made to have. */
export interface LogBench {
  /** A new handle of a process of its own, not opened. */
  connect(): EventLog;
  /** What this log can suffer; each resolves when it is over. */
  readonly misfortunes: ReadonlyMap<string, (log: EventLog, pick: number) => Misfortune>;
  dispose(): Promise<void>;
}

/** What goes wrong during one append. */
export interface Misfortune {
  /** The handles that are of no use any more afterwards: all of them, this one, or none. */
  readonly loses: 'all' | 'this' | 'none';
  /** Ends the trouble; what was on its way has then arrived or never will. */
  end(): Promise<void> | void;
}

interface Placed {
  readonly draft: EntryDraft;
  position: Position;
}

/** What the log must hold: entries in their order. */
export class LogModel {
  readonly entries: Placed[] = [];
  drafts = 0;

  /** A draft that was never made before. */
  draft(size: number): EntryDraft {
    this.drafts += 1;
    const id = this.drafts.toString(16).padStart(32, 'e') as EntryId;
    return { id, base: this.entries.length, bytes: new Uint8Array(size).fill(1 + (this.drafts % 200)) };
  }
}

export class LogWorld {
  readonly bench: LogBench;
  readonly handles: EventLog[] = [];
  readonly #logIds = new Set<string>();
  readonly met: Set<string>;

  constructor(bench: LogBench, met: Set<string>) {
    this.bench = bench;
    this.met = met;
  }

  async connect(): Promise<void> {
    const log = this.bench.connect();
    this.#logIds.add(await log.open(never()));
    assert.equal(this.#logIds.size, 1, 'the log has one name, whoever opens it');
    this.handles.push(log);
  }

  /** Some handle, by number. */
  at(pick: number): EventLog {
    const log = this.handles[pick % this.handles.length];
    assert.ok(log !== undefined, 'there is always a handle');
    return log;
  }

  async replace(log: EventLog): Promise<void> {
    this.handles.splice(this.handles.indexOf(log), 1);
    await this.connect();
  }

  async closeAll(): Promise<void> {
    for (const log of this.handles) await log.close();
    await this.bench.dispose();
  }
}

type Command = fc.AsyncCommand<LogModel, LogWorld, true>;

/** A command that needs so many entries in the log. */
function command(
  name: string,
  entriesMin: number,
  run: (model: LogModel, world: LogWorld) => Promise<void>,
): Command {
  return {
    check: async (model) => model.entries.length >= entriesMin,
    run: async (model, world) => {
      world.met.add(name.replace(/ .*/, ''));
      await run(model, world);
    },
    toString: () => name,
  };
}

function pickOf<T>(items: readonly T[], pick: number): T {
  const item = items[pick % items.length];
  assert.ok(item !== undefined);
  return item;
}

const append = (pick: number, size: number): Command =>
  command(`append ${pick} ${size}`, 0, async (model, world) => {
    const draft = model.draft(size);
    const position = await world.at(pick).append(draft, never());
    assert.ok(model.entries.every((other) => other.position !== position));
    model.entries.push({ draft, position });
    assert.equal(
      await world.at(pick + 1).head(never()),
      position,
      'the head is not older than what was acked',
    );
  });

const repeat = (pick: number, of: number): Command =>
  command(`repeat ${pick} ${of}`, 1, async (model, world) => {
    const { draft, position } = pickOf(model.entries, of);
    assert.equal(await world.at(pick).append(draft, never()), position);
  });

const contradict = (pick: number, of: number): Command =>
  command(`contradict ${pick} ${of}`, 1, async (model, world) => {
    const { draft } = pickOf(model.entries, of);
    const other = { ...draft, bytes: Uint8Array.from([...draft.bytes, 7]) };
    await assert.rejects(world.at(pick).append(other, never()), (error) =>
      isWeftError(error, 'entry-conflict'),
    );
  });

const resolve = (pick: number, of: number): Command =>
  command(`resolve ${pick} ${of}`, 1, async (model, world) => {
    const { draft, position } = pickOf(model.entries, of);
    assert.equal(await world.at(pick).resolve(draft, never()), position);
    assert.equal(
      await world.at(pick).resolve(model.draft(0), never()),
      undefined,
      'an id that nobody has put',
    );
  });

const tail = (pick: number, after: number): Command =>
  command(`tail ${pick} ${after}`, 0, async (model, world) => {
    const skipped = after % (model.entries.length + 1);
    const from = model.entries[skipped - 1]?.position ?? genesis;
    assertSame(await takeAll(world.at(pick), from), model.entries.slice(skipped));
  });

/** Several handles append at once, two of them the same draft; the log says in which order. */
const crowd = (pick: number, size: number): Command =>
  command(`crowd ${pick} ${size}`, 0, async (model, world) => {
    const drafts = [model.draft(size), model.draft(size + 1), model.draft(0)];
    const [first] = drafts;
    assert.ok(first !== undefined);
    const sent = [...drafts, first];
    const positions = await Promise.all(
      sent.map((draft, index) => world.at(pick + index).append(draft, never())),
    );
    assert.equal(positions[0], positions.at(-1), 'one id has one place');
    const last = model.entries.at(-1)?.position ?? genesis;
    for (const entry of await take(world.at(pick), last, drafts.length)) {
      const draft = drafts.find(({ id }) => id === entry.id);
      assert.ok(draft !== undefined && entry.position === positions[sent.indexOf(draft)]);
      model.entries.push({ draft, position: entry.position });
    }
  });

/** A tail that was there before: it wakes for what comes. */
const follow = (pick: number, size: number): Command =>
  command(`follow ${pick} ${size}`, 0, async (model, world) => {
    const last = model.entries.at(-1)?.position ?? genesis;
    const drafts = [model.draft(size), model.draft(0)];
    const reading = take(world.at(pick), last, drafts.length);
    for (const draft of drafts) {
      model.entries.push({ draft, position: await world.at(pick + 1).append(draft, never()) });
    }
    assertSame(await reading, model.entries.slice(-drafts.length));
  });

const reopen = (pick: number): Command =>
  command(`reopen ${pick}`, 0, async (_model, world) => {
    const log = world.at(pick);
    await log.close();
    await assert.rejects(
      log.append({ id: 'f'.repeat(32) as EntryId, base: 0, bytes: new Uint8Array() }, never()),
      (error) => isWeftError(error, 'closed'),
    );
    await world.replace(log);
  });

const join = (): Command =>
  command('join', 0, async (_model, world) => {
    if (world.handles.length < 4) await world.connect();
  });

/** One append in the middle of which something goes wrong. What its author is told must be true. */
const suffer = (pick: number, size: number, which: number, how: number): Command =>
  command(`suffer ${pick} ${size} ${which} ${how}`, 0, async (model, world) => {
    const name = pickOf([...world.bench.misfortunes.keys()], which);
    const log = world.at(pick);
    const misfortune = world.bench.misfortunes.get(name)?.(log, how);
    assert.ok(misfortune !== undefined);
    const draft = model.draft(size);
    const told = await log.append(draft, never()).then(
      (position) => position,
      (error: WeftError) => error,
    );
    await misfortune.end();
    world.met.add(`${name}: ${typeof told === 'string' ? 'acked' : told.code}`);
    if (misfortune.loses === 'this') await world.replace(log);
    if (misfortune.loses === 'all') for (const each of [...world.handles]) await world.replace(each);
    const position = await world.at(pick).resolve(draft, never());
    if (typeof told === 'string') assert.equal(position, told, `${name}: what was acked is there`);
    // The dead are told nothing: what their promises say, nobody hears.
    else if (misfortune.loses !== 'none')
      world.met.add(`${name}: ${position === undefined ? 'lost' : 'kept'}`);
    else if (told.code === 'store-unreachable' || told.code === 'store-full')
      assert.equal(position, undefined, `${name}: what was refused is not there`);
    if (position !== undefined) model.entries.push({ draft, position });
  });

const number = fc.nat(1000);
const size = fc.constantFrom(0, 1, 90, 700);

/** Any sequence of them, misfortunes included. */
export const logCommands = fc.commands<LogModel, LogWorld, true>(
  [
    fc.tuple(number, size).map((drawn) => append(...drawn)),
    fc.tuple(number, size).map((drawn) => append(...drawn)),
    fc.tuple(number, number).map((drawn) => repeat(...drawn)),
    fc.tuple(number, number).map((drawn) => contradict(...drawn)),
    fc.tuple(number, number).map((drawn) => resolve(...drawn)),
    fc.tuple(number, number).map((drawn) => tail(...drawn)),
    fc.tuple(number, size).map((drawn) => crowd(...drawn)),
    fc.tuple(number, size).map((drawn) => follow(...drawn)),
    number.map(reopen),
    fc.constant(null).map(join),
    fc.tuple(number, size, number, number).map((drawn) => suffer(...drawn)),
    fc.tuple(number, size, number, number).map((drawn) => suffer(...drawn)),
  ],
  { maxCommands: 25, size: 'max' },
);

/** Plays the commands, then reads the whole log by every handle and by one that is new. */
export async function playLog(bench: LogBench, commands: Iterable<Command>, met: Set<string>): Promise<void> {
  const world = new LogWorld(bench, met);
  const model = new LogModel();
  try {
    await world.connect();
    await fc.asyncModelRun(() => ({ model, real: world }), commands);
    await world.connect();
    for (const log of world.handles) assertSame(await takeAll(log, genesis), model.entries);
  } finally {
    await world.closeAll();
  }
}

function assertSame(found: readonly LogEntry[], expected: readonly Placed[]): void {
  assert.deepEqual(
    found.map(({ id, position, bytes }) => `${id} ${position} ${Buffer.from(bytes).toString('hex')}`),
    expected.map(
      ({ draft, position }) => `${draft.id} ${position} ${Buffer.from(draft.bytes).toString('hex')}`,
    ),
  );
}

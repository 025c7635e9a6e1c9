/** Tails that run beside a test, and tries whose outcome is kept to be compared with the truth. */
import assert from 'node:assert/strict';
import { isWeftError } from '../../core/errors.ts';
import {
  type EntryDraft,
  type EventLog,
  genesis,
  type LogEntry,
  type Position,
} from '../../core/log/event-log.ts';
import { draft, never, takeAll } from './log-drafts.ts';

/** A tail that reads on while the test does other things. */
export class RunningTail {
  readonly entries: LogEntry[] = [];
  /** Settles when the tail ends: undefined, or the error it ended with. */
  readonly ended: Promise<unknown>;
  readonly #controller = new AbortController();
  #changed: () => void = () => {};

  constructor(log: EventLog, after: Position = genesis) {
    this.ended = this.#run(log, after).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  get ids(): string[] {
    return this.entries.map(({ id }) => id);
  }

  /** Resolves once so many have come; the test's own limit ends the wait. */
  async until(count: number): Promise<void> {
    while (this.entries.length < count) {
      const ended = await Promise.race([
        this.ended.then((error) => ({ error })),
        new Promise<undefined>((resolve) => {
          this.#changed = () => resolve(undefined);
        }),
      ]);
      if (ended !== undefined) throw new Error('The tail ended too early', { cause: ended.error });
    }
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.ended;
  }

  async #run(log: EventLog, after: Position): Promise<void> {
    for await (const entry of log.tail(after, this.#controller.signal)) {
      this.entries.push(entry);
      this.#changed();
    }
  }
}

/** What became of one try to append. */
export type Try =
  | { readonly type: 'acked'; readonly position: Position }
  | { readonly type: 'unknown' }
  /** The error says that nothing happened. */
  | { readonly type: 'refused'; readonly code: string };

export async function tryAppend(log: EventLog, draft: EntryDraft): Promise<Try> {
  try {
    return { type: 'acked', position: await log.append(draft, never()) };
  } catch (error) {
    if (!isWeftError(error)) throw error;
    return error.code === 'outcome-unknown' ? { type: 'unknown' } : { type: 'refused', code: error.code };
  }
}

/** Repeats what fails because the store cannot be reached. The test's own limit ends it. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isWeftError(error, 'store-unreachable') && !isWeftError(error, 'outcome-unknown')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Appends an entry that a store may be too busy to ack in time: it is one, however often it is tried under its id. */
export async function appendPatiently(log: EventLog, made: EntryDraft): Promise<Position> {
  return await eventually(() => log.append(made, never()));
}

/** Waits for a condition that nothing announces. The test's own limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return isWeftError(error) ? error.code : String(error);
  }
  return 'no error';
}

/** Waits until fifty more were acked. */
export async function untilMore(tries: ReadonlyMap<EntryDraft, Try>): Promise<void> {
  const enough = acked(tries).length + 50;
  await until(() => acked(tries).length >= enough);
}

export function acked(tries: ReadonlyMap<EntryDraft, Try>): Try[] {
  return [...tries.values()].filter(({ type }) => type === 'acked');
}

/** Tries one new entry after the other, `width` at a time, each once. */
export async function writeWhile(
  goOn: () => boolean,
  width: number,
  log: EventLog,
  tries: Map<EntryDraft, Try>,
): Promise<void> {
  const work = async (): Promise<void> => {
    while (goOn()) {
      const made = draft();
      const result = await tryAppend(log, made);
      tries.set(made, result);
      if (result.type !== 'acked') await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await Promise.all(Array.from({ length: width }, work));
}

/** A log as it was read, and what was answered after that of the entries whose outcome was unknown. */
interface Settled {
  readonly history: readonly LogEntry[];
  readonly truths: ReadonlyMap<EntryDraft, Position | undefined>;
}

/**
 * The log, read again until it holds all that is said to be in it: a store may carry something out long after its author
 * gave up, as a Consul server does that has held a request until there was a leader.
 */
async function settledHistory(log: EventLog, tries: ReadonlyMap<EntryDraft, Try>): Promise<Settled> {
  const unknown = [...tries].filter(([, { type }]) => type === 'unknown').map(([made]) => made);
  for (let reads = 1; ; reads += 1) {
    const history = await takeAll(log, genesis);
    const there = new Set<string>(history.map(({ id }) => id));
    const truths = new Map<EntryDraft, Position | undefined>();
    for (const made of unknown) truths.set(made, await log.resolve(made, never()));
    const isLate = unknown.some((made) => truths.get(made) !== undefined && !there.has(made.id));
    if (!isLate || reads === 5) return { history, truths };
  }
}

/**
 * Acked: there, once, at its position. Refused: not there. Unknown: as `resolve` says. The tail saw just that, and after it
 * perhaps what landed since.
 */
export async function assertTruth(
  log: EventLog,
  tries: ReadonlyMap<EntryDraft, Try>,
  tail: RunningTail,
): Promise<void> {
  const { history, truths } = await settledHistory(log, tries);
  const positions = new Map(history.map(({ id, position }) => [id as string, position]));
  assert.equal(positions.size, history.length, 'each once');
  for (const [made, result] of tries) {
    const found = positions.get(made.id);
    if (result.type === 'acked') assert.equal(found, result.position);
    if (result.type === 'refused') assert.equal(found, undefined, `refused with ${result.code}, but there`);
    if (result.type === 'unknown') assert.equal(truths.get(made), found);
  }
  await tail.until(history.length);
  assert.deepEqual(
    tail.ids.slice(0, history.length),
    history.map(({ id }) => id),
  );
  await tail.stop();
}

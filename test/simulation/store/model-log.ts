/**
 * One process's handle on the model store: the port `EventLog`, with a message for every request and one for every
 * answer, each of which takes its time and may be lost, late or repeated.
 *
 * A request that was sent may arrive whatever becomes of its sender, and after its sender has tried again.
 */
import { otherLog } from '../../../adapters/log-faults.ts';
import { MemoryPresence } from '../../../adapters/memory/presence.ts';
import { type Exchange, MemorySnapshots } from '../../../adapters/memory/snapshots.ts';
import { isWeftError, WeftError } from '../../../core/errors.ts';
import { type CancelScope, cancelScope } from '../../../core/lib/cancel-scope.ts';
import { entryBytesMax } from '../../../core/limits.ts';
import type {
  EntryDraft,
  EntryRef,
  EventLog,
  LogEntry,
  LogHealth,
  Position,
  WithoutLog,
} from '../../../core/log/event-log.ts';
import { noLogError } from '../../../core/log/event-log.ts';
import type { LogId } from '../../../core/model/ids.ts';
import type { CancelSignal } from '../../../core/ports/cancel.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { Violation } from '../monitors/violation.ts';
import type { Process } from '../world/process.ts';
import type { World } from '../world/world.ts';
import type { Link, Operation } from './link.ts';
import type { ModelStore } from './model-store.ts';
import { lateMsMax } from './wire.ts';

/** How long a silent connection is held to be alive. */
const silenceMsMin = 1_000;
const silenceMsMax = 8_000;
/** Where no wake-up comes, the reader looks for itself. */
const pollMsMax = 8_000;
/** Entries of one answer: few, so that readers are caught between two, and many in good times. */
const pageEntriesMax = 5;
const healthyPageEntries = 100;

export const modelUrl = 'memory:model';

export interface ModelLogParts {
  readonly world: World;
  readonly store: ModelStore;
  readonly link: Link;
  readonly process: Process;
  readonly clock: Clock;
}

export class ModelLog implements EventLog {
  readonly url = modelUrl;
  readonly snapshots: MemorySnapshots;
  readonly presence: MemoryPresence;
  readonly #world: World;
  readonly #store: ModelStore;
  readonly #link: Link;
  readonly #process: Process;
  readonly #clock: Clock;
  readonly #scope: CancelScope = cancelScope();
  #logId: LogId | undefined;
  #health: LogHealth = { reachable: true };

  constructor({ world, store, link, process, clock }: ModelLogParts) {
    this.#world = world;
    this.#store = store;
    this.#link = link;
    this.#process = process;
    this.#clock = clock;
    const exchange: Exchange = (operation, signal, perform) =>
      this.#exchange(operation === 'keep' ? 'write' : 'head', signal, perform);
    this.snapshots = new MemorySnapshots(store.snapshots, exchange);
    this.presence = new MemoryPresence(store.beats, exchange);
  }

  get health(): LogHealth {
    return this.#health;
  }

  async open(signal: CancelSignal, withoutLog: WithoutLog = 'begin'): Promise<LogId> {
    const proposed = this.#link.chance.hex(16) as LogId;
    this.#logId = await this.#exchange('open', signal, () => {
      if (withoutLog === 'refuse' && this.#store.logId === undefined) throw noLogError(this.url);
      const logId = this.#store.begin(proposed);
      if (this.#logId !== undefined) this.#store.requireIdentity(this.#logId);
      return logId;
    });
    return this.#logId;
  }

  async append(draft: EntryDraft, signal: CancelSignal): Promise<Position> {
    if (draft.bytes.length > entryBytesMax) throw new WeftError('too-large', 'The entry is over its bound');
    return await this.#exchange('append', signal, () => this.#store.put(draft));
  }

  async resolve(ref: EntryRef, signal: CancelSignal): Promise<Position | undefined> {
    return await this.#exchange('resolve', signal, () => this.#store.find(ref.id));
  }

  async head(signal: CancelSignal): Promise<Position> {
    return await this.#exchange('head', signal, () => this.#store.positionOf(this.#store.length));
  }

  async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    if (this.#scope.signal.aborted) throw closed();
    using either = cancelScope(this.#scope.signal);
    signal.addEventListener('abort', either.cancel, { once: true });
    if (signal.aborted) either.cancel();
    try {
      for (let at = after; !either.signal.aborted; ) {
        for (const entry of await this.#page(at, either.signal)) {
          if (either.signal.aborted) return;
          yield entry;
          at = entry.position;
        }
      }
    } finally {
      signal.removeEventListener('abort', either.cancel);
    }
  }

  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    await this.#exchange('write', signal, () => this.#store.trim(upTo));
  }

  async discard(logId: LogId, signal: CancelSignal): Promise<void> {
    await this.#exchange('open', signal, () => {
      const found = this.#store.logId;
      if (found !== undefined && found !== logId) throw otherLog(this.url, logId, found);
      if (found !== undefined) this.#store.wipe();
    });
  }

  async close(): Promise<void> {
    this.#scope.cancel();
  }

  /** What follows a position, as soon as there is something; nothing when cancelled. */
  async #page(after: Position, signal: CancelSignal): Promise<readonly LogEntry[]> {
    while (!signal.aborted) {
      using news = cancelScope(signal);
      const stop = this.#store.listen(() => this.#wake(news));
      try {
        const entries = await this.#exchange('read', signal, (isStale) => {
          const length = isStale ? this.#link.chance.below(this.#store.length + 1) : this.#store.length;
          return this.#store.read(after, length, this.#pageEntries());
        });
        if (entries.length > 0) return entries;
        await this.#clock.sleep(this.#pollMs(), news.signal);
      } catch (error) {
        if (!isWeftError(error, 'store-unreachable')) throw error;
        await this.#clock.sleep(this.#link.chance.between(10, 300), signal);
      } finally {
        stop();
      }
    }
    return [];
  }

  /** Wake-ups are hints: they may be lost, and come when there is nothing. */
  #wake(news: CancelScope): void {
    if (this.#link.stalled || this.#process.dead) return;
    this.#world.scheduler.after(this.#link.delayMs(), this.#process, news.cancel);
  }

  #pageEntries(): number {
    return this.#world.isFaulty ? 1 + this.#link.chance.below(pageEntriesMax) : healthyPageEntries;
  }

  #pollMs(): number {
    return this.#link.chance.between(pollMsMax / 4, pollMsMax);
  }

  /** One request and its answer. @param perform what the store does with it, whenever it arrives */
  #exchange<T>(operation: Operation, signal: CancelSignal, perform: (isStale: boolean) => T): Promise<T> {
    if (this.#scope.signal.aborted) return Promise.reject(closed());
    if (signal.aborted) return Promise.reject(notSent(operation));
    if (operation !== 'open' && this.#logId === undefined) {
      this.#world.fail(new Violation('I43', `${this.#process.name} uses its log before it has opened it`));
    }
    const fate = this.#link.fateOf(operation);
    if (fate !== undefined) this.#world.note(this.#process.name, `${operation}: ${fate}`);
    const { scheduler } = this.#world;
    return new Promise<T>((resolve, reject) => {
      const request = new PendingRequest([this.#scope.signal, signal], () => {
        this.#health = { reachable: false, reason: 'lost' };
        reject(lost(operation));
      });
      request.onEnd(this.#link.onReset(request.lose));
      const answer = (act: () => void): void => {
        scheduler.after(this.#link.delayMs(), this.#process, () => request.end(act));
      };
      const refuse = (error: WeftError): void => {
        this.#health = { reachable: false, reason: error.code };
        reject(error);
      };
      const breakAfter = (ms: number): void => {
        const task = scheduler.after(ms, this.#process, request.lose);
        request.onEnd(() => {
          task.cancelled = true;
        });
      };
      const deliver = (afterMs: number, conclude: (act: () => void) => void): void => {
        scheduler.after(afterMs, undefined, () => {
          if (this.#store.outage === 'silent') return;
          if (fate === 'delay' && this.#process.dead) {
            this.#world.met('late request of a dead process lands');
          }
          const outcome = this.#performed(operation, perform, fate === 'stale-read');
          conclude(() => {
            if ('error' in outcome) return refuse(outcome.error);
            this.#health = { reachable: true };
            resolve(outcome.value);
          });
        });
      };
      if (fate === 'refuse') return answer(() => refuse(unreachable()));
      if (fate === 'full') return answer(() => refuse(full()));
      // The store may fall silent while a request is under way; in the end the connection is given up.
      breakAfter(this.#link.chance.between(silenceMsMin, silenceMsMax));
      if (fate === undefined || fate === 'stale-read') return deliver(this.#link.delayMs(), answer);
      if (fate === 'lose-answer') return deliver(this.#link.delayMs(), () => undefined);
      if (fate === 'delay') return deliver(this.#link.chance.unit() * lateMsMax, () => undefined);
    });
  }

  #performed<T>(
    operation: Operation,
    perform: (isStale: boolean) => T,
    isStale: boolean,
  ): { readonly value: T } | { readonly error: WeftError } {
    if (this.#store.outage === 'refusing') return { error: unreachable() };
    try {
      if (operation !== 'open') this.#store.requireIdentity(this.#logId);
      return { value: perform(isStale) };
    } catch (error) {
      if (!isWeftError(error)) throw error;
      return { error };
    }
  }
}

/** A request under way: it ends once, by whichever comes first of an answer, a broken connection and a cancellation. */
class PendingRequest {
  readonly #signals: readonly CancelSignal[];
  readonly #onLost: () => void;
  readonly #cleanUps: (() => void)[] = [];
  #ended = false;

  constructor(signals: readonly CancelSignal[], onLost: () => void) {
    this.#signals = signals;
    this.#onLost = onLost;
    for (const signal of signals) signal.addEventListener('abort', this.lose, { once: true });
  }

  onEnd(cleanUp: () => void): void {
    this.#cleanUps.push(cleanUp);
  }

  end(act: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const signal of this.#signals) signal.removeEventListener('abort', this.lose);
    for (const cleanUp of this.#cleanUps) cleanUp();
    act();
  }

  /** No answer will come. */
  readonly lose = (): void => this.end(this.#onLost);
}

function closed(): WeftError {
  return new WeftError('closed', 'The log is closed: open another one');
}

function notSent(operation: Operation): WeftError {
  if (operation === 'open') return new WeftError('closed', 'Opening the log was cancelled');
  return unreachable();
}

/** The answer to a request that was sent and is not known to have arrived. */
function lost(operation: Operation): WeftError {
  if (operation !== 'append' && operation !== 'write') return unreachable();
  return new WeftError('outcome-unknown', 'The answer of the model store was lost');
}

function unreachable(): WeftError {
  return new WeftError('store-unreachable', 'The model store cannot be reached');
}

function full(): WeftError {
  return new WeftError('store-full', 'The model store has no space left');
}

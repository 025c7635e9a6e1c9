/**
 * This host's replica of the cluster's state: opens the log, follows it, folds it, and knows how far it is.
 */
import { type Observable, Subject } from 'rxjs';
import { isWeftError } from '../errors.ts';
import { emptyState, type State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { type EventLog, genesis, type Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Step } from './control.ts';
import { recentPositionsMax, reopenDelayMsMax, reopenDelayMsMin } from './defaults.ts';
import { type Cursor, type Fold, foldEntries } from './fold-entries.ts';

export interface ReplicaPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How lines are folded, where that is not to be done by `apply` itself: for many replicas in one process. */
  readonly fold?: Fold;
}

export class Replica {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #fold: Fold | undefined;
  readonly #steps = new Subject<Step>();
  readonly #entries = new Subject<Cursor>();
  /** Positions of the last entries applied, oldest first: to tell "applied already" from "still to come". */
  readonly #recent = new Set<Position>();
  #cursor: Cursor = { position: genesis, state: emptyState(), steps: [] };
  #logId: LogId | undefined;
  #caughtUpAtMs: number | undefined;

  constructor(ports: ReplicaPorts) {
    this.#log = ports.log;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#fold = ports.fold;
  }

  get state(): State {
    return this.#cursor.state;
  }

  get position(): Position {
    return this.#cursor.position;
  }

  get logId(): LogId | undefined {
    return this.#logId;
  }

  /** Monotonic instant at which the replica was last known to be at the end of the log. */
  get caughtUpAtMs(): number | undefined {
    return this.#caughtUpAtMs;
  }

  /** Entries as they are folded, before `steps$` tells of their records. For the data plane. */
  get entries$(): Observable<Cursor> {
    return this.#entries.asObservable();
  }

  /** Records as they are folded. Hot. */
  get steps$(): Observable<Step> {
    return this.#steps.asObservable();
  }

  /**
   * Opens the log, for as long as it takes. Says each new reason once.
   *
   * @throws WeftError what no waiting can mend: `log-damaged`, `permission-denied`, `bad-configuration`…; `closed` when
   *   `signal` aborts
   */
  async open(signal: CancelSignal): Promise<void> {
    let delayMs = reopenDelayMsMin;
    let said: string | undefined;
    for (;;) {
      try {
        this.#logId = await this.#log.open(signal);
        this.#logger.info('opened the log', { store: this.#log.url, logId: this.#logId });
        return;
      } catch (error) {
        if (signal.aborted || !isWorthWaiting(error)) throw error;
        if (said !== error.message)
          this.#logger.warn('cannot open the log yet', { store: this.#log.url, reason: error.message });
        said = error.message;
      }
      await this.#clock.sleep(delayMs * (0.5 + this.#random.unit()), signal);
      delayMs = Math.min(2 * delayMs, reopenDelayMsMax);
    }
  }

  /** Follows the log until `signal` aborts. Rejects with what `foldEntries` errors with; the state then stays as it is. */
  async follow(signal: CancelSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      foldEntries(this.#log, this.#cursor, signal, this.#fold).subscribe({
        next: (cursor) => this.#advance(cursor),
        error: reject,
        complete: resolve,
      });
    });
  }

  /**
   * Resolves once everything that was in the log at the time of the call is folded.
   *
   * @throws WeftError what `EventLog.head` throws; never resolves otherwise than by catching up or when `signal` aborts
   */
  async catchUp(signal: CancelSignal): Promise<void> {
    const head = await this.#log.head(signal);
    await this.#reach(head, signal);
    if (!signal.aborted) this.#caughtUpAtMs = this.#clock.monotonicMs();
  }

  /** Whether the replica is at the end of the log now. @throws WeftError what `EventLog.head` throws */
  async isCaughtUp(signal: CancelSignal): Promise<boolean> {
    const caughtUp = this.#hasApplied(await this.#log.head(signal));
    if (caughtUp) this.#caughtUpAtMs = this.#clock.monotonicMs();
    return caughtUp;
  }

  #hasApplied(position: Position): boolean {
    return position === genesis || position === this.#cursor.position || this.#recent.has(position);
  }

  async #reach(position: Position, signal: CancelSignal): Promise<void> {
    if (this.#hasApplied(position) || signal.aborted) return;
    using scope = cancelScope(signal);
    await new Promise<void>((resolve) => {
      const subscription = this.#entries.subscribe((cursor) => {
        if (cursor.position === position) scope.cancel();
      });
      scope.signal.addEventListener('abort', () => {
        subscription.unsubscribe();
        resolve();
      });
    });
  }

  #advance(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#recent.add(cursor.position);
    if (this.#recent.size > recentPositionsMax) {
      for (const oldest of this.#recent) {
        this.#recent.delete(oldest);
        break;
      }
    }
    this.#entries.next(cursor);
    for (const step of cursor.steps) this.#steps.next(step);
  }
}

/** Conditions that pass by themselves or by what an operator does to the store while we wait. */
function isWorthWaiting(error: unknown): error is Error {
  const codes = ['store-unreachable', 'store-auth', 'store-full', 'outcome-unknown', 'log-suspect'] as const;
  return codes.some((code) => isWeftError(error, code));
}

/**
 * This host's replica of the cluster's state: opens the log, begins from its newest snapshot, follows it, folds it, and
 * knows how far it is. Where the log was trimmed before it came by, it leaps to a snapshot again.
 */
import { type Observable, Subject } from 'rxjs';
import { isWeftError, WeftError } from '../errors.ts';
import { type NextLog, pastLogsMax } from '../fold/course.ts';
import { changesBetween } from '../fold/difference.ts';
import { initialState } from '../fold/predefined.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { type EventLog, genesis, type Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import { type LogMemory, VolatileLogMemory } from '../ports/log-memory.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { type Followed, findOwnStart, findStart } from '../succession/find-start.ts';
import type { Landing, Stand, Succession } from '../succession/succession.ts';
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
  readonly compression: Compression;
  /** Which log this host followed last; absent where nothing outlives the process. */
  readonly memory?: LogMemory;
  /** The way to the next log; without it the replica ends with its log. */
  readonly succession?: Succession;
}

/** What becomes of the log that a replica follows. */
export type LogNews =
  /** It cannot be followed, for a reason that only an operator can mend; told anew for every other reason. */
  | { readonly type: 'lost'; readonly reason: WeftError }
  /** It was sealed, and the next one cannot be followed yet. */
  | { readonly type: 'moving'; readonly reason: WeftError }
  /** The replica follows it again, or the one that succeeds it. */
  | { readonly type: 'found' };

export class Replica {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #fold: Fold | undefined;
  readonly #compression: Compression;
  readonly #memory: LogMemory;
  readonly #succession: Succession | undefined;
  readonly #news = new Subject<LogNews>();
  readonly #steps = new Subject<Step>();
  readonly #entries = new Subject<Cursor>();
  /**
   * Positions of the last entries applied, oldest first, with the hash of the state there: to tell "applied already" from
   * "still to come", and whether a snapshot of one of them is what this host would have written.
   */
  readonly #recent = new Map<Position, string>();
  #cursor: Cursor = { position: genesis, state: initialState(), isLeap: false, changes: [], steps: [] };
  #logId: LogId | undefined;
  #caughtUpAtMs: number | undefined;
  #newestSnapshot = 0;
  /** Leaps so far, and where the last one led. */
  #leaps = 0;
  #landing: Position | undefined;

  constructor(ports: ReplicaPorts) {
    this.#log = ports.log;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#logger = ports.logger;
    this.#fold = ports.fold;
    this.#compression = ports.compression;
    this.#memory = ports.memory ?? new VolatileLogMemory();
    this.#succession = ports.succession;
  }

  get state(): State {
    return this.#cursor.state;
  }

  get position(): Position {
    return this.#cursor.position;
  }

  /** Hash of the state after the entry at a position, where that is not too long ago. */
  stateHashAt(position: Position): string | undefined {
    return this.#recent.get(position);
  }

  get logId(): LogId | undefined {
    return this.#logId;
  }

  /** Ordinal of the newest snapshot of this log that was there when the replica last looked; 0 where there was none. */
  get newestSnapshot(): number {
    return this.#newestSnapshot;
  }

  /** How many entries were folded behind the one at a position, where that is not too long ago. */
  entriesSince(position: Position): number | undefined {
    if (!this.#recent.has(position)) return undefined;
    let count: number | undefined = 0;
    for (const each of this.#recent.keys()) {
      if (each === position) count = 0;
      // What a leap went over was never counted.
      else if (each === this.#landing || count === undefined) count = undefined;
      else count += 1;
    }
    return count;
  }

  /** Monotonic instant at which the replica was last known to be at the end of the log. */
  get caughtUpAtMs(): number | undefined {
    return this.#caughtUpAtMs;
  }

  /** Entries as they are folded, before `steps$` tells of their records. For the data plane. */
  get entries$(): Observable<Cursor> {
    return this.#entries.asObservable();
  }

  /** Hot; `found` comes before the first entry of the log that was found. */
  get news$(): Observable<LogNews> {
    return this.#news.asObservable();
  }

  /** Records as they are folded. Hot. */
  get steps$(): Observable<Step> {
    return this.#steps.asObservable();
  }

  /**
   * Opens the log and begins from its newest snapshot, for as long as it takes. Says each new reason once. Where this host
   * has followed another log before, it waits for that one or one that succeeds it.
   *
   * @throws WeftError what no waiting can mend: `log-damaged`, `permission-denied`, `bad-configuration`…; `closed` when
   *   `signal` aborts
   */
  async open(signal: CancelSignal): Promise<void> {
    const { last } = this.#memory;
    const followed = last === undefined ? undefined : { ...last, state: initialState() };
    try {
      await this.#patiently('cannot open the log yet', signal, async () => {
        const logId = await this.#log.open(signal, followed === undefined ? 'begin' : 'refuse');
        const isOther = followed !== undefined && followed.logId !== logId;
        const start = isOther
          ? await this.#startOf(logId, followed, signal)
          : await findOwnStart(this.#log, logId, this.#startPorts(), signal);
        await this.#land({ ...start, logId });
        this.#logger.info('opened the log', { store: this.#log.url, logId });
      });
    } catch (error) {
      if (followed === undefined || !isLoss(error) || signal.aborted) throw error;
      await this.#regain({ ...followed, position: genesis }, error, signal);
    }
  }

  /**
   * Follows the log, and those that succeed it, until `signal` aborts. Rejects with what `foldEntries` errors with; the
   * state then stays as it is. A log that was trimmed under it is followed on from a snapshot; one that is lost or sealed
   * is waited for until another one succeeds it; one that refuses this host is followed on from where it stands, once
   * somebody has put its credentials right.
   */
  async follow(signal: CancelSignal): Promise<void> {
    let refusedAt: number | undefined;
    let delayMs = reopenDelayMsMin;
    while (!signal.aborted) {
      try {
        await this.#followTail(signal);
        const { next } = this.state.course;
        if (next === undefined) return;
        if (this.#isSealed) await this.#moveOn(next, signal);
      } catch (error) {
        if (isWeftError(error, 'store-auth')) {
          // Where it was let in and refused again at the same place, somebody may ask and not read.
          delayMs =
            refusedAt === this.state.ordinal ? Math.min(2 * delayMs, reopenDelayMsMax) : reopenDelayMsMin;
          refusedAt = this.state.ordinal;
          await this.#untilLetIn(error, delayMs, signal);
        } else if (isWeftError(error, 'log-trimmed') || isWeftError(error, 'not-ready'))
          await this.#leapOrRegain(error, signal);
        else if ((isLoss(error) || isWeftError(error, 'log-damaged')) && this.#stand !== undefined)
          await this.#regain(this.#stand, error, signal);
        else throw error;
      }
    }
  }

  get #stand(): Stand | undefined {
    const { state, position } = this.#cursor;
    return this.#logId === undefined ? undefined : { logId: this.#logId, state, position };
  }

  async #untilLetIn(refusal: WeftError, delayMs: number, signal: CancelSignal): Promise<void> {
    this.#logger.warn('the store refuses this host', { store: this.#log.url, reason: refusal.message });
    await this.#clock.sleep(delayMs, signal);
    await this.#patiently('the store refuses this host still', signal, async () => {
      await this.#log.head(signal);
    });
  }

  async #followTail(signal: CancelSignal): Promise<void> {
    if (this.#isSealed) return;
    await new Promise<void>((resolve, reject) => {
      foldEntries(this.#log, this.#cursor, signal, this.#fold).subscribe({
        next: (cursor) => this.#advance(cursor),
        error: reject,
        complete: resolve,
      });
    });
  }

  /** A log that was trimmed may be a backup of the one that was followed, gone on by itself. */
  async #leapOrRegain(cause: WeftError, signal: CancelSignal): Promise<void> {
    try {
      await this.#leap(cause, signal);
    } catch (error) {
      if (!isLoss(error) || this.#stand === undefined || signal.aborted) throw error;
      await this.#regain(this.#stand, error, signal);
    }
  }

  /** Goes on from a snapshot of the same log. */
  async #leap(cause: WeftError, signal: CancelSignal): Promise<void> {
    const { ordinal } = this.state;
    this.#logger.warn('the log does not go on from where this host stands', {
      ordinal,
      reason: cause.message,
    });
    await this.#patiently('cannot read the snapshots yet', signal, async () => {
      const logId = this.#logId;
      if (logId === undefined) throw cause;
      // What was listed may be dropped, for something newer, before it is read: then the list is another one by now.
      for (let newest = -1; ; ) {
        const start = await this.#startOf(logId, ordinal === 0 ? undefined : this.#stand, signal);
        if (start.state.ordinal > ordinal) return await this.#land({ ...start, logId });
        if (signal.aborted) return;
        if (start.newestSnapshot <= newest) throw noWay(cause);
        newest = start.newestSnapshot;
      }
    });
  }

  /** The log is not in its store any more: waits for it, or for one that succeeds it. */
  async #regain(stand: Stand, reason: WeftError, signal: CancelSignal): Promise<void> {
    if (this.#succession === undefined) throw reason;
    const tell = (why: WeftError): void => this.#news.next({ type: 'lost', reason: why });
    tell(reason);
    await this.#goOn(await this.#succession.afterLoss(stand, reason, signal, tell));
  }

  async #moveOn(next: NextLog, signal: CancelSignal): Promise<void> {
    const stand = this.#stand;
    if (this.#succession === undefined || stand === undefined) throw movedError(next);
    this.#logger.info('the cluster moves to another log', { store: next.url, logId: next.logId });
    const tell = (reason: WeftError): void => this.#news.next({ type: 'moving', reason });
    tell(movedError(next));
    await this.#goOn(await this.#succession.afterSeal(next, stand, signal, tell));
  }

  async #goOn(landing: Landing | undefined): Promise<void> {
    if (landing === undefined) return;
    await this.#land(landing);
    this.#logger.info('goes on in another log', { store: this.#log.url, logId: landing.logId });
    this.#news.next({ type: 'found' });
  }

  #startOf(logId: LogId, followed: Followed | undefined, signal: CancelSignal) {
    return findStart(this.#log, logId, followed, this.#startPorts(), signal);
  }

  #startPorts() {
    const skip = (reason: string): void => this.#logger.error('a snapshot cannot be used', { reason });
    return { clock: this.#clock, compression: this.#compression, skip };
  }

  /** Takes over where a log is to be followed from. */
  async #land({ logId, position, state, newestSnapshot }: Landing): Promise<void> {
    if (logId !== this.#logId) {
      this.#recent.clear();
      await this.#memory.remember({ logId, url: this.#log.url, past: this.#pastOf(logId, state) });
    }
    this.#logId = logId;
    this.#newestSnapshot = newestSnapshot;
    const before = this.state;
    if (state !== before && state.ordinal > 0)
      this.#logger.info('began from a snapshot', { ordinal: state.ordinal, from: before.ordinal });
    const changes = state === before ? [] : changesBetween(before, state);
    this.#advance({ position, state, isLeap: true, changes, steps: [] });
  }

  /** The logs before one: those that led to a state, and those that this host has followed itself. */
  #pastOf(logId: LogId, { course }: State): readonly LogId[] {
    const { last } = this.#memory;
    const own = last === undefined ? [] : [...last.past, last.logId];
    const past = new Set([...own, ...course.past.map((each) => each.logId)]);
    past.delete(logId);
    return [...past].slice(-pastLogsMax);
  }

  /** Again and again while it fails for what passes by itself. Says each new reason once. */
  async #patiently(what: string, signal: CancelSignal, attempt: () => Promise<void>): Promise<void> {
    let delayMs = reopenDelayMsMin;
    let said: string | undefined;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (signal.aborted || !isWorthWaiting(error)) throw error;
        if (said !== error.message) this.#logger.warn(what, { store: this.#log.url, reason: error.message });
        said = error.message;
      }
      await this.#clock.sleep(delayMs * (0.5 + this.#random.unit()), signal);
      delayMs = Math.min(2 * delayMs, reopenDelayMsMax);
    }
  }

  /**
   * Resolves once everything that was in the log at the time of the call is folded. The end of a log that was sealed is in
   * the one to which it leads.
   *
   * @throws WeftError what `EventLog.head` throws; never resolves otherwise than by catching up or when `signal` aborts
   */
  async catchUp(signal: CancelSignal): Promise<void> {
    // A leap may pass over the entry that was waited for: then it is to be seen anew where the end is.
    for (let leaps = -1; leaps !== this.#leaps && !signal.aborted; ) {
      leaps = this.#leaps;
      const head = await this.#log.head(signal);
      const hasLeapt = (): boolean => this.#leaps !== leaps;
      await this.#until(() => this.#hasApplied(head) || hasLeapt(), signal);
      await this.#until(() => !this.#isSealed || hasLeapt(), signal);
    }
    if (!signal.aborted) this.#caughtUpAtMs = this.#clock.monotonicMs();
  }

  /** Whether the replica is at the end of the log now. @throws WeftError what `EventLog.head` throws */
  async isCaughtUp(signal: CancelSignal): Promise<boolean> {
    const caughtUp = this.#hasApplied(await this.#log.head(signal)) && !this.#isSealed;
    if (caughtUp) this.#caughtUpAtMs = this.#clock.monotonicMs();
    return caughtUp;
  }

  #hasApplied(position: Position): boolean {
    return position === genesis || position === this.#cursor.position || this.#recent.has(position);
  }

  /**
   * Whether the cluster has left the log for another one, which this host has not reached yet. What a log begins with may
   * have the seal of the one before, whose own next one was lost; and whoever seals a log with its own name leads nowhere.
   */
  get #isSealed(): boolean {
    const { state, position } = this.#cursor;
    const { next } = state.course;
    return next !== undefined && next.logId !== this.#logId && position !== genesis;
  }

  /** Waits for what comes of folding and of leaps. */
  async #until(isSo: () => boolean, signal: CancelSignal): Promise<void> {
    if (isSo() || signal.aborted) return;
    using scope = cancelScope(signal);
    await new Promise<void>((resolve) => {
      const subscription = this.#entries.subscribe(() => {
        if (isSo()) scope.cancel();
      });
      scope.signal.addEventListener('abort', () => {
        subscription.unsubscribe();
        resolve();
      });
    });
  }

  #advance(cursor: Cursor): void {
    this.#cursor = cursor;
    if (cursor.isLeap) {
      this.#leaps += 1;
      this.#landing = cursor.position;
    }
    this.#recent.set(cursor.position, cursor.state.stateHash);
    if (this.#recent.size > recentPositionsMax) {
      for (const oldest of this.#recent.keys()) {
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
  const codes = [
    'store-unreachable',
    'store-auth',
    'store-full',
    'outcome-unknown',
    'log-suspect',
    'not-ready',
  ] as const;
  return codes.some((code) => isWeftError(error, code));
}

/** The store has another log than the one that was followed, or none, or not all of it. */
function isLoss(error: unknown): error is WeftError {
  const codes = ['log-mismatch', 'log-ahead', 'no-log', 'host-ahead'] as const;
  return codes.some((code) => isWeftError(error, code));
}

function movedError({ url }: NextLog): WeftError {
  return new WeftError('log-moved', `The log was sealed: the cluster goes on at ${url}`);
}

function noWay(cause: WeftError): WeftError {
  return new WeftError(
    'log-trimmed',
    'The log was trimmed further than this host has followed it, and no snapshot that can be used lies ahead: ' +
      'make one on a host that is up to date',
    { cause },
  );
}

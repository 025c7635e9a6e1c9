/**
 * This host's replica of the cluster's state: opens the log, begins from its newest snapshot, follows it, folds it, and
 * knows how far it is. Where the log was trimmed before it came by, it leaps to a snapshot again.
 */
import { type Observable, Subject } from 'rxjs';
import { isWeftError, WeftError } from '../errors.ts';
import { changesBetween } from '../fold/difference.ts';
import { initialState } from '../fold/predefined.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { type EventLog, genesis, type Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { downloadSnapshot, listSnapshots } from '../snapshot/download.ts';
import type { Manifest } from '../snapshot/manifest.ts';
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
}

export class Replica {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #fold: Fold | undefined;
  readonly #compression: Compression;
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

  /** Records as they are folded. Hot. */
  get steps$(): Observable<Step> {
    return this.#steps.asObservable();
  }

  /**
   * Opens the log and begins from its newest snapshot, for as long as it takes. Says each new reason once.
   *
   * @throws WeftError what no waiting can mend: `log-damaged`, `permission-denied`, `bad-configuration`…; `closed` when
   *   `signal` aborts
   */
  async open(signal: CancelSignal): Promise<void> {
    await this.#patiently('cannot open the log yet', signal, async () => {
      this.#logId = await this.#log.open(signal);
      this.#logger.info('opened the log', { store: this.#log.url, logId: this.#logId });
    });
    await this.#patiently('cannot read the snapshots yet', signal, () => this.#leap(signal));
  }

  /**
   * Follows the log until `signal` aborts. Rejects with what `foldEntries` errors with; the state then stays as it is.
   * Only a log that was trimmed under it is followed on, from a snapshot.
   */
  async follow(signal: CancelSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        return await this.#followTail(signal);
      } catch (error) {
        if (!isWeftError(error, 'log-trimmed')) throw error;
        this.#logger.warn('the log was trimmed before this host came by', { ordinal: this.state.ordinal });
        const { ordinal } = this.state;
        await this.#patiently('cannot read the snapshots yet', signal, () => this.#leap(signal));
        if (!signal.aborted && this.state.ordinal === ordinal) throw noWay(error);
      }
    }
  }

  async #followTail(signal: CancelSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      foldEntries(this.#log, this.#cursor, signal, this.#fold).subscribe({
        next: (cursor) => this.#advance(cursor),
        error: reject,
        complete: resolve,
      });
    });
  }

  /** Takes over the newest snapshot that lies ahead and can be used. Where there is none, the log itself has to do. */
  async #leap(signal: CancelSignal): Promise<void> {
    const { snapshots } = this.#log;
    const skip = (reason: string): void => this.#logger.error('a snapshot cannot be used', { reason });
    for (const manifest of await listSnapshots(snapshots, skip, signal)) {
      if (manifest.logId === this.#logId)
        this.#newestSnapshot = Math.max(this.#newestSnapshot, manifest.ordinal);
      if (manifest.ordinal <= this.state.ordinal) return;
      if (manifest.logId !== this.#logId) {
        skip(`snapshot ${manifest.id} is of log ${manifest.logId}`);
        continue;
      }
      const state = await this.#download(manifest, skip, signal);
      if (state === undefined) continue;
      const { ordinal, host } = manifest;
      this.#logger.info('began from a snapshot', { ordinal, from: this.state.ordinal, by: host });
      const changes = changesBetween(this.state, state);
      this.#advance({ position: manifest.position, state, isLeap: true, changes, steps: [] });
      return;
    }
  }

  async #download(
    manifest: Manifest,
    skip: (reason: string) => void,
    signal: CancelSignal,
  ): Promise<State | undefined> {
    const parts = { snapshots: this.#log.snapshots, compression: this.#compression };
    try {
      return await downloadSnapshot(manifest, parts, signal);
    } catch (error) {
      if (!isWeftError(error, 'bad-snapshot') && !isWeftError(error, 'unknown-version')) throw error;
      skip(error.message);
      return undefined;
    }
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
   * Resolves once everything that was in the log at the time of the call is folded.
   *
   * @throws WeftError what `EventLog.head` throws; never resolves otherwise than by catching up or when `signal` aborts
   */
  async catchUp(signal: CancelSignal): Promise<void> {
    // A leap may pass over the entry that was waited for: then it is to be seen anew where the end is.
    for (let leaps = -1; leaps !== this.#leaps && !signal.aborted; ) {
      leaps = this.#leaps;
      await this.#reach(await this.#log.head(signal), leaps, signal);
    }
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

  /** Waits until the entry at a position is folded, or a leap makes it unknown whether it is: it may have led past it. */
  async #reach(position: Position, leaps: number, signal: CancelSignal): Promise<void> {
    if (this.#hasApplied(position) || this.#leaps !== leaps || signal.aborted) return;
    using scope = cancelScope(signal);
    await new Promise<void>((resolve) => {
      const subscription = this.#entries.subscribe((cursor) => {
        if (cursor.position === position || this.#leaps !== leaps) scope.cancel();
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
  const codes = ['store-unreachable', 'store-auth', 'store-full', 'outcome-unknown', 'log-suspect'] as const;
  return codes.some((code) => isWeftError(error, code));
}

function noWay(cause: WeftError): WeftError {
  return new WeftError(
    'log-trimmed',
    'The log was trimmed further than this host has followed it, and no snapshot that can be used lies ahead: ' +
      'make one on a host that is up to date',
    { cause },
  );
}

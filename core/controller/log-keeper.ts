/**
 * Keeps the log short: makes a snapshot when it is this host's turn, and trims what two snapshots have made superfluous.
 *
 * Nothing depends on its success: a snapshot that fails is given up and made later, by this host or another, and the log
 * is only longer meanwhile. Nothing is trimmed that is not behind a whole snapshot of this very log with one more behind
 * it, and none of which this host knows that its state was another one; and nothing that this host has not archived.
 */
import { isWeftError, WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import { Wake } from '../lib/wake.ts';
import { backoffMs } from '../log/backoff.ts';
import { type EventLog, genesis, type Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { snapshotsKept } from '../snapshot/defaults.ts';
import { downloadSnapshot, listSnapshots } from '../snapshot/download.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { dueAt } from '../snapshot/turn.ts';
import { ordinalOf, type UploadPorts, uploadSnapshot } from '../snapshot/upload.ts';
import { keeperAttemptsMax, keeperDelayMs, keeperPauses } from './defaults.ts';

/** Where the fold stands. */
export interface Standing {
  readonly state: State;
  readonly position: Position;
  readonly logId: LogId;
  /** Hash of the state after the entry at a position; undefined where it is not known any more. */
  stateHashAt(position: Position): string | undefined;
  /** Writes to this host's archive what waits for it. False where what was folded up to an ordinal is not in it then. */
  archived(ordinal: number): Promise<boolean>;
}

export interface KeeperPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly compression: Compression;
}

export interface KeeperOptions {
  readonly host: string;
  /** Records between two snapshots at least; `snapshotOrdinalsMin` where absent. The same on every host. */
  readonly snapshotOrdinals?: number;
}

export class LogKeeper {
  readonly #ports: KeeperPorts;
  readonly #options: KeeperOptions;
  readonly #standing: () => Standing | undefined;
  readonly #wake = new Wake();
  /** Ordinal of the newest snapshot that this host has heard of. */
  #newest = 0;
  /** What is made now, and what waits for it: a host makes one snapshot at a time. */
  #making: Promise<unknown> = Promise.resolve();
  #made: Manifest | undefined;

  /** @param standing undefined while this host has no part in keeping the log */
  constructor(ports: KeeperPorts, options: KeeperOptions, standing: () => Standing | undefined) {
    this.#ports = ports;
    this.#options = options;
    this.#standing = standing;
  }

  /** Ordinal of the newest snapshot of the log that this host has heard of; 0 where it has heard of none. */
  get newest(): number {
    return this.#newest;
  }

  /** A snapshot of the log was seen. */
  heardOf(ordinal: number): void {
    this.#newest = Math.max(this.#newest, ordinal);
  }

  /** The fold went on. */
  notice(): void {
    if (this.#isDue()) this.#wake.notify();
  }

  /** Lives until `signal` aborts. */
  async run(signal: CancelSignal): Promise<void> {
    const { clock, logger } = this.#ports;
    while (!signal.aborted) {
      if (!this.#isDue()) await this.#wake.wait(clock, keeperDelayMs, signal);
      if (signal.aborted || !this.#isDue()) continue;
      try {
        const standing = this.#standing();
        if (standing !== undefined) await this.#look(standing, signal);
        await this.#inTurn(async () => {
          if (this.#isDue()) await this.#make(keeperAttemptsMax, signal);
        });
      } catch (error) {
        if (!isWeftError(error)) throw error;
        logger.warn('no snapshot was made', { reason: error.message });
        await clock.sleep(keeperDelayMs, signal);
      }
    }
  }

  /**
   * Makes a snapshot of where the fold stands, reads it back, and tidies up. Waits for one that this host makes already;
   * where that turns out to stand at the same record, it is the answer, because a second would only take room.
   *
   * @param attemptsMax at one write
   * @throws WeftError what the store fails with in the end; `bad-snapshot` where it gives back something else;
   *   `not-ready` while this host has no part in keeping the log, or there is nothing to write down
   */
  async make(signal: CancelSignal, attemptsMax: number = keeperAttemptsMax): Promise<Manifest> {
    const before = this.#made;
    return await this.#inTurn(async () => {
      const made = this.#made;
      const isNew = made !== undefined && made !== before;
      return isNew && made.ordinal === this.#standing()?.state.ordinal
        ? made
        : await this.#make(attemptsMax, signal);
    });
  }

  async #inTurn<T>(make: () => Promise<T>): Promise<T> {
    const turn = this.#making.then(make, make);
    this.#making = turn;
    return await turn;
  }

  async #make(attemptsMax: number, signal: CancelSignal): Promise<Manifest> {
    const { log, clock, compression, logger } = this.#ports;
    const standing = this.#standing();
    if (standing === undefined || standing.state.ordinal === 0) throw notReady();
    const source = { ...standing, host: this.#options.host, at: Math.trunc(clock.wallMs()) };
    const { snapshots } = log;
    const persist = (write: () => Promise<void>): Promise<void> => this.#persist(write, attemptsMax, signal);
    const manifest = await uploadSnapshot(source, { ...this.#ports, snapshots, persist }, signal);
    const state = await downloadSnapshot(manifest, { snapshots, compression }, signal);
    const { ordinal, chunks, bytes, id } = manifest;
    this.heardOf(state.ordinal);
    this.#made = manifest;
    logger.info('made a snapshot', { ordinal, chunks, bytes, id });
    await this.#tidy(standing, persist, signal);
    return manifest;
  }

  #isDue(): boolean {
    const state = this.#standing()?.state;
    return state !== undefined && state.ordinal >= this.#dueAt(state);
  }

  #dueAt(state: State): number {
    const { host, snapshotOrdinals } = this.#options;
    return dueAt(state, this.#newest, host, snapshotOrdinals);
  }

  /** Somebody else may have made one. */
  async #look({ logId, state }: Standing, signal: CancelSignal): Promise<readonly Manifest[]> {
    const { logger } = this.#ports;
    const onUnreadable = (reason: string): void => logger.warn('a snapshot cannot be read', { reason });
    const all = await listSnapshots(this.#ports.log.snapshots, onUnreadable, signal);
    const ours = all.filter((manifest) => manifest.logId === logId && !isStray(manifest, state));
    this.heardOf(ours[0]?.ordinal ?? 0);
    return ours;
  }

  /** Trims the log behind the oldest snapshot that is kept, and drops those before it, also the unfinished. */
  async #tidy(standing: Standing, persist: UploadPorts['persist'], signal: CancelSignal): Promise<void> {
    const { log, logger } = this.#ports;
    const whole = await this.#look(standing, signal);
    const oldest = whole[snapshotsKept - 1];
    if (oldest === undefined) return;
    for (const manifest of whole.slice(0, snapshotsKept)) requireSameState(standing, manifest);
    // What this host has not folded it cannot have archived: those who made the newer ones tidy up.
    if (oldest.position === genesis || oldest.ordinal > standing.state.ordinal) return;
    if (await standing.archived(oldest.ordinal)) await persist(() => log.trim(oldest.position, signal));
    else logger.warn('the log is not trimmed before it is archived', { ordinal: oldest.ordinal });
    const kept = new Set(whole.slice(0, snapshotsKept).map(({ id }) => id));
    for (const { id } of await log.snapshots.list(signal)) {
      if (kept.has(id) || ordinalOf(id) >= oldest.ordinal) continue;
      await persist(() => log.snapshots.drop(id, signal));
    }
  }

  /** Until it is done, or has failed too often. Every write of a snapshot may be repeated. */
  async #persist(write: () => Promise<void>, attemptsMax: number, signal: CancelSignal): Promise<void> {
    const { clock, random } = this.#ports;
    for (let failures = 1; ; failures += 1) {
      try {
        return await write();
      } catch (error) {
        const isPassing = isWeftError(error, 'store-unreachable') || isWeftError(error, 'outcome-unknown');
        if (!isPassing || signal.aborted || failures >= attemptsMax) throw error;
      }
      await clock.sleep(backoffMs(failures, keeperPauses, random), signal);
    }
  }
}

/** Left over by a host that wanted to begin the log from another state, and was not the first. */
function isStray({ position, ordinal, recordHash }: Manifest, { course }: State): boolean {
  const end = course.past.at(-1);
  return position === genesis && (end?.ordinal !== ordinal || end.recordHash !== recordHash);
}

/** Nothing is trimmed on the word of a snapshot that this host knows to be wrong. */
function requireSameState(
  { stateHashAt }: Standing,
  { id, host, position, ordinal, stateHash }: Manifest,
): void {
  const own = stateHashAt(position);
  if (own === undefined || own === stateHash) return;
  throw new WeftError(
    'bad-snapshot',
    `Cannot trim the log: snapshot ${id} of host '${host}' has another state at ${ordinal} than this host: ` +
      'one of the two has a defect; keep the log and report it with `weft bundle`',
  );
}

function notReady(): WeftError {
  return new WeftError(
    'not-ready',
    'Cannot make a snapshot: this host does not follow the log now, or the log is empty; see `weft status`',
  );
}

/**
 * What a simulated cluster needs of its store, whatever its style: servers that keep entries, and handles on them. A style
 * models what an adapter over such a store can see and must overcome; its traps are drawn by the plan.
 *
 * Vocabulary: a *style* is a kind of store; a *trap* is a habit of it that has cost somebody entries; a *handle* is what
 * one process has; the *operator* is whoever wipes the store or restores a backup.
 */
import type { EventLog } from '../../../core/log/event-log.ts';
import type { EntryId } from '../../../core/model/ids.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Logger } from '../../../core/ports/logger.ts';
import type { Random } from '../../../core/ports/random.ts';
import type { Process } from '../world/process.ts';
import type { Link } from './link.ts';

/** Refused at once, or no answer at all. */
export type Outage = 'refusing' | 'silent';

/** One process's side of its connection to the store. */
export interface Handle {
  readonly link: Link;
  readonly process: Process;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a store may do to the machines around it. */
export interface Surroundings {
  /** All daemons die at once; `after` happens to what they leave, and then they start again. */
  failPower(after: () => void): void;
  /** A daemon dies at once, and starts again later. False where that process is no living daemon of a host. */
  kill(process: Process): boolean;
}

export interface StoreModel {
  /** As its handles show it; no other style has the same. */
  readonly url: string;
  /** Present while nobody can reach it. */
  outage: Outage | undefined;
  /** Entries of the log. */
  readonly length: number;
  connect(handle: Handle): EventLog;
  /** Somebody writes an entry of any kind past all that checks it. False where there is no log yet, or no such way. */
  scribble(id: EntryId, bytes: Uint8Array): boolean;
  /** Traps begin to go off. */
  begin(surroundings: Surroundings): void;
  /** No trap goes off any more, and what one did is mended. */
  heal(): void;
  /** Someone wipes it; the next to come begins another log. */
  wipe(): void;
  /** Someone restores a backup: the same log with its first `length` entries, at least one. */
  restore(length: number): void;
}

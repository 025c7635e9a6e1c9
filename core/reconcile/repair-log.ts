/** Repairs of drift: counted, logged with what differed, kept for `weft doctor`, and told to those who listen. */
import { type Observable, Subject } from 'rxjs';
import type { Repair } from '../controller/control.ts';
import { toText } from '../dataplane/text.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** A repair before it is made. */
export type Finding = Omit<Repair, 'at' | 'text'>;

export class RepairLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #burstMs: number;
  readonly #keptMax: number;
  readonly #loggedMax: number;
  readonly #repairs = new Subject<Repair>();
  #kept: Repair[] = [];
  #count = 0;
  /** Repairs since the burst began, of which there may be one per endpoint of a large network. */
  #burst = 0;
  #burstBeganMs = 0;

  constructor(
    ports: { readonly clock: Clock; readonly logger: Logger },
    options: { readonly repairsMax: number; readonly repairsLoggedMax: number; readonly burstMs: number },
  ) {
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#burstMs = options.burstMs;
    this.#keptMax = options.repairsMax;
    this.#loggedMax = options.repairsLoggedMax;
  }

  /** Repairs since the beginning. */
  get count(): number {
    return this.#count;
  }

  /** Hot. */
  get repairs$(): Observable<Repair> {
    return this.#repairs.asObservable();
  }

  /** The last ones, newest last. */
  list(): readonly Repair[] {
    return this.#kept.slice(-this.#keptMax);
  }

  record(finding: Finding): void {
    this.sumUp();
    if (this.#burst === 0) this.#burstBeganMs = this.#clock.monotonicMs();
    const repair = { at: this.#clock.wallMs(), ...finding, text: toText(finding.object) };
    this.#count += 1;
    this.#burst += 1;
    this.#kept.push(repair);
    // Cut in halves, so that a burst does not copy the list once per repair.
    if (this.#kept.length >= 2 * this.#keptMax) this.#kept = this.#kept.slice(-this.#keptMax);
    if (this.#burst <= this.#loggedMax) this.#logger.warn('repaired drift', valuesOf(repair));
    this.#repairs.next(repair);
  }

  /** Ends a burst that has lasted long enough, with the number of what was not logged one by one. */
  sumUp(): void {
    if (this.#burst === 0 || this.#clock.monotonicMs() - this.#burstBeganMs < this.#burstMs) return;
    const more = this.#burst - this.#loggedMax;
    if (more > 0) this.#logger.warn('repaired more drift', { repairs: more });
    this.#burst = 0;
  }

  close(): void {
    this.#repairs.complete();
  }
}

function valuesOf({ found, noticed, text, actual }: Repair): Readonly<Record<string, string>> {
  return { found, noticed, object: text, ...(actual === undefined ? {} : { actual: toText(actual) }) };
}

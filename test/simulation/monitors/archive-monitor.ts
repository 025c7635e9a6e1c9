/** One process and its host's archive: what it trims it has archived, and what is archived is what the log had. */
import { markOf } from '../../../core/archive/archived-record.ts';
import type { Step } from '../../../core/controller/control.ts';
import type { Position } from '../../../core/log/event-log.ts';
import type { MemoryArchive } from '../../support/memory-archive.ts';
import type { World } from '../world/world.ts';
import type { Truth } from './truth.ts';
import { Violation } from './violation.ts';

export class ArchiveMonitor {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #archive: MemoryArchive;
  readonly #who: string;
  /** Last ordinal of each entry that the process has folded. */
  readonly #ends = new Map<Position, number>();
  readonly #folded: number[] = [];

  constructor(world: World, truth: Truth, archive: MemoryArchive, who: string) {
    this.#world = world;
    this.#truth = truth;
    this.#archive = archive;
    this.#who = who;
  }

  take({ position, outcome }: Step): void {
    this.#ends.set(position, outcome.ordinal);
    this.#folded.push(outcome.ordinal);
  }

  /** It is about to trim. Returns the last ordinal that goes; undefined where the process has leapt over it. */
  trims(upTo: Position): number | undefined {
    const marks = new Map(this.#archive.lines.map(({ ordinal, mark }) => [ordinal, mark]));
    for (const [ordinal, mark] of marks) {
      const truth = this.#truth.steps[ordinal - 1];
      if (truth === undefined || markOf(truth.state.recordHash) !== mark)
        this.#fail(`has archived something else than record ${ordinal}`);
    }
    const end = this.#ends.get(upTo) ?? 0;
    const missing = this.#folded.find((ordinal) => ordinal <= end && !marks.has(ordinal));
    if (missing !== undefined) this.#fail(`trims up to ${end} and has not archived ${missing}`);
    this.#world.checked('I45');
    return this.#ends.get(upTo);
  }

  #fail(seen: string): void {
    this.#world.fail(new Violation('I45', `${this.#who} ${seen}`));
  }
}

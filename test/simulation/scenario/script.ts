/**
 * What is to be done to a life from outside, and what was: the interventions of a scenario, which come as they are
 * written, and all that happened, drawn or written, in its order. A life that is given what happened in another is the
 * same life, step by step.
 */
import {
  type Doing,
  type Fate,
  type FateOf,
  type Intervention,
  type InterventionOf,
  isFate,
} from './intervention.ts';

/** A fate that waits for its message. */
interface Armed {
  readonly intervention: InterventionOf<Fate>;
  /** Messages of its kind that it lets by. */
  spared: number;
}

/** Messages of one kind in the present millisecond that met no fate. */
interface Unharmed {
  atMs: number;
  count: number;
}

export class Script {
  /** What has happened so far; what was written and came to nothing is not among it. */
  readonly happened: Intervention[] = [];
  /** What comes at its moment, in order. */
  readonly timed: readonly Intervention[];
  readonly #armed = new Map<string, Armed[]>();
  readonly #unharmed = new Map<string, Unharmed>();

  constructor(written: readonly Intervention[] = []) {
    this.timed = written.filter((intervention) => !isFate(intervention));
    for (const intervention of written.filter(isFate)) {
      const kind = kindOf(intervention.who, intervention.doing.verb);
      const armed = { intervention, spared: intervention.doing.after ?? 0 };
      this.#armed.set(kind, [...(this.#armed.get(kind) ?? []), armed]);
    }
  }

  record(nowMs: number, who: string, doing: Doing): void {
    this.happened.push({ atMs: Math.floor(nowMs), who, doing });
  }

  /** What becomes of a message: what is written for it, else what is drawn. */
  fateOf<V extends Fate['verb']>(
    nowMs: number,
    who: string,
    verb: V,
    draw: () => FateOf<V> | undefined,
  ): FateOf<V> | undefined {
    const kind = kindOf(who, verb);
    const fate = (this.#writtenFor(kind, nowMs) as FateOf<V> | undefined) ?? draw();
    const unharmed = this.#unharmedAt(kind, Math.floor(nowMs));
    if (fate === undefined) {
      unharmed.count += 1;
      return undefined;
    }
    const after = unharmed.count === 0 ? undefined : unharmed.count;
    this.record(nowMs, who, { ...fate, after });
    return fate;
  }

  #writtenFor(kind: string, nowMs: number): Fate | undefined {
    const armed = this.#armed.get(kind);
    if (armed === undefined) return undefined;
    const due = armed.filter(({ intervention }) => intervention.atMs <= nowMs);
    const met = due.find(({ spared }) => spared === 0);
    if (met === undefined) {
      for (const each of due) each.spared -= 1;
      return undefined;
    }
    armed.splice(armed.indexOf(met), 1);
    return met.intervention.doing;
  }

  #unharmedAt(kind: string, atMs: number): Unharmed {
    const found = this.#unharmed.get(kind);
    if (found?.atMs === atMs) return found;
    const fresh = { atMs, count: 0 };
    this.#unharmed.set(kind, fresh);
    return fresh;
  }
}

function kindOf(who: string, verb: string): string {
  return `${who} ${verb}`;
}

/** Objects that could not be made, altered or deleted, and when each is tried again. */
import type { FailingObject } from '../controller/control.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { toText } from '../dataplane/text.ts';
import { holderOf } from './actual-state.ts';

export interface Failure {
  readonly object: KernelObject;
  readonly reason: string;
  /** In a row, since the object was last in order or wanted otherwise. */
  readonly attempts: number;
  readonly retryAtMs: number;
}

export interface RetryDelays {
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
}

/** Pause after so many failures in a row, milliseconds. Without jitter: nobody else tries the same at the same time. */
export function delayMs(attempts: number, { retryDelayMsMin, retryDelayMsMax }: RetryDelays): number {
  return Math.min(retryDelayMsMin * 2 ** Math.min(attempts - 1, 30), retryDelayMsMax);
}

export class Failures {
  readonly #failures = new Map<string, Failure>();
  /** Those whose time has come and whose namespace is about to be read. */
  readonly #called = new Set<string>();
  readonly #delays: RetryDelays;

  constructor(delays: RetryDelays) {
    this.#delays = delays;
  }

  get(key: string): Failure | undefined {
    return this.#failures.get(key);
  }

  keys(): Iterable<string> {
    return this.#failures.keys();
  }

  /** Counts a failed attempt and sets the time of the next one. */
  add(key: string, object: KernelObject, reason: string, nowMs: number): Failure {
    const attempts = (this.#failures.get(key)?.attempts ?? 0) + 1;
    const failure = { object, reason, attempts, retryAtMs: nowMs + delayMs(attempts, this.#delays) };
    this.#failures.set(key, failure);
    this.#called.delete(key);
    return failure;
  }

  delete(key: string): boolean {
    this.#called.delete(key);
    return this.#failures.delete(key);
  }

  /** Whether the key failed and its time has come. */
  isDue(key: string, nowMs: number): boolean {
    const failure = this.#failures.get(key);
    return failure !== undefined && failure.retryAtMs <= nowMs;
  }

  /** Those whose time has come, each once per failure. */
  takeDue(nowMs: number): readonly Failure[] {
    const due: Failure[] = [];
    for (const [key, failure] of this.#failures) {
      if (failure.retryAtMs > nowMs || this.#called.has(key)) continue;
      this.#called.add(key);
      due.push(failure);
    }
    return due;
  }

  /** When the next one is due; infinity when none is. */
  nextAtMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [key, { retryAtMs }] of this.#failures) {
      if (!this.#called.has(key)) next = Math.min(next, retryAtMs);
    }
    return next;
  }

  inNamespace(ns: Namespace): readonly (readonly [string, KernelObject])[] {
    return [...this.#failures]
      .filter(([, { object }]) => object.ns === ns)
      .map(([key, { object }]) => [key, object]);
  }

  /** Failed objects that hang on the link of that key: it may have been all that they lacked. */
  *waitingFor(link: string): Generator<string> {
    for (const [key, { object }] of this.#failures) if (holderOf(object) === link) yield key;
  }

  list(): readonly FailingObject[] {
    return [...this.#failures.values()].map(({ object, reason, attempts }) => ({
      object,
      text: toText(object),
      reason,
      attempts,
    }));
  }
}

/**
 * Operations that the kernel was asked to carry out and that have not been seen to take effect. That an operation was
 * accepted proves nothing: an append to an FDB entry returns 0 and changes nothing. An event or a dump proves it.
 */
import type { Operation } from '../dataplane/kernel.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';

interface Sent {
  readonly object: KernelObject;
  readonly deadlineMs: number;
}

export class InFlight {
  /** Waiting for an event; by deadline, because all wait equally long. */
  readonly #expected = new Map<string, Sent>();
  /** No event came in time: the next dump decides. */
  readonly #overdue = new Map<string, Sent>();
  /** When each key was last operated on, oldest first; for telling late echoes from news. */
  readonly #lately = new Map<string, number>();
  readonly #readBackDelayMs: number;
  readonly #echoWindowMs: number;

  constructor(options: { readonly readBackDelayMs: number; readonly echoWindowMs: number }) {
    this.#readBackDelayMs = options.readBackDelayMs;
    this.#echoWindowMs = options.echoWindowMs;
  }

  get size(): number {
    return this.#expected.size + this.#overdue.size;
  }

  has(key: string): boolean {
    return this.#expected.has(key) || this.#overdue.has(key);
  }

  /** Before the operation is handed over: its echo may be here before the answer. */
  begin(key: string, operation: Operation, nowMs: number): void {
    this.end(key);
    this.#expected.set(key, { object: operation.object, deadlineMs: nowMs + this.#readBackDelayMs });
    this.#lately.delete(key);
    this.#lately.set(key, nowMs);
  }

  /** The kernel has accepted the operation: from now on its event is waited for. */
  await(key: string, nowMs: number): void {
    const sent = this.#expected.get(key);
    if (sent === undefined) return;
    this.#expected.delete(key);
    this.#expected.set(key, { ...sent, deadlineMs: nowMs + this.#readBackDelayMs });
  }

  /** Returns whether it was in flight. */
  end(key: string): boolean {
    return this.#expected.delete(key) || this.#overdue.delete(key);
  }

  /** Whether an event may still be the late echo of an operation on the key. */
  wasSentLately(key: string, nowMs: number): boolean {
    return nowMs - (this.#lately.get(key) ?? Number.NEGATIVE_INFINITY) <= this.#echoWindowMs;
  }

  /** Those whose events did not come in time, each once. */
  takeOverdue(nowMs: number): readonly KernelObject[] {
    const objects: KernelObject[] = [];
    for (const [key, sent] of this.#expected) {
      if (sent.deadlineMs > nowMs) break;
      this.#expected.delete(key);
      this.#overdue.set(key, sent);
      objects.push(sent.object);
    }
    return objects;
  }

  /** When the next one is overdue; infinity when none is expected. */
  nextAtMs(): number {
    for (const { deadlineMs } of this.#expected.values()) return deadlineMs;
    return Number.POSITIVE_INFINITY;
  }

  inNamespace(ns: Namespace): readonly (readonly [string, KernelObject])[] {
    return [...this.#expected, ...this.#overdue]
      .filter(([, { object }]) => object.ns === ns)
      .map(([key, { object }]) => [key, object]);
  }

  keys(): Iterable<string> {
    return [...this.#expected.keys(), ...this.#overdue.keys()];
  }

  /** Forgets operations too old to have echoes. */
  prune(nowMs: number): void {
    for (const [key, sentMs] of this.#lately) {
      if (nowMs - sentMs <= this.#echoWindowMs) return;
      this.#lately.delete(key);
    }
  }
}

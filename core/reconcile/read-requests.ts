/** Namespaces that must be looked at anew, each with the kinds in question. Bounded by the namespaces there are. */
import type { Namespace } from '../dataplane/namespace.ts';
import type { ObjectKind } from '../dataplane/object.ts';

export interface ReadRequest {
  readonly ns: Namespace;
  /** Absent: all. */
  readonly kinds?: ReadonlySet<ObjectKind>;
  /** How differences that are found will be said to have been noticed. */
  readonly noticed: 'event' | 'audit';
  /** Monotonic; a namespace that could not be read waits. */
  readonly notBeforeMs: number;
  /** Reads in a row that failed. */
  readonly failures: number;
}

export class ReadRequests {
  readonly #requests = new Map<Namespace, ReadRequest>();

  /** One request per namespace: a later one widens the kinds of the one that waits, and is no reason to hurry it. */
  add(request: Omit<ReadRequest, 'notBeforeMs' | 'failures'> & Partial<ReadRequest>): void {
    const { ns, noticed, notBeforeMs = 0, failures = 0 } = request;
    const waiting = this.#requests.get(ns);
    const all = request.kinds === undefined || (waiting !== undefined && waiting.kinds === undefined);
    const kinds = new Set([...(request.kinds ?? []), ...(waiting?.kinds ?? [])]);
    this.#requests.set(ns, {
      ns,
      noticed: waiting?.noticed ?? noticed,
      notBeforeMs: Math.max(notBeforeMs, waiting?.notBeforeMs ?? 0),
      failures: Math.max(failures, waiting?.failures ?? 0),
      ...(all ? {} : { kinds }),
    });
  }

  /** The next one that may be carried out. */
  take(nowMs: number): ReadRequest | undefined {
    for (const [ns, request] of this.#requests) {
      if (request.notBeforeMs > nowMs) continue;
      this.#requests.delete(ns);
      return request;
    }
    return undefined;
  }

  nextAtMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { notBeforeMs } of this.#requests.values()) next = Math.min(next, notBeforeMs);
    return next;
  }
}

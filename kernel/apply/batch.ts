/**
 * Requests that wait to be sent together: those of one namespace in their order, many to a `send`. Which operation each
 * belongs to, and which refusals are no failure of it, is kept beside them.
 */
import type { OperationResult } from '../../core/dataplane/kernel.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { Request } from '../netlink/message.ts';
import type { NamespaceHandle } from '../netns/registry.ts';
import { failed } from './outcome.ts';

interface Waiting {
  readonly request: Request;
  /** The operation, by its place in `apply`. */
  readonly operation: number;
  readonly tolerated: readonly number[];
}

export class Batch {
  readonly #queues: Map<Namespace, { readonly handle: NamespaceHandle; readonly waiting: Waiting[] }> =
    new Map();
  readonly #results: OperationResult[];
  size = 0;

  /** @param results where failures are put, by operation */
  constructor(results: OperationResult[]) {
    this.#results = results;
  }

  /** @param tolerated errors that mean that nothing is left to do */
  add(
    handle: NamespaceHandle,
    operation: number,
    requests: readonly Request[],
    tolerated: readonly number[],
  ): void {
    const queue = this.#queues.get(handle.ns) ?? { handle, waiting: [] };
    this.#queues.set(handle.ns, queue);
    for (const request of requests) queue.waiting.push({ request, operation, tolerated });
    this.size += requests.length;
  }

  /** Sends everything. */
  flush(): void {
    for (const { handle, waiting } of this.#queues.values()) this.#send(handle, waiting);
    this.#queues.clear();
    this.size = 0;
  }

  #send(handle: NamespaceHandle, waiting: readonly Waiting[]): void {
    try {
      const errors = handle.requests.carryOut(waiting.map(({ request }) => request));
      waiting.forEach(({ operation, tolerated }, at) => {
        const error = errors[at];
        if (error !== undefined && !tolerated.includes(error.errno)) this.#results[operation] = failed(error);
      });
    } catch (error) {
      // The socket failed: what was carried out is not known, so none of it counts as done.
      for (const { operation } of waiting) this.#results[operation] = failed(error);
    }
  }
}

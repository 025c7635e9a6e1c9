/**
 * One watch stream on one member: the log from a revision on, and the key of its identity.
 *
 * The stream is raw: it is never resumed. Whoever uses it reads by range again after its end, from the last entry that was
 * delivered. It pushes; what it pushed is held here until it is taken, up to a bound, and beyond the bound it ends.
 */
import type { IEvent, IKeyValue, IWatchResponse } from 'etcd3';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { EtcdCallError } from './errors.ts';
import { watchBufferBytesMax } from './limits.ts';
import type { Member, OpenWatch } from './member.ts';
import type { LogScope } from './transactions.ts';

/** Why a stream is of no more use. */
export type WatchEnd =
  /** Error, end, or cancelled by the server; also a compaction beyond its start. */
  | { readonly type: 'broken'; readonly error: EtcdCallError }
  /** More was pushed than may be held. */
  | { readonly type: 'overflow' }
  /** The key of the log's identity was written or deleted. */
  | { readonly type: 'identity-changed' };

const logWatchId = 1;
const identityWatchId = 2;

export class WatchStream {
  readonly #watch: OpenWatch;
  readonly #clock: Clock;
  readonly #address: string;
  readonly #signal: CancelSignal;
  readonly #onAbort = (): void => this.close();
  /** Whole messages, their events in order of revision. */
  readonly #held: IKeyValue[][] = [];
  /** Events of a message of which fragments are still to come: it counts only as a whole. */
  #fragments: IKeyValue[] = [];
  #heldBytes = 0;
  #confirmed = 0;
  #clusterId = '';
  #end: WatchEnd | undefined;
  #messages = 0;
  #wake: (() => void) | undefined;

  /** @throws EtcdCallError */
  static async open(
    member: Member,
    scope: LogScope,
    from: number,
    clock: Clock,
    signal: CancelSignal,
  ): Promise<WatchStream> {
    const stream = new WatchStream(await member.watch(signal), clock, member.address, signal);
    stream.#watch.duplex.write({
      create_request: {
        key: scope.keys.watched.start,
        range_end: scope.keys.watched.end,
        start_revision: from,
        filters: ['Nodelete'],
        // Without it one large answer would have to fit one message.
        fragment: true,
        watch_id: logWatchId,
      },
    });
    stream.#watch.duplex.write({
      create_request: { key: scope.keys.logId, start_revision: from, watch_id: identityWatchId },
    });
    // Also a tail that nobody pulls must let go of its connection.
    signal.addEventListener('abort', stream.#onAbort, { once: true });
    if (signal.aborted) stream.close();
    return stream;
  }

  private constructor(watch: OpenWatch, clock: Clock, address: string, signal: CancelSignal) {
    this.#signal = signal;
    this.#watch = watch;
    this.#clock = clock;
    this.#address = address;
    watch.duplex.on('data', (message) => this.#onMessage(message));
    watch.duplex.on('error', (error) => this.#break(error.details ?? error.message, error.code));
    watch.duplex.on('end', () => this.#break('it ended the watch'));
  }

  /** The server has confirmed both watches. */
  get confirmed(): boolean {
    return this.#confirmed === 2;
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  /** Set once nothing more will come; what is held is still good. */
  get end(): WatchEnd | undefined {
    return this.#end;
  }

  /** Messages received so far: signs of life. */
  get messages(): number {
    return this.#messages;
  }

  /** The oldest message that is held. */
  take(): readonly IKeyValue[] | undefined {
    const events = this.#held.shift();
    if (events !== undefined) this.#heldBytes -= weigh(events);
    return events;
  }

  /** Resolves at the next message or end, when `ms` have passed, or when `signal` aborts. One waiter at a time. */
  async changed(ms: number, signal: CancelSignal): Promise<void> {
    using scope = cancelScope(signal);
    this.#wake = scope.cancel;
    await this.#clock.sleep(ms, scope.signal);
    this.#wake = undefined;
  }

  requestProgress(): void {
    if (this.#end === undefined) this.#watch.duplex.write({ progress_request: {} });
  }

  close(): void {
    this.#finish({ type: 'broken', error: new EtcdCallError('cancelled', 'the watch was closed') });
  }

  #onMessage(message: IWatchResponse): void {
    if (this.#end !== undefined) return;
    this.#messages += 1;
    this.#clusterId = message.header.cluster_id;
    if (message.canceled) return this.#onCancelled(message);
    if (message.created) this.#confirmed += 1;
    if (message.events.length > 0) this.#onEvents(message);
    this.#wake?.();
  }

  #onEvents(message: IWatchResponse): void {
    if (Number(message.watch_id) === identityWatchId) return this.#finish({ type: 'identity-changed' });
    const events = message.events.map((event: IEvent) => event.kv);
    this.#fragments.push(...events);
    this.#heldBytes += weigh(events);
    if (!message.fragment) {
      this.#held.push(this.#fragments.sort((a, b) => Number(a.mod_revision) - Number(b.mod_revision)));
      this.#fragments = [];
    }
    if (this.#heldBytes > watchBufferBytesMax) this.#finish({ type: 'overflow' });
  }

  #onCancelled(message: IWatchResponse): void {
    const compacted = Number(message.compact_revision) > 0;
    const reason = message.cancel_reason === '' ? 'no reason given' : message.cancel_reason;
    // A refusal arrives as words of a gRPC status: `rpc error: code = PermissionDenied desc = etcdserver: ...`.
    this.#break(compacted ? `it compacted the start of the watch at ${message.compact_revision}` : reason);
  }

  #break(reason: string, status?: number): void {
    this.#finish({
      type: 'broken',
      error: new EtcdCallError('status', `watch on ${this.#address}: ${reason}`, status),
    });
  }

  #finish(end: WatchEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#watch.close();
    this.#wake?.();
  }
}

function weigh(events: readonly IKeyValue[]): number {
  return events.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
}

/**
 * The reconciler: one loop that holds a host's kernel to its desired state.
 *
 * Vocabulary: a key is *in order* when the kernel has the desired object, or none where none is desired; *dirty* when it
 * is not, or may not be, and will be planned for; *in flight* from the moment an operation on it is handed to the kernel
 * until the kernel is seen to have it; *failing* when an operation on it was refused, until it is in order. *Drift* is a
 * difference that the fold did not cause.
 *
 * Level-based: whatever wakes the loop (a change of the fold, an event, an audit, a retry) says only which keys or
 * namespaces to look at, and the pass works from the desired and the actual state as they are then. So causes coalesce,
 * may be told twice, and may be stale.
 *
 * Invariants:
 * - no write before `start`, none while paused, none where all is in order; `stop` leaves everything as it is;
 * - one thing at a time: no pass, dump or batch overlaps another;
 * - an operation counts as done when an event or a dump shows its effect, not when it returns;
 * - a failing object waits for its own time to be tried again and holds up no other;
 * - work is bounded by the objects there are: queues are sets of keys and of namespaces.
 *
 * Parts: `Survey` looks, `Ledger` keeps what is open, `planFor` decides, this loop acts.
 */
import { type Observable, Subject } from 'rxjs';
import type { FailingObject, Repair } from '../controller/control.ts';
import type { Kernel, KernelEvent, Operation, OperationResult } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import { type Namespace, parseNamespace } from '../dataplane/namespace.ts';
import type { KernelObject, ObjectKind } from '../dataplane/object.ts';
import { isTransactional } from '../dataplane/order.ts';
import { assert } from '../lib/assert.ts';
import { type CancelScope, cancelScope } from '../lib/cancel-scope.ts';
import { Wake } from '../lib/wake.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { defaults, type ReconcilerOptions } from './defaults.ts';
import type { DesiredView } from './desired.ts';
import { delayMs } from './failures.ts';
import { Ledger, type Noticed } from './ledger.ts';
import { namespacesOf, planFor } from './plan.ts';
import { ReadRequests } from './read-requests.ts';
import { Survey } from './survey.ts';

type Kinds = ReadonlySet<ObjectKind>;

/** Kinds whose changes the kernel does not tell of reliably: they are looked at after each operation. */
const silentKinds: Kinds = new Set<ObjectKind>(['netns', 'sysctl']);

export class Reconciler {
  readonly #kernel: Kernel;
  readonly #desired: DesiredView;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: ReconcilerOptions;
  readonly #survey: Survey;
  readonly #ledger: Ledger;
  readonly #reads = new ReadRequests();
  readonly #suspects = new Subject<Namespace>();
  readonly #wake = new Wake();
  #scope: CancelScope | undefined;
  #running: Promise<void> | undefined;
  #paused = false;
  /** Namespaces that the audit under way has still to read; the last one is next. */
  #auditing: Namespace[] | undefined;
  #auditDueMs = Number.POSITIVE_INFINITY;
  #auditedAtMs: number | undefined;
  #writes = 0;

  constructor(
    kernel: Kernel,
    desired: DesiredView,
    ports: { readonly clock: Clock; readonly logger: Logger },
    options: Partial<ReconcilerOptions> = {},
  ) {
    this.#kernel = kernel;
    this.#desired = desired;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#options = { ...defaults, ...options };
    this.#survey = new Survey(kernel, desired);
    this.#ledger = new Ledger(this.#survey, desired, ports, this.#options);
  }

  /** Operations handed to the kernel since the beginning. */
  get writes(): number {
    return this.#writes;
  }

  /** Objects that should be there and are not, or are otherwise, or are there without being desired. */
  get pending(): number {
    return this.#ledger.pending;
  }

  /** Repairs of drift since the beginning. */
  get repaired(): number {
    return this.#ledger.repairs.count;
  }

  /** Every repair of drift, once the kernel is seen to be in order again. Hot; completes with `stop`. */
  get repairs$(): Observable<Repair> {
    return this.#ledger.repairs.repairs$;
  }

  /** Sandboxes that are gone, or that something of weft's has gone from, as events tell. Hot; completes with `stop`. */
  get suspects$(): Observable<Namespace> {
    return this.#suspects.asObservable();
  }

  /** Monotonic instant at which the last complete look at the kernel ended; undefined before the first. */
  get auditedAtMs(): number | undefined {
    return this.#auditedAtMs;
  }

  /** The last repairs, newest last; at most `repairsMax`. */
  repairs(): readonly Repair[] {
    return this.#ledger.repairs.list();
  }

  failing(): readonly FailingObject[] {
    return this.#ledger.failing();
  }

  /**
   * Takes hold of the kernel: looks at everything, changes what differs, and goes on holding it until `signal` aborts or
   * `stop`. To be called once, and only when the desired state is complete: what it does not have is deleted.
   *
   * What differs at this point counts as drift, because something changed while weft was away; unless nothing of weft's
   * is there at all, which is how a machine begins.
   */
  start(signal: CancelSignal): void {
    assert(this.#running === undefined, 'a reconciler is started once');
    this.#scope = cancelScope(signal);
    // Nobody awaits this before `stop`: a defect in here is meant to surface as an unhandled rejection.
    this.#running = this.#live(this.#scope);
  }

  /** Ends the loop after the batch under way. Everything in the kernel stays as it is. @throws the loop's defect, if any */
  async stop(): Promise<void> {
    this.#scope?.cancel();
    this.#ledger.close();
    this.#suspects.complete();
    await this.#running;
  }

  /** The desired objects of these keys came, went or changed. Before `start` it is for nothing: everything will be looked at. */
  touch(keys: Iterable<string>): void {
    if (this.#running === undefined) return;
    for (const key of keys) this.#ledger.touch(key);
    this.#wake.notify();
  }

  /** A sandbox is gone, or another one by now, and it may be that no event told of it: what was known of it counts no more. */
  lookAnew(ns: Namespace): void {
    if (this.#running === undefined) return;
    this.#survey.noteGone(ns);
    this.#reads.add({ ns, noticed: 'audit' });
    this.#wake.notify();
  }

  /** Freezes the data plane as it is: after the batch under way nothing is written until `resume`. */
  pause(reason: string): void {
    this.#paused = true;
    this.#logger.warn('data plane frozen', { reason });
  }

  /** Ends a pause; everything is looked at again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#logger.info('data plane no longer frozen');
    this.#auditNow();
  }

  /**
   * Resolves when all of the keys are in order, as seen in the kernel.
   *
   * @throws WeftError `kernel` once one of them has failed `attemptsMax` times in a row; `closed` when `signal` aborts or
   *   the reconciler stops. While paused, and before `start`, it waits.
   */
  settled(keys: Iterable<string>, signal: CancelSignal): Promise<void> {
    return this.#ledger.settled(keys, signal);
  }

  async #live(scope: CancelScope): Promise<void> {
    try {
      // Ears open before the first look, so that nothing changes unheard in between.
      await Promise.all([this.#watch(scope.signal), this.#loop(scope.signal)]);
    } finally {
      scope.cancel();
    }
  }

  async #loop(signal: CancelSignal): Promise<void> {
    await this.#adopt(signal);
    while (!signal.aborted) {
      for (const { ns, kind } of this.#ledger.takeDue()) {
        this.#reads.add({ ns, kinds: new Set([kind]), noticed: 'audit' });
      }
      // First what may show more to do, so that it is done together.
      const read = await this.#readNext();
      const passed = await this.#pass(signal);
      const audited = !read && (await this.#auditNext(signal));
      if (passed || read || audited) continue;
      this.#ledger.repairs.sumUp();
      await this.#wake.wait(this.#clock, this.#idleMs(), signal);
    }
  }

  #idleMs(): number {
    const next = Math.min(this.#ledger.nextAtMs(), this.#reads.nextAtMs(), this.#auditDueMs);
    return Math.max(0, next - this.#clock.monotonicMs());
  }

  /** The first look: everything that is ours or should be. */
  async #adopt(signal: CancelSignal): Promise<void> {
    for (let attempts = 1; !signal.aborted; attempts += 1) {
      const namespaces = await this.#namespaces('take hold of');
      for (const ns of namespaces ?? []) if (!signal.aborted) await this.#read(ns, undefined, 'audit');
      if (namespaces !== undefined) break;
      await this.#clock.sleep(delayMs(attempts, this.#options), signal);
    }
    if (signal.aborted) return;
    this.#ledger.open();
    this.#auditDone();
    this.#logger.info('took hold of the kernel', {
      desired: this.#desired.size,
      differing: this.#ledger.pending,
    });
  }

  /** Every namespace of interest, with its events delivered; undefined when the kernel does not answer. */
  async #namespaces(purpose: string): Promise<readonly Namespace[] | undefined> {
    try {
      const namespaces = await this.#survey.namespaces();
      await this.#survey.follow(namespaces);
      return namespaces;
    } catch (error) {
      this.#logger.warn(`cannot ${purpose} the kernel yet`, { reason: reasonOf(error) });
      return undefined;
    }
  }

  /** Listens for as long as the reconciler lives. */
  async #watch(signal: CancelSignal): Promise<void> {
    while (!signal.aborted) {
      const events = this.#kernel.watch(signal)[Symbol.asyncIterator]();
      for (let event = await this.#nextEvent(events, signal); event !== undefined; ) {
        this.#onEvent(event);
        event = await this.#nextEvent(events, signal);
      }
      if (signal.aborted) return;
      await this.#clock.sleep(this.#options.retryDelayMsMin, signal);
      // What changed in between was not heard.
      this.#auditNow();
    }
  }

  async #nextEvent(
    events: AsyncIterator<KernelEvent>,
    signal: CancelSignal,
  ): Promise<KernelEvent | undefined> {
    try {
      const { done, value } = await events.next();
      return done === true ? undefined : value;
    } catch (error) {
      if (!signal.aborted)
        this.#logger.warn('no longer hears of changes; listening anew', { reason: reasonOf(error) });
      return undefined;
    }
  }

  #onEvent(event: KernelEvent): void {
    switch (event.type) {
      case 'stale':
        this.#reads.add({
          ns: event.ns,
          noticed: 'event',
          ...(event.kinds === undefined ? {} : { kinds: event.kinds }),
        });
        break;
      case 'namespace-gone':
        this.#survey.noteGone(event.ns);
        this.#reads.add({ ns: event.ns, noticed: 'event' });
        this.#suspect(event.ns);
        break;
      case 'present':
      case 'absent':
        if (!this.#onObject(this.#survey.note(event), event.object)) return;
        if (event.type === 'absent') this.#suspect(event.object.ns);
        break;
    }
    this.#wake.notify();
  }

  #suspect(ns: Namespace): void {
    if (parseNamespace(ns).type === 'sandbox') this.#suspects.next(ns);
  }

  /** Returns whether there is something to do. The echoes of our own operations end here. */
  #onObject(key: string, { ns, kind }: KernelObject): boolean {
    // Links and addresses take things along that the kernel does not tell of.
    const isWhole = kind !== 'link' && kind !== 'netns' && kind !== 'address';
    const verdict = this.#ledger.hear(key, isWhole);
    if (verdict === 'settled') return false;
    if (kind === 'link' || kind === 'netns') this.#reads.add({ ns, noticed: 'event' });
    else if (kind === 'address')
      this.#reads.add({ ns, noticed: 'event', kinds: new Set(['address', 'route']) });
    else if (verdict === 'doubtful') this.#reads.add({ ns, noticed: 'event', kinds: new Set([kind]) });
    return true;
  }

  /** Plans for everything dirty and carries it out. Returns whether there was anything to do. */
  async #pass(signal: CancelSignal): Promise<boolean> {
    if (!this.#ledger.hasDirty || this.#paused) return false;
    await this.#readUnknown();
    if (signal.aborted || this.#paused) return false;
    const keys = this.#ledger.takeDirty();
    const plan = planFor(
      keys,
      this.#desired,
      this.#survey.actual,
      (link) => this.#ledger.waitingFor(link),
      (ns) => this.#survey.isKnown(ns),
    );
    this.#leaveOut(plan.blind);
    const allDone = await this.#carryOut(plan.operations, signal);
    this.#concludeOthers(plan.keys, plan.operations, allDone);
    return true;
  }

  /** A namespace that was never looked at is, before anything is planned in it or on a pair that reaches into it. */
  async #readUnknown(): Promise<void> {
    const unreadable = new Map<Namespace, string>();
    for (const key of this.#ledger.dirty()) {
      const object = this.#desired.get(key) ?? this.#survey.actual.get(key);
      if (object === undefined) continue;
      const reason = await this.#readUnknownOf(object, unreadable);
      if (reason !== undefined) this.#ledger.giveUp(key, object, reason);
    }
  }

  /** Returns why one of the object's namespaces could not be looked at. */
  async #readUnknownOf(
    object: KernelObject,
    unreadable: Map<Namespace, string>,
  ): Promise<string | undefined> {
    for (const ns of namespacesOf(object)) {
      if (this.#survey.isKnown(ns)) continue;
      const reason = unreadable.get(ns) ?? (await this.#read(ns, undefined, 'audit'));
      if (reason === undefined) continue;
      unreadable.set(ns, reason);
      return reason;
    }
    return undefined;
  }

  /** What cannot be planned for without knowing more waits for its time, unless it is in order as far as is known. */
  #leaveOut(keys: ReadonlySet<string>): void {
    for (const key of keys) {
      const object = this.#desired.get(key);
      if (object === undefined || this.#survey.isInOrder(key) || this.#ledger.isOpen(key)) continue;
      this.#ledger.giveUp(key, object, 'a namespace that it is in, or reaches into, cannot be looked at yet');
    }
  }

  /** Returns whether all operations were carried out and none was refused. */
  async #carryOut(operations: readonly Operation[], signal: CancelSignal): Promise<boolean> {
    let allDone = true;
    let start = 0;
    let end = 0;
    for (; start < operations.length; start = end) {
      end = this.#endOfBatch(operations, start);
      if (start > 0) await this.#clock.sleep(0, signal);
      if (signal.aborted || this.#paused) {
        for (const { object } of operations.slice(start)) this.#ledger.putBack(keyOf(object));
        return false;
      }
      const batch = operations.slice(start, end).filter((operation) => this.#isStillWanted(operation));
      allDone = (await this.#apply(batch)) && allDone;
    }
    return allDone;
  }

  /** Where the batch ends that begins at `start`. A transaction is not cut in two, however long it is. */
  #endOfBatch(operations: readonly Operation[], start: number): number {
    let end = Math.min(start + this.#options.batchOperationsMax, operations.length);
    const isInTransaction = (at: number): boolean => {
      const object = operations[at]?.object;
      return object !== undefined && isTransactional(object);
    };
    while (isInTransaction(end - 1) && isInTransaction(end)) end += 1;
    return end;
  }

  /** What the fold changed while earlier batches were under way is dirty, and planned for anew. */
  #isStillWanted({ op, object }: Operation): boolean {
    return op === 'delete' || this.#desired.get(keyOf(object)) === object;
  }

  async #apply(batch: readonly Operation[]): Promise<boolean> {
    if (batch.length === 0) return true;
    this.#ledger.begin(batch);
    this.#writes += batch.length;
    const results = await this.#resultsOf(batch);
    let allDone = true;
    batch.forEach((operation, index) => {
      const result = results[index] ?? { ok: false, reason: 'the kernel adapter gave no answer' };
      const accepted = this.#ledger.answer(operation, result);
      if (accepted) this.#readBack(operation);
      allDone &&= accepted;
    });
    return allDone;
  }

  async #resultsOf(batch: readonly Operation[]): Promise<readonly OperationResult[]> {
    try {
      return await this.#kernel.apply(batch);
    } catch (error) {
      const reason = reasonOf(error);
      return batch.map(() => ({ ok: false, reason }));
    }
  }

  /** Asks to see what no event will show: silent kinds, and namespaces whose events are not delivered yet. */
  #readBack({ op, object }: Operation): void {
    const { ns, kind } = object;
    if (op === 'delete' && kind === 'netns') this.#survey.noteGone(ns);
    if (!this.#ledger.isInFlight(keyOf(object))) return;
    // Of a namespace that was to go, everything is in question.
    const isWhole = op === 'delete' ? kind === 'netns' : !this.#survey.exists(ns);
    if (isWhole) this.#reads.add({ ns, noticed: 'audit' });
    else if (silentKinds.has(kind)) this.#reads.add({ ns, noticed: 'audit', kinds: new Set([kind]) });
  }

  /** The keys of a plan that needed no operation of their own: in order already, or gone along with something. */
  #concludeOthers(concerned: ReadonlySet<string>, operations: readonly Operation[], allDone: boolean): void {
    const operated = new Set(operations.map(({ object }) => keyOf(object)));
    for (const key of concerned) {
      if (operated.has(key) || this.#ledger.isOpen(key)) continue;
      const goesAlong = this.#desired.get(key) === undefined && !this.#survey.isInOrder(key);
      // What was to take it along may have been refused; then it is planned for again with that.
      if (goesAlong && allDone) this.#ledger.goAlong(key);
      else if (this.#survey.isInOrder(key)) this.#ledger.confirm(key);
    }
  }

  async #readNext(): Promise<boolean> {
    const request = this.#reads.take(this.#clock.monotonicMs());
    if (request === undefined) return false;
    await this.#read(request.ns, request.kinds, request.noticed, request.failures);
    return true;
  }

  /**
   * Looks at a namespace, or at some kinds of objects in it, and judges every key concerned.
   *
   * @param failures reads in a row that have failed before
   * @returns why it could not be looked at; it will be again
   */
  async #read(
    ns: Namespace,
    kinds: Kinds | undefined,
    noticed: Noticed,
    failures = 0,
  ): Promise<string | undefined> {
    const reading = await this.#survey.read(ns, kinds).catch(reasonOf);
    const only = kinds === undefined ? {} : { kinds };
    if (typeof reading === 'string') {
      this.#logger.warn('cannot look at a namespace', { namespace: ns, reason: reading });
      const notBeforeMs = this.#clock.monotonicMs() + delayMs(failures + 1, this.#options);
      this.#reads.add({ ns, noticed, notBeforeMs, failures: failures + 1, ...only });
      this.#ledger.failDue(ns, reading);
      return reading;
    }
    const { keys, lostLink, overtaken } = reading;
    this.#ledger.judge(ns, keys, ({ kind }) => kinds?.has(kind) ?? true, noticed);
    if (lostLink) this.#reads.add({ ns, noticed });
    else if (overtaken.size > 0) this.#reads.add({ ns, noticed, kinds: overtaken });
    return undefined;
  }

  /** One step of the audit that is due or under way; others get their turn between two. */
  async #auditNext(signal: CancelSignal): Promise<boolean> {
    if (this.#auditing === undefined) {
      const now = this.#clock.monotonicMs();
      if (now < this.#auditDueMs) return false;
      this.#auditing = (await this.#namespaces('audit'))?.toReversed();
      if (this.#auditing === undefined) this.#auditDueMs = now + this.#options.retryDelayMsMax;
      return true;
    }
    const ns = this.#auditing.pop();
    if (ns === undefined) {
      this.#auditDone();
      return true;
    }
    await this.#read(ns, undefined, 'audit');
    await this.#clock.sleep(0, signal);
    return true;
  }

  #auditDone(): void {
    this.#auditing = undefined;
    this.#auditedAtMs = this.#clock.monotonicMs();
    this.#auditDueMs = this.#auditedAtMs + this.#options.auditIntervalMs;
    this.#survey.prune();
  }

  #auditNow(): void {
    this.#auditing = undefined;
    this.#auditDueMs = this.#clock.monotonicMs();
    this.#wake.notify();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What is open about each key: the bookkeeping of the reconciler, from the first sign of a difference to the proof that
 * it is gone. It looks at nothing and writes nothing itself.
 *
 * A key that is not in order is *dirty* (to be planned for), *in flight* (operated on, effect not seen yet) or *failing*
 * (refused, waiting for its time); it may be dirty and failing at once. *Drift* is what the fold did not cause; it is
 * noted when a key becomes dirty by itself, and becomes a repair when the key is in order again by an operation of ours.
 */
import type { FailingObject, Repair } from '../controller/control.ts';
import type { Operation, OperationResult } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { isTransactional } from '../dataplane/order.ts';
import { toText } from '../dataplane/text.ts';
import { WeftError } from '../errors.ts';
import { assert } from '../lib/assert.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ReconcilerOptions } from './defaults.ts';
import type { DesiredView } from './desired.ts';
import { type Failure, Failures } from './failures.ts';
import { InFlight } from './in-flight.ts';
import { type Finding, RepairLog } from './repair-log.ts';
import { Settlements } from './settlements.ts';
import type { Survey } from './survey.ts';

export type Noticed = Repair['noticed'];

export class Ledger {
  readonly repairs: RepairLog;
  readonly #survey: Survey;
  readonly #desired: DesiredView;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #attemptsMax: number;
  readonly #dirty = new Set<string>();
  readonly #inFlight: InFlight;
  readonly #failures: Failures;
  readonly #drift = new Map<string, Finding>();
  readonly #settlements = new Settlements();
  /** Whether the kernel has been looked at: before, not even what is absent is known to be. */
  #opened = false;
  #closed = false;

  constructor(
    survey: Survey,
    desired: DesiredView,
    ports: { readonly clock: Clock; readonly logger: Logger },
    options: ReconcilerOptions,
  ) {
    this.#survey = survey;
    this.#desired = desired;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#attemptsMax = options.attemptsMax;
    this.#inFlight = new InFlight(options);
    this.#failures = new Failures(options);
    this.repairs = new RepairLog(ports, options);
  }

  /** Keys that are not in order. */
  get pending(): number {
    return new Set([...this.#dirty, ...this.#inFlight.keys(), ...this.#failures.keys()]).size;
  }

  get hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Dirty keys; those that become dirty during the iteration are visited too. */
  dirty(): Iterable<string> {
    return this.#dirty;
  }

  takeDirty(): readonly string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }

  failing(): readonly FailingObject[] {
    return this.#failures.list();
  }

  /** Failed objects that hang on the link of that key. */
  waitingFor(link: string): Iterable<string> {
    return this.#failures.waitingFor(link);
  }

  /** When something in here becomes due; infinity when nothing does. Monotonic milliseconds. */
  nextAtMs(): number {
    return Math.min(this.#inFlight.nextAtMs(), this.#failures.nextAtMs());
  }

  /** Objects to look at because no event showed them in time, or because they are to be tried again. */
  takeDue(): readonly KernelObject[] {
    const now = this.#clock.monotonicMs();
    this.#inFlight.prune(now);
    return [...this.#inFlight.takeOverdue(now), ...this.#failures.takeDue(now).map(({ object }) => object)];
  }

  /** The kernel has been looked at as a whole for the first time. */
  open(): void {
    if (this.#survey.isEmpty()) this.#drift.clear();
    this.#opened = true;
    for (const key of this.#settlements.keys) if (this.#isSettled(key)) this.#settlements.settle(key);
  }

  /** The fold changed what is desired: attempts count anew, and what differs is no drift. */
  touch(key: string): void {
    this.#dirty.add(key);
    this.#failures.delete(key);
    this.#drift.delete(key);
  }

  /** Planned for, and not carried out. */
  putBack(key: string): void {
    this.#dirty.add(key);
  }

  /**
   * Those not settled yet are waited for. What was in order may be lost again before the last one is, so all of them are
   * looked at once more in the end.
   *
   * @throws WeftError `kernel`, `closed`, as `Reconciler.settled` says
   */
  async settled(keys: Iterable<string>, signal: CancelSignal): Promise<void> {
    const all = [...keys];
    for (;;) {
      const missing = new Set(all.filter((key) => !this.#isSettled(key)));
      if (missing.size === 0) return;
      if (this.#closed) throw closedError();
      for (const key of missing) {
        const failure = this.#failures.get(key);
        if (failure !== undefined && this.#isDefinite(failure)) throw errorOf(failure);
      }
      await this.#settlements.wait(missing, signal);
    }
  }

  close(): void {
    this.#closed = true;
    this.#settlements.failAll(closedError());
    this.repairs.close();
  }

  /**
   * What an event about a key means. `settled`: nothing to do, it is in order or being seen to. `drift`: it is dirty now.
   * `doubtful`: it differs, but the kernel is to be asked: the event may be the late echo of an operation of ours.
   *
   * @param isWhole whether the event tells all that happened; if not, a difference is always doubtful
   */
  hear(key: string, isWhole: boolean): 'settled' | 'drift' | 'doubtful' {
    if (this.#survey.isInOrder(key)) {
      this.confirm(key);
      return 'settled';
    }
    if (this.isOpen(key)) return 'settled';
    if (!isWhole || this.#inFlight.wasSentLately(key, this.#clock.monotonicMs())) return 'doubtful';
    this.#addDrift(key, 'event');
    return 'drift';
  }

  /** Whether the key is being seen to already. */
  isOpen(key: string): boolean {
    return this.#dirty.has(key) || this.#inFlight.has(key) || this.#failures.get(key) !== undefined;
  }

  /** Judges everything concerned by a dump of a namespace: the keys that it shows, and what is open beside them. */
  judge(
    ns: Namespace,
    keys: ReadonlySet<string>,
    covers: (object: KernelObject) => boolean,
    noticed: Noticed,
  ): void {
    for (const key of keys) this.#judgeOne(key, noticed);
    for (const [key, object] of [...this.#inFlight.inNamespace(ns), ...this.#failures.inNamespace(ns)]) {
      if (!keys.has(key) && covers(object)) this.#judgeOne(key, noticed);
    }
  }

  /** Before operations are handed to the kernel: their echoes may be here before its answer. */
  begin(operations: readonly Operation[]): void {
    const now = this.#clock.monotonicMs();
    for (const operation of operations) this.#inFlight.begin(keyOf(operation.object), operation, now);
  }

  isInFlight(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** The kernel's answer to an operation. Returns whether it was accepted. */
  answer({ op, object }: Operation, result: OperationResult): boolean {
    const key = keyOf(object);
    if (result.ok) {
      if (!this.#inFlight.has(key)) return true;
      this.#survey.assume(key, op === 'delete' ? undefined : object);
      if (object.kind === 'hosts' || isTransactional(object)) this.#written(key);
      else this.#inFlight.await(key, this.#clock.monotonicMs());
      return true;
    }
    const isUnseen = this.#inFlight.end(key);
    // Refused, and yet events have shown it in order since: then it is. What was known of it before may have gone with a
    // link that was made anew. And what has changed since is tried anew at once.
    if (!isUnseen && this.#survey.isInOrder(key)) this.confirm(key);
    else if (!this.#dirty.has(key)) this.#fail(key, object, result.reason);
    return false;
  }

  /**
   * A file has what was written to it, and nftables what was committed; only rtnetlink says yes to what it does not do.
   * What was written may be what the fold no longer wants.
   */
  #written(key: string): void {
    if (this.#survey.isInOrder(key)) {
      this.confirm(key);
      return;
    }
    this.#inFlight.end(key);
    this.#dirty.add(key);
  }

  /** The key is in order, as seen. */
  confirm(key: string): void {
    const acted = this.#inFlight.end(key);
    const failed = this.#failures.delete(key);
    this.#dirty.delete(key);
    const drift = this.#drift.get(key);
    this.#drift.delete(key);
    if (drift !== undefined && (acted || failed)) this.repairs.record(drift);
    if (this.#opened) this.#settlements.settle(key);
  }

  /**
   * Something that went takes the key's object along. Of links the kernel tells that they went, and it may take its time
   * for those of a namespace, so that is waited for; of what was on them it does not tell.
   */
  goAlong(key: string): void {
    const object = this.#survey.actual.get(key);
    assert(object !== undefined, 'what goes along was there');
    this.#survey.assume(key, undefined);
    if (object.kind === 'link')
      this.#inFlight.begin(key, { op: 'delete', object }, this.#clock.monotonicMs());
    else this.confirm(key);
  }

  /** A dirty key cannot even be planned for. */
  giveUp(key: string, object: KernelObject, reason: string): void {
    this.#dirty.delete(key);
    this.#fail(key, object, reason);
  }

  /** An attempt on the key failed; it is tried again when its time comes. */
  #fail(key: string, object: KernelObject, reason: string): void {
    const failure = this.#failures.add(key, object, reason, this.#clock.monotonicMs());
    const values = { object: toText(object), reason, attempts: failure.attempts };
    if (failure.attempts === 1) this.#logger.warn('the kernel refused an object; trying again', values);
    if (failure.attempts === this.#attemptsMax)
      this.#logger.error('an object cannot be made at present', values);
    if (this.#isDefinite(failure)) this.#settlements.fail(key, errorOf(failure));
  }

  /** A namespace cannot be looked at: those whose turn it was have failed once more. */
  failDue(ns: Namespace, reason: string): void {
    const now = this.#clock.monotonicMs();
    for (const [key, object] of this.#failures.inNamespace(ns)) {
      if (this.#failures.isDue(key, now)) this.#fail(key, object, reason);
    }
  }

  /** Dumps begin after the last operation has returned, so they show what came of it. */
  #judgeOne(key: string, noticed: Noticed): void {
    if (this.#survey.isInOrder(key)) {
      this.confirm(key);
      return;
    }
    const wasInFlight = this.#inFlight.end(key);
    if (this.#dirty.has(key)) return;
    const object = this.#desired.get(key) ?? this.#survey.actual.get(key);
    if (object === undefined) return;
    if (wasInFlight) this.#fail(key, object, this.#mismatchOf(key));
    else if (this.#failures.get(key) === undefined) this.#addDrift(key, noticed);
    else if (this.#failures.isDue(key, this.#clock.monotonicMs())) this.#dirty.add(key);
  }

  #mismatchOf(key: string): string {
    const actual = this.#survey.actual.get(key);
    const found = actual === undefined ? 'it is not there' : `what is there is: ${toText(actual)}`;
    return `the kernel reported success, but ${found}`;
  }

  #addDrift(key: string, noticed: Noticed): void {
    this.#dirty.add(key);
    const desired = this.#desired.get(key);
    const actual = this.#survey.actual.get(key);
    const object = desired ?? actual;
    assert(object !== undefined, 'drift is of something that is there or should be');
    const found = desired === undefined ? 'stray' : actual === undefined ? 'missing' : 'altered';
    const was = found === 'altered' && actual !== undefined ? { actual } : {};
    this.#drift.set(key, { object, found, ...was, noticed });
  }

  #isDefinite(failure: Failure): boolean {
    return failure.attempts >= this.#attemptsMax;
  }

  #isSettled(key: string): boolean {
    return this.#opened && !this.isOpen(key) && this.#survey.isInOrder(key);
  }
}

function errorOf({ object, reason, attempts }: Failure): WeftError {
  const text = toText(object);
  return new WeftError('kernel', `The kernel refused '${text}': ${reason}`, {
    details: { object: text, reason, attempts },
  });
}

function closedError(): WeftError {
  return new WeftError('closed', 'The data plane is no longer looked after: the daemon is stopping');
}

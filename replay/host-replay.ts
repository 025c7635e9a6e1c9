/**
 * One host lived again: its desired state follows the fold, the production planner makes operations of what changed, and
 * a kernel in memory carries them out. Time does not pass in between, so nothing overlaps and nothing is missed.
 *
 * The machine around is what the records tell of it: a sandbox is there from the first endpoint in it, and made anew when
 * a record has another identity for it. Foreign objects, and drift, are not in the log and so not here.
 */
import type { Operation } from '../core/dataplane/kernel.ts';
import { keyOf } from '../core/dataplane/key.ts';
import type { KernelObject } from '../core/dataplane/object.ts';
import { DesiredState } from '../core/desired/desired-state.ts';
import type { HostAllowances } from '../core/desired/host-view.ts';
import type { Change } from '../core/fold/change.ts';
import type { State } from '../core/fold/state.ts';
import type { Sandbox } from '../core/model/sandbox.ts';
import { ActualState, holderOf } from '../core/reconcile/actual-state.ts';
import { planFor } from '../core/reconcile/plan.ts';
import { drivers } from '../drivers/index.ts';
import { FakeKernel } from '../kernel/fake/fake-kernel.ts';
import { type Difference, differencesOf } from './difference.ts';
import type { ReplayedOperation } from './events.ts';
import { operationWords } from './operation-words.ts';

/** One record folded. */
export interface FoldedStep {
  readonly changes: readonly Change[];
  readonly state: State;
}

interface Refused {
  readonly object: KernelObject;
  readonly reason: string;
}

export class HostReplay {
  readonly desired: DesiredState;
  readonly #host: string;
  readonly #kernel: FakeKernel;
  /** Identities of the sandboxes that there are, by reference. */
  readonly #sandboxes = new Map<string, string>();
  /** What the kernel refused, by key, until it takes it. */
  readonly #refused = new Map<string, Refused>();
  #actual = new ActualState();

  /** @param allowed what the host's operator allows */
  constructor(host: string, netnsPrefix: string, allowed: HostAllowances = {}) {
    this.#host = host;
    this.#kernel = new FakeKernel({ netnsPrefix, hostRefs: [] });
    this.desired = new DesiredState(drivers, { host, netnsPrefix, ...allowed });
  }

  /** Follows the records of one entry, as the controller does: compiled and carried out once, after the last. */
  async follow(steps: readonly FoldedStep[]): Promise<readonly ReplayedOperation[]> {
    const lost = new Set<string>();
    for (const { changes, state } of steps) {
      for (const change of changes) {
        for (const key of this.#arrange(change)) lost.add(key);
        this.desired.apply(change, state);
      }
    }
    const keys = new Set([...this.desired.takeDirty(), ...lost, ...this.#refused.keys()]);
    return keys.size === 0 ? [] : this.#bringAbout(keys);
  }

  /** What the kernel in memory has otherwise than it should, what it refused apart: a defect of the planner. */
  differences(): readonly Difference[] {
    const refused = new Set([...this.#refused.values()].map(({ object }) => keyOf(object)));
    const desired = this.desired;
    const accepted = {
      size: desired.size,
      get: (key: string) => desired.get(key),
      namespaces: () => desired.namespaces(),
      inNamespace: (ns: KernelObject['ns']) =>
        new Map([...desired.inNamespace(ns)].filter(([key]) => !refused.has(key))),
    };
    return differencesOf(accepted, this.#objects());
  }

  /** The machine before a change: its sandboxes as the record knew them. Returns keys of what went with one, or began anew in it. */
  #arrange(change: Change): readonly string[] {
    if (change.type !== 'endpoint-added' || change.endpoint.host !== this.#host) return [];
    const { ref, identity }: Sandbox = change.endpoint.sandbox;
    const known = this.#sandboxes.get(ref);
    if (known === identity) return [];
    this.#sandboxes.set(ref, identity);
    if (known === undefined) {
      this.#kernel.addSandbox(ref);
      return [];
    }
    const before = this.#objects();
    const ns = this.#kernel.recreateSandbox(ref);
    this.#look();
    return before
      .filter((object) => object.ns === ns || this.#actual.get(keyOf(object)) === undefined)
      .map(keyOf);
  }

  async #bringAbout(keys: ReadonlySet<string>): Promise<readonly ReplayedOperation[]> {
    const plan = planFor(
      keys,
      this.desired,
      this.#actual,
      (link) => this.#waitingFor(link),
      () => true,
    );
    const results = await this.#kernel.apply(plan.operations);
    const told: ReplayedOperation[] = [];
    let allDone = true;
    plan.operations.forEach((operation, index) => {
      const result = results[index];
      const refused = result?.ok === false ? result.reason : undefined;
      const text = operationWords(operation);
      if (refused === undefined) this.#assume(operation);
      else allDone = false;
      const isNews = this.#note(operation, refused);
      if (isNews) told.push({ text, ...(refused === undefined ? {} : { refused }) });
    });
    if (allDone) this.#conclude(plan.keys, plan.operations);
    else this.#look();
    for (const key of this.#refused.keys())
      if (this.desired.get(key) === undefined) this.#refused.delete(key);
    return told;
  }

  /** Remembers how it went. Returns whether it went as it did the last time it was refused. */
  #note({ object }: Operation, refused: string | undefined): boolean {
    const key = keyOf(object);
    const isNews = refused === undefined || this.#refused.get(key)?.reason !== refused;
    if (refused === undefined) this.#refused.delete(key);
    else this.#refused.set(key, { object, reason: refused });
    return isNews;
  }

  #assume({ op, object }: Operation): void {
    if (op === 'delete') this.#actual.delete(keyOf(object));
    else this.#actual.set(keyOf(object), object);
  }

  /** What needed no operation of its own and is not desired went along with something. */
  #conclude(keys: ReadonlySet<string>, operations: readonly Operation[]): void {
    const operated = new Set(operations.map(({ object }) => keyOf(object)));
    for (const key of keys) {
      if (!operated.has(key) && this.desired.get(key) === undefined) this.#actual.delete(key);
    }
  }

  *#waitingFor(link: string): Generator<string> {
    for (const [key, { object }] of this.#refused) if (holderOf(object) === link) yield key;
  }

  /** Takes the actual state from the kernel instead of from what was done. */
  #look(): void {
    this.#actual = new ActualState();
    for (const object of this.#objects()) this.#actual.set(keyOf(object), object);
  }

  #objects(): KernelObject[] {
    const objects = this.#kernel.objects();
    for (const ns of this.desired.namespaces()) {
      for (const object of this.desired.inNamespace(ns).values()) {
        if (object.kind !== 'sysctl') continue;
        const value = this.#kernel.sysctl(ns, object.name);
        if (value !== undefined) objects.push({ ...object, value });
      }
    }
    return objects;
  }
}

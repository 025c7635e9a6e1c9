/**
 * The looking half of the reconciler: keeps the actual state true by dumps and events, and tells of every key that it
 * has learned something about. It decides nothing and writes nothing.
 */
import { sameState } from '../dataplane/equal.ts';
import type { Kernel, KernelEvent } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import { type Namespace, parseNamespace } from '../dataplane/namespace.ts';
import type { KernelObject, ObjectKind } from '../dataplane/object.ts';
import { same } from '../lib/same.ts';
import { ActualState } from './actual-state.ts';
import type { DesiredView } from './desired.ts';

/** What a dump showed. */
export interface Reading {
  /** Keys of what is otherwise than it was known to be, or than it should be. */
  readonly keys: ReadonlySet<string>;
  /** A link was gone, in a dump of some kinds only: what was on it must be looked at too. */
  readonly lostLink: boolean;
  /** Kinds of objects that changed while the dump was under way, so that it may be older than what events told. */
  readonly overtaken: ReadonlySet<ObjectKind>;
}

export class Survey {
  readonly actual = new ActualState();
  readonly #kernel: Kernel;
  readonly #desired: DesiredView;
  /** Namespaces that were dumped completely at least once, and that are or were of interest. */
  readonly #known = new Set<Namespace>();
  /** Those of them that were there when last looked at, and whose events are delivered. */
  readonly #existing = new Set<Namespace>();
  /** What events told while a dump is under way, by key. One dump at a time. */
  #meanwhile: { readonly ns: Namespace; readonly told: Map<string, KernelObject | undefined> } | undefined;

  constructor(kernel: Kernel, desired: DesiredView) {
    this.#kernel = kernel;
    this.#desired = desired;
  }

  isKnown(ns: Namespace): boolean {
    return this.#known.has(ns);
  }

  exists(ns: Namespace): boolean {
    return this.#existing.has(ns);
  }

  /** Namespaces in which something is or should be, owned ones first: what they lose, sandboxes lose with them. */
  async namespaces(): Promise<readonly Namespace[]> {
    const all = new Set([
      ...(await this.#kernel.namespaces()),
      ...this.#desired.namespaces(),
      ...this.#known,
    ]);
    return [...all].sort((a, b) => rankOf(a) - rankOf(b));
  }

  /** Has the events of these namespaces delivered, beside those of interest already. */
  async follow(namespaces: Iterable<Namespace>): Promise<void> {
    await this.#kernel.follow(new Set([...this.#desired.namespaces(), ...this.#known, ...namespaces]));
  }

  /** Dumps a namespace, or some kinds of objects in it. @throws what the kernel's port throws */
  async read(ns: Namespace, kinds?: ReadonlySet<ObjectKind>): Promise<Reading> {
    // Follow first: what changes between the two is then told of, instead of lost.
    if (!this.#existing.has(ns)) await this.follow([ns]);
    const told = new Map<string, KernelObject | undefined>();
    this.#meanwhile = { ns, told };
    const sysctls = this.#sysctlsOf(ns);
    try {
      const dumped = await this.#kernel.dump(ns, { ...(kinds === undefined ? {} : { kinds }), sysctls });
      if (kinds === undefined) this.#known.add(ns);
      return this.#integrate(ns, kinds, dumped, told);
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** Takes note of an event about one object; returns its key. */
  note(event: Extract<KernelEvent, { type: 'present' | 'absent' }>): string {
    const key = keyOf(event.object);
    const object = event.type === 'present' ? event.object : undefined;
    this.#put(key, object);
    if (this.#meanwhile?.ns === event.object.ns) this.#meanwhile.told.set(key, object);
    return key;
  }

  /** Takes an operation at its word until the kernel is heard or asked. */
  assume(key: string, object: KernelObject | undefined): void {
    this.#put(key, object);
  }

  /** The namespace is no more; another of its name has to be followed anew. */
  noteGone(ns: Namespace): void {
    this.#existing.delete(ns);
  }

  /** Forgets namespaces that nothing is wanted of and nothing of ours is in. */
  prune(): void {
    for (const ns of this.#known) {
      if (this.#desired.inNamespace(ns).size > 0) continue;
      const keys = [...this.actual.keysIn(ns)];
      if (keys.some((key) => !isKept(this.actual.get(key)))) continue;
      for (const key of keys) this.actual.delete(key);
      this.#known.delete(ns);
      this.#existing.delete(ns);
    }
  }

  /** Whether nothing of ours was found anywhere. */
  isEmpty(): boolean {
    for (const ns of this.#known) {
      for (const key of this.actual.keysIn(ns)) if (!isKept(this.actual.get(key))) return false;
    }
    return true;
  }

  /** Whether the key's object is as desired, or is not there and not desired, as far as is known. */
  isInOrder(key: string): boolean {
    const desired = this.#desired.get(key);
    const actual = this.actual.get(key);
    if (desired === undefined) return actual === undefined || isKept(actual);
    return actual !== undefined && sameState(desired, actual);
  }

  #integrate(
    ns: Namespace,
    kinds: ReadonlySet<ObjectKind> | undefined,
    dumped: readonly KernelObject[],
    told: ReadonlyMap<string, KernelObject | undefined>,
  ): Reading {
    const covers = (object: KernelObject): boolean => kinds === undefined || kinds.has(object.kind);
    const found = new Map(dumped.map((object) => [keyOf(object), object]));
    const keys = new Set<string>();
    let lostLink = false;
    for (const key of this.actual.keysIn(ns)) {
      const old = this.actual.get(key);
      if (old === undefined || !covers(old) || found.has(key)) continue;
      lostLink ||= kinds !== undefined && old.kind === 'link';
      keys.add(key);
    }
    for (const [key, object] of this.#desired.inNamespace(ns))
      if (covers(object) && !found.has(key)) keys.add(key);
    // Nearly everything is as it was and should be, which `#put` marks by keeping the desired object itself.
    for (const [key, object] of found) {
      const old = this.actual.get(key);
      if (old === undefined || old !== this.#desired.get(key) || !sameState(old, object)) keys.add(key);
    }
    for (const key of keys) this.#put(key, found.get(key));
    const overtaken = new Set<ObjectKind>();
    for (const [key, object] of told) {
      const kind = (object ?? found.get(key))?.kind;
      if (kind !== undefined && (kinds === undefined || kinds.has(kind)) && !same(object, found.get(key)))
        overtaken.add(kind);
    }
    if (kinds === undefined || kinds.has('link')) this.#setExisting(ns, dumped);
    return { keys, lostLink, overtaken };
  }

  /** Every namespace that is there has a loopback, and the dump reports it. */
  #setExisting(ns: Namespace, dumped: readonly KernelObject[]): void {
    if (dumped.some(({ kind }) => kind === 'link')) this.#existing.add(ns);
    else this.#existing.delete(ns);
  }

  /** Where it is as desired, the desired object is kept in its place: one object in memory instead of two. */
  #put(key: string, object: KernelObject | undefined): void {
    if (object === undefined) {
      this.actual.delete(key);
      return;
    }
    const desired = object.kind === 'link' ? undefined : this.#desired.get(key);
    this.actual.set(key, desired !== undefined && sameState(desired, object) ? desired : object);
  }

  #sysctlsOf(ns: Namespace): readonly string[] {
    const names: string[] = [];
    for (const object of this.#desired.inNamespace(ns).values())
      if (object.kind === 'sysctl') names.push(object.name);
    return names;
  }
}

/** What is never deleted: a setting that nobody wants any more stays as it is, and loopback always is. */
function isKept(object: KernelObject | undefined): boolean {
  return object?.kind === 'sysctl' || (object?.kind === 'link' && object.type.type === 'loopback');
}

function rankOf(ns: Namespace): number {
  return { owned: 0, host: 1, sandbox: 2 }[parseNamespace(ns).type];
}

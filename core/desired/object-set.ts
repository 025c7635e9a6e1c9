/**
 * The desired objects as the union of what parts contribute: one part per network, per endpoint, per hosts file.
 *
 * Several parts may want the same object (the loopback of a sandbox that is on two networks): it stays until the last of
 * them lets go. They must want it alike; two parts that differ are a defect of a driver.
 */
import { keyOf } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { assert } from '../lib/assert.ts';
import { same } from '../lib/same.ts';

const none: ReadonlyMap<string, KernelObject> = new Map();

export class ObjectSet {
  readonly #parts = new Map<string, readonly KernelObject[]>();
  readonly #objects = new Map<string, KernelObject>();
  readonly #byNamespace = new Map<Namespace, Map<string, KernelObject>>();
  /** Contributors of the keys that have more than one; most have one, and cost nothing here. */
  readonly #sharers = new Map<string, number>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KernelObject | undefined {
    return this.#objects.get(key);
  }

  namespaces(): Iterable<Namespace> {
    return this.#byNamespace.keys();
  }

  inNamespace(ns: Namespace): ReadonlyMap<string, KernelObject> {
    return this.#byNamespace.get(ns) ?? none;
  }

  /** What the part contributes now. */
  part(part: string): readonly KernelObject[] {
    return this.#parts.get(part) ?? [];
  }

  has(part: string): boolean {
    return this.#parts.has(part);
  }

  /**
   * Replaces the contributions of some parts at once, an empty one removing the part. All of them let go before any
   * takes hold, so parts that share an object may change it together.
   *
   * @returns the keys whose object is there now and was not, is gone, or is another
   */
  replace(contributions: ReadonlyMap<string, readonly KernelObject[]>): ReadonlySet<string> {
    const before = new Map<string, KernelObject | undefined>();
    for (const [part] of contributions) this.#withdraw(part, before);
    for (const [part, objects] of contributions) this.#contribute(part, objects, before);
    const changed = new Set<string>();
    for (const [key, object] of before) {
      if (!same(object, this.#objects.get(key))) changed.add(key);
    }
    return changed;
  }

  #withdraw(part: string, before: Map<string, KernelObject | undefined>): void {
    for (const object of this.part(part)) {
      const key = keyOf(object);
      if (!before.has(key)) before.set(key, this.#objects.get(key));
      this.#release(key, object.ns);
    }
    this.#parts.delete(part);
  }

  #contribute(
    part: string,
    objects: readonly KernelObject[],
    before: Map<string, KernelObject | undefined>,
  ): void {
    if (objects.length === 0) return;
    for (const object of objects) {
      const key = keyOf(object);
      if (!before.has(key)) before.set(key, this.#objects.get(key));
      this.#hold(key, object);
    }
    this.#parts.set(part, objects);
  }

  #hold(key: string, object: KernelObject): void {
    const present = this.#objects.get(key);
    if (present !== undefined) {
      assert(same(present, object), `two parts of the desired state differ on ${key}`);
      this.#sharers.set(key, (this.#sharers.get(key) ?? 1) + 1);
      return;
    }
    this.#objects.set(key, object);
    const siblings = this.#byNamespace.get(object.ns);
    if (siblings === undefined) this.#byNamespace.set(object.ns, new Map([[key, object]]));
    else siblings.set(key, object);
  }

  #release(key: string, ns: Namespace): void {
    const sharers = this.#sharers.get(key) ?? 1;
    if (sharers > 2) this.#sharers.set(key, sharers - 1);
    else this.#sharers.delete(key);
    if (sharers > 1) return;
    this.#objects.delete(key);
    const siblings = this.#byNamespace.get(ns);
    siblings?.delete(key);
    if (siblings?.size === 0) this.#byNamespace.delete(ns);
  }
}

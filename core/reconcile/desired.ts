/** What the reconciler is told: the objects that should be there. Filled incrementally by `core/desired`. */
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';

/** A set of desired objects, by key, grouped by namespace. */
export interface DesiredView {
  readonly size: number;
  get(key: string): KernelObject | undefined;
  namespaces(): Iterable<Namespace>;
  /** Every desired object of the namespace, by key. */
  inNamespace(ns: Namespace): ReadonlyMap<string, KernelObject>;
}

/** What should be in a kernel against what is there, as whole sets. */
import { sameState } from '../core/dataplane/equal.ts';
import { keyOf } from '../core/dataplane/key.ts';
import type { KernelObject } from '../core/dataplane/object.ts';
import { compareText } from '../core/dataplane/order.ts';
import { toText } from '../core/dataplane/text.ts';
import type { DesiredView } from '../core/reconcile/desired.ts';

export interface Difference {
  /** Of the kernel: it lacks an object, has it otherwise, or has one that should not be there. */
  readonly found: 'missing' | 'altered' | 'stray';
  readonly namespace: string;
  /** The object as it should be; as it is, for one that should not be there. In the words of `ip` and `bridge`. */
  readonly text: string;
  /** The object as it is, for `altered`. */
  readonly actual?: string;
}

/** By key. Loopback and settings that nobody desires are what every namespace has, and no difference. */
export function differencesOf(desired: DesiredView, actual: Iterable<KernelObject>): readonly Difference[] {
  const found = new Map<string, KernelObject>();
  for (const object of actual) found.set(keyOf(object), object);
  const differences = new Map<string, Difference>();
  for (const ns of desired.namespaces()) {
    for (const [key, object] of desired.inNamespace(ns)) {
      const difference = differenceOf(object, found.get(key));
      if (difference !== undefined) differences.set(key, difference);
    }
  }
  for (const [key, object] of found) {
    if (desired.get(key) !== undefined || isAlwaysThere(object)) continue;
    differences.set(key, { found: 'stray', namespace: object.ns, text: toText(object) });
  }
  return [...differences].sort(([a], [b]) => compareText(a, b)).map(([, difference]) => difference);
}

function differenceOf(wanted: KernelObject, actual: KernelObject | undefined): Difference | undefined {
  const what = { namespace: wanted.ns, text: toText(wanted) };
  if (actual === undefined) return { found: 'missing', ...what };
  return sameState(wanted, actual) ? undefined : { found: 'altered', ...what, actual: toText(actual) };
}

function isAlwaysThere(object: KernelObject): boolean {
  return object.kind === 'sysctl' || (object.kind === 'link' && object.type.type === 'loopback');
}

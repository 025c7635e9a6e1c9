/**
 * From keys that need a look to operations: the difference of desired and actual, restricted to those keys and to what
 * their operations may have an effect on.
 *
 * `diff` must see everything that an operation takes along, or it would leave out what has to come back. So the keys are
 * closed over the kernel's side effects first: ends of a pair, what is on a link that is altered or goes, the addresses
 * and routes beside an address that goes. A link that is made anew begins empty; what belongs on it is missing in the
 * actual state and among the keys already.
 */
import { diff } from '../dataplane/diff.ts';
import { sameState } from '../dataplane/equal.ts';
import type { Operation } from '../dataplane/kernel.ts';
import { linkKey } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { Address, KernelObject, Link } from '../dataplane/object.ts';
import { parentKeyOf } from '../dataplane/parent.ts';
import { type ActualState, holderOf } from './actual-state.ts';
import type { DesiredView } from './desired.ts';

export interface Plan {
  /** In the order of application. */
  readonly operations: readonly Operation[];
  /** The keys that were looked at: those asked for and those that are affected. */
  readonly keys: ReadonlySet<string>;
  /** Keys of those that were left out, because a namespace that they are in, or reach into, was never looked at. */
  readonly blind: ReadonlySet<string>;
}

/**
 * @param waitingFor keys of what could not be made while the link of that key was not there
 * @param isKnown whether a namespace was looked at: what is not known to be there may well be, and is not made anew
 */
export function planFor(
  keys: Iterable<string>,
  desired: DesiredView,
  actual: ActualState,
  waitingFor: (link: string) => Iterable<string>,
  isKnown: (ns: Namespace) => boolean,
): Plan {
  const closed = new Set<string>();
  const blind = new Set<string>();
  for (const key of closureOf(keys, desired, actual, waitingFor)) {
    const object = desired.get(key);
    const isBlind = object !== undefined && !namespacesOf(object).every(isKnown);
    (isBlind ? blind : closed).add(key);
  }
  const wanted: KernelObject[] = [];
  const found: KernelObject[] = [];
  for (const key of closed) {
    const object = desired.get(key);
    const old = actual.get(key);
    if (object !== undefined) wanted.push(object);
    if (old !== undefined) found.push(old);
  }
  return { operations: diff(wanted, found), keys: closed, blind };
}

/** Where an object is, and where its other end is. */
export function namespacesOf(object: KernelObject): readonly Namespace[] {
  const isPair = object.kind === 'link' && object.type.type === 'veth';
  return isPair ? [object.ns, object.type.peer.ns] : [object.ns];
}

function closureOf(
  keys: Iterable<string>,
  desired: DesiredView,
  actual: ActualState,
  waitingFor: (link: string) => Iterable<string>,
): ReadonlySet<string> {
  // A set that is iterated while it grows: what is added is visited too.
  const closed = new Set(keys);
  for (const key of closed) {
    const object = desired.get(key);
    const old = actual.get(key);
    const either = object ?? old;
    if (object?.kind === 'link' || old?.kind === 'link') {
      for (const affected of affectedByLink(key, object, old, desired, actual, waitingFor))
        closed.add(affected);
    } else if (old?.kind === 'address' && object === undefined) {
      for (const beside of besideAddress(old, actual)) closed.add(beside);
    } else if (either?.kind === 'nft-table') {
      if (object === undefined || old === undefined || !sameState(object, old)) {
        for (const inside of elementsIn(either.ns, desired, actual)) closed.add(inside);
      }
    } else if (either?.kind === 'netns' && (object === undefined || old === undefined)) {
      for (const inside of actual.keysIn(either.ns)) closed.add(inside);
    }
  }
  return closed;
}

/** What is in the sets of an nftables table, and what should be. */
function* elementsIn(ns: Namespace, desired: DesiredView, actual: ActualState): Generator<string> {
  for (const key of actual.keysIn(ns)) if (actual.get(key)?.kind === 'nft-element') yield key;
  for (const [key, { kind }] of desired.inNamespace(ns)) if (kind === 'nft-element') yield key;
}

function* affectedByLink(
  key: string,
  object: KernelObject | undefined,
  old: KernelObject | undefined,
  desired: DesiredView,
  actual: ActualState,
  waitingFor: (link: string) => Iterable<string>,
): Generator<string> {
  const inOrder = object !== undefined && old !== undefined && sameState(object, old);
  for (const mate of [...mateOf(object), ...mateOf(old)]) {
    yield mate;
    // A pair is made and goes as a whole: the other end is made anew with this one.
    if (!inOrder) yield* holdingsOf(mate, desired, actual);
  }
  if (inOrder) return;
  yield* holdingsOf(key, desired, actual);
  for (const other of actual.keysOn(key)) {
    const stacked = actual.get(other);
    // It goes with its parent, and must come back with all that was on it.
    if (stacked?.kind === 'link' && parentKeyOf(stacked.type) === key)
      yield* holdingsOf(other, desired, actual);
  }
  if (old === undefined) yield* waitingFor(key);
}

/**
 * What hangs on a link, and what should. Where the link is not there, what should is missing too and known to be: only
 * for a link that is there is it worth a look at every object of the namespace.
 */
function* holdingsOf(key: string, desired: DesiredView, actual: ActualState): Generator<string> {
  yield* actual.keysOn(key);
  const object = desired.get(key);
  if (object === undefined || actual.get(key) === undefined) return;
  for (const [other, candidate] of desired.inNamespace(object.ns))
    if (holderOf(candidate) === key) yield other;
}

function* mateOf(object: KernelObject | undefined): Generator<string> {
  const type: Link['type'] | undefined = object?.kind === 'link' ? object.type : undefined;
  if (type?.type === 'veth') yield linkKey(type.peer.ns, type.peer.name);
}

function* besideAddress(address: Address, actual: ActualState): Generator<string> {
  for (const key of actual.keysOn(linkKey(address.ns, address.link))) {
    const kind = actual.get(key)?.kind;
    if (kind === 'address' || kind === 'route') yield key;
  }
}

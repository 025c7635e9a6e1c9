/**
 * What the kernel last said, object by object: by a dump, by an event, or by accepting an operation of ours.
 *
 * Why it is kept at all. To delete what is no longer desired, to tell what can be altered from what must be made anew,
 * and to know that nothing needs doing, the object that is there must be known; asking the kernel would mean to dump a
 * network of ten thousand entries for each endpoint that comes or goes. It is never trusted to be right: events correct
 * it, every audit replaces it, and operations are such that they also fit a kernel that is otherwise.
 */
import { linkKey } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { parentKeyOf } from '../dataplane/parent.ts';
import { linkOfSysctl } from '../dataplane/sysctl.ts';

export class ActualState {
  readonly #objects = new Map<string, KernelObject>();
  readonly #byNamespace = new Map<Namespace, Set<string>>();
  /** Keys of what hangs on a link, by the link's key. */
  readonly #onLink = new Map<string, Set<string>>();

  get(key: string): KernelObject | undefined {
    return this.#objects.get(key);
  }

  set(key: string, object: KernelObject): void {
    if (this.#objects.get(key) === object) return;
    this.delete(key);
    this.#objects.set(key, object);
    addTo(this.#byNamespace, object.ns, key);
    const link = holderOf(object);
    if (link !== undefined) addTo(this.#onLink, link, key);
  }

  delete(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    removeFrom(this.#byNamespace, object.ns, key);
    const link = holderOf(object);
    if (link !== undefined) removeFrom(this.#onLink, link, key);
  }

  keysIn(ns: Namespace): ReadonlySet<string> {
    return this.#byNamespace.get(ns) ?? none;
  }

  /** Keys of what hangs on the link: what goes with it, links that are stacked on it, and the ports of a bridge. */
  keysOn(link: string): ReadonlySet<string> {
    return this.#onLink.get(link) ?? none;
  }
}

const none: ReadonlySet<string> = new Set();

/** Key of the link that an object hangs on: the one that it is on, its parent, or the bridge that it is a port of. */
export function holderOf(object: KernelObject): string | undefined {
  switch (object.kind) {
    case 'address':
    case 'route':
    case 'neighbour':
    case 'fdb':
      return linkKey(object.ns, object.link);
    case 'link':
      return object.master === undefined ? parentKeyOf(object.type) : linkKey(object.ns, object.master);
    case 'sysctl': {
      const link = linkOfSysctl(object.name);
      return link === undefined ? undefined : linkKey(object.ns, link);
    }
    case 'netns':
    case 'hosts':
    case 'nft-table':
    case 'nft-element':
    case 'nft-accepts':
      return undefined;
  }
}

function addTo<K>(sets: Map<K, Set<string>>, at: K, key: string): void {
  const set = sets.get(at);
  if (set === undefined) sets.set(at, new Set([key]));
  else set.add(key);
}

function removeFrom<K>(sets: Map<K, Set<string>>, at: K, key: string): void {
  const set = sets.get(at);
  set?.delete(key);
  if (set?.size === 0) sets.delete(at);
}

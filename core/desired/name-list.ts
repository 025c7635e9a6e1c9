/**
 * The named endpoints of one network that hosts files list: all of them up to a bound, then the oldest.
 *
 * The oldest, so that a name that resolves goes on resolving when others join, and so that one more endpoint on a large
 * network changes no file anywhere. An endpoint that goes makes room for the oldest one that waits. Large networks are
 * served by DNS; what a sandbox has on the network itself is in its file in any case (`hosts-file.ts`).
 */
import BTreeModule from 'sorted-btree';
import type { HostsEntry } from '../dataplane/object.ts';
import type { Network } from '../model/network.ts';
import { compareByAge, compareByName, hostsEntriesOf, type NamedEndpoint } from './hosts-entries.ts';

const BTree = BTreeModule.default;

/** A listed endpoint with its lines. */
export interface ListedName {
  readonly endpoint: NamedEndpoint;
  readonly entries: readonly HostsEntry[];
}

export class NameList {
  readonly network: Network;
  readonly #listMax: number;
  readonly #listed = new BTree<NamedEndpoint, undefined>(undefined, compareByAge);
  readonly #waiting = new BTree<NamedEndpoint, undefined>(undefined, compareByAge);
  #lines: readonly ListedName[] | undefined;

  /** @param listMax how many endpoints are listed at most */
  constructor(network: Network, listMax: number) {
    this.network = network;
    this.#listMax = listMax;
  }

  /** Returns whether the list is another now. */
  add(endpoint: NamedEndpoint): boolean {
    const youngest = this.#listed.maxKey();
    if (this.#listed.size < this.#listMax) {
      this.#listed.set(endpoint, undefined);
    } else if (youngest !== undefined && compareByAge(endpoint, youngest) < 0) {
      this.#listed.delete(youngest);
      this.#waiting.set(youngest, undefined);
      this.#listed.set(endpoint, undefined);
    } else {
      this.#waiting.set(endpoint, undefined);
      return false;
    }
    this.#lines = undefined;
    return true;
  }

  /** Returns whether the list is another now. */
  remove(endpoint: NamedEndpoint): boolean {
    if (this.#waiting.delete(endpoint) || !this.#listed.delete(endpoint)) return false;
    const next = this.#waiting.minKey();
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#listed.set(next, undefined);
    }
    this.#lines = undefined;
    return true;
  }

  /** Whether the endpoint was added, listed or not. */
  has(endpoint: NamedEndpoint): boolean {
    return this.#listed.has(endpoint) || this.#waiting.has(endpoint);
  }

  isListed(endpoint: NamedEndpoint): boolean {
    return this.#listed.has(endpoint);
  }

  /** By name. Made once per change of the list, whatever number of sandboxes ask. */
  lines(): readonly ListedName[] {
    this.#lines ??= [...this.#listed.keys()]
      .sort(compareByName)
      .map((endpoint) => ({ endpoint, entries: hostsEntriesOf(endpoint, this.network.name) }));
    return this.#lines;
  }
}

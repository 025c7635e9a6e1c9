/**
 * What must happen to links, and what is lost by it.
 *
 * Links are where operations have side effects: deleting one end of a veth pair deletes the other, and whatever is on
 * a link goes with it, links that are stacked on it too. The plan plays the operations through on a copy of the actual links, so that each later decision
 * is taken on what will then be there. Bridges need no such care: none is deleted whose ports are to stay ports of it.
 */
import { isAdopted, needsReplacing, sameState } from './equal.ts';
import type { Operation } from './kernel.ts';
import { keyOf, linkKey } from './key.ts';
import type { Namespace } from './namespace.ts';
import type { KernelObject, Link, VethType, VxlanType } from './object.ts';
import { compareForApply, makesPair } from './order.ts';
import { parentKeyOf } from './parent.ts';

export interface LinkPlan {
  /** Links to delete, each with its mate where it has one. */
  readonly deletions: readonly Link[];
  /** `set` and `replace` in the order of application. */
  readonly changes: readonly Operation[];
  /** Keys of links that go or are made: nothing of what was on them is left. */
  readonly lost: ReadonlySet<string>;
  /** Keys of links that leave a bridge: their entries in its table are gone. */
  readonly unplugged: ReadonlySet<string>;
  /** Keys of links that get another MAC, at which the kernel flushes their neighbours, permanent ones too. */
  readonly readdressed: ReadonlySet<string>;
}

/**
 * @param gone namespaces that do not exist when the changes are made, or are empty then
 */
export function planLinks(
  desired: ReadonlyMap<string, KernelObject>,
  actual: ReadonlyMap<string, KernelObject>,
  gone: ReadonlySet<Namespace>,
): LinkPlan {
  const wanted = linksOf(desired);
  const planner = new LinkPlanner(wanted, linksOf(actual));
  // In one order whatever that of the arguments, because each decision depends on those before.
  const inOrder = [...wanted.values()].sort(compareForApply);
  planner.emptyNamespaces(gone);
  planner.deleteStrays();
  for (const link of inOrder) planner.clearTheWay(link);
  for (const link of inOrder) planner.change(link);
  return planner;
}

class LinkPlanner implements LinkPlan {
  readonly deletions: Link[] = [];
  readonly changes: Operation[] = [];
  readonly lost: Set<string> = new Set();
  readonly unplugged: Set<string> = new Set();
  readonly readdressed: Set<string> = new Set();
  readonly #wanted: ReadonlyMap<string, Link>;
  /** The links as they will be after what is planned so far, in so far as they are old. */
  readonly #present: Map<string, Link>;
  /** Keys of the links that had each VNI to begin with. */
  readonly #vnis: Map<number, string> = new Map();
  /** By the key that each names as its other end: ends whose other end weft cannot see, though its name is taken. */
  readonly #endsOfUnseen: Map<string, string> = new Map();
  /** Made by an operation on the other end of their pair, and still without their members. */
  readonly #bare: Set<string> = new Set();
  /** Left without the other end; cannot be altered into one of a pair. */
  readonly #halves: Set<string> = new Set();

  constructor(wanted: ReadonlyMap<string, Link>, present: Map<string, Link>) {
    this.#wanted = wanted;
    this.#present = present;
    for (const [key, { type }] of present) {
      if (type.type === 'vxlan') this.#vnis.set(type.vni, key);
      if (type.type !== 'veth') continue;
      const mate = linkKey(type.peer.ns, type.peer.name);
      if (!present.has(mate)) this.#endsOfUnseen.set(mate, key);
    }
  }

  emptyNamespaces(gone: ReadonlySet<Namespace>): void {
    if (gone.size === 0) return;
    for (const [key, link] of [...this.#present]) if (gone.has(link.ns)) this.#remove(key);
  }

  /** What others are stacked on comes last, so that the same is deleted in whatever order the links are given. */
  deleteStrays(): void {
    const parents = [...this.#present].filter(([, link]) => canBeParent(link));
    const others = [...this.#present].filter(([, link]) => !canBeParent(link));
    parents.sort(([, a], [, b]) => compareForApply(b, a));
    for (const [key, link] of [...others, ...parents]) {
      if (this.#wanted.has(key) || link.type.type === 'loopback' || !this.#present.has(key)) continue;
      // Of a pair that goes as a whole, the end that made it is deleted: it lies where weft is at home.
      const mate = this.#mateOf(key, link);
      if (mate !== undefined && !this.#wanted.has(mate) && !makesPair(link)) continue;
      this.#delete(key, link);
    }
  }

  /** Deletes what is there under other keys, is wanted otherwise, and keeps this link from being made. */
  clearTheWay(link: Link): void {
    this.#freeName(link);
    if (link.type.type === 'veth') this.#partWrongPair(link, link.type);
    if (link.type.type === 'vxlan') this.#freeVni(link, link.type);
  }

  /**
   * A name may be taken by a link that weft cannot see, because someone took its alias away: its other end tells whose
   * it is, and is deleted first. Unless these two are to be a pair, for then making the one replaces both.
   */
  #freeName(link: Link): void {
    const endKey = this.#endsOfUnseen.get(keyOf(link));
    const end = endKey === undefined ? undefined : this.#present.get(endKey);
    if (endKey === undefined || end === undefined) return;
    const isToBePair =
      link.type.type === 'veth' && linkKey(link.type.peer.ns, link.type.peer.name) === endKey;
    if (!isToBePair) this.#delete(endKey, end);
  }

  /**
   * A pair is made as a whole, so both of its names must be free but for the end that is replaced: an end that is paired
   * otherwise, or whose mate weft cannot see (someone took its alias away), goes first.
   */
  #partWrongPair(link: Link, { peer }: VethType): void {
    const key = keyOf(link);
    const otherKey = linkKey(peer.ns, peer.name);
    if (!makesPair(link) || !this.#wanted.has(otherKey)) return;
    const end = this.#present.get(key);
    if (end !== undefined && this.#mateOf(key, end) === otherKey) return;
    const other = this.#present.get(otherKey);
    if (other !== undefined) this.#delete(otherKey, other);
    if (this.#present.has(key)) this.#halves.add(key);
  }

  /** The kernel takes each VNI once on a machine, so where two links exchange theirs one must go first. */
  #freeVni(link: Link, { vni }: VxlanType): void {
    const otherKey = this.#vnis.get(vni);
    const other = otherKey === undefined ? undefined : this.#present.get(otherKey);
    if (otherKey !== undefined && other !== undefined && otherKey !== keyOf(link))
      this.#delete(otherKey, other);
  }

  change(link: Link): void {
    const key = keyOf(link);
    const found = this.#present.get(key);
    if (this.#bare.has(key)) {
      this.changes.push({ op: 'set', object: link });
    } else if (found === undefined) {
      this.#make(key, link);
      this.changes.push({ op: 'set', object: link });
    } else if (this.#halves.has(key) || needsReplacing(link, found)) {
      this.#remove(key);
      this.#make(key, link);
      this.changes.push({ op: 'replace', object: link, actual: found });
    } else if (!sameState(link, found)) {
      if (link.master !== found.master) this.unplugged.add(key);
      if (link.mac !== undefined && link.mac !== found.mac && !isAdopted(found)) this.readdressed.add(key);
      this.changes.push({ op: 'set', object: link, actual: found });
    }
  }

  #make(key: string, link: Link): void {
    this.lost.add(key);
    if (link.type.type !== 'veth') return;
    const mate = linkKey(link.type.peer.ns, link.type.peer.name);
    this.lost.add(mate);
    this.#bare.add(mate);
  }

  #delete(key: string, link: Link): void {
    this.deletions.push(link);
    // It is let go, and what weft put on it does not go with it.
    if (!isAdopted(link)) this.#remove(key);
  }

  #remove(key: string): void {
    const link = this.#present.get(key);
    if (link === undefined) return;
    const mate = this.#mateOf(key, link);
    this.#drop(key);
    if (mate !== undefined) this.#drop(mate);
    if (!canBeParent(link)) return;
    for (const [other, { type }] of [...this.#present]) if (parentKeyOf(type) === key) this.#remove(other);
  }

  #drop(key: string): void {
    this.#present.delete(key);
    this.lost.add(key);
  }

  /** The key of the other end, where both ends are there and agree. */
  #mateOf(key: string, link: Link): string | undefined {
    if (link.type.type !== 'veth') return undefined;
    const mateKey = linkKey(link.type.peer.ns, link.type.peer.name);
    const mate = this.#present.get(mateKey);
    if (mate?.type.type !== 'veth') return undefined;
    return linkKey(mate.type.peer.ns, mate.type.peer.name) === key ? mateKey : undefined;
  }
}

/** Of weft's own links; others are not in a plan. */
function canBeParent({ type }: Link): boolean {
  return type.type === 'dummy' || type.type === 'vlan';
}

function linksOf(objects: ReadonlyMap<string, KernelObject>): Map<string, Link> {
  const links = new Map<string, Link>();
  for (const [key, object] of objects) if (object.kind === 'link') links.set(key, object);
  return links;
}

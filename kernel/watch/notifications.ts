/** What notifications about addresses, routes, neighbours and forwarding entries mean. */
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import type { FdbEntry, KernelObject, ObjectKind } from '../../core/dataplane/object.ts';
import type { Mac } from '../../core/model/mac.ts';
import { ownAddresses } from '../dump.ts';
import type { Message } from '../netlink/message.ts';
import { addressMessage } from '../netlink/tables/address.ts';
import { flagReplace } from '../netlink/tables/common.ts';
import { neighbourMessage } from '../netlink/tables/neighbour.ts';
import { routeMessage } from '../netlink/tables/route.ts';
import type { NamespaceHandle } from '../netns/registry.ts';
import { readAddress } from '../objects/address.ts';
import { differingRemote, type FdbRecord, readFdbEntry } from '../objects/fdb-entry.ts';
import { readNeighbour } from '../objects/neighbour.ts';
import { readRoute } from '../objects/route.ts';
import {
  connectedRoutes,
  type OwnLinks,
  ownAddress,
  ownFdbEntry,
  ownLinkAt,
  ownNeighbour,
  ownRoute,
  routeOnOwnLink,
} from '../ownership.ts';

export interface Surroundings {
  readonly handle: NamespaceHandle;
  /** weft's links now. */
  readonly links: OwnLinks;
  /** Those, and the ones that have just gone. */
  readonly seen: OwnLinks;
}

const routes: ReadonlySet<ObjectKind> = new Set(['route']);
/** The members of an object that is gone are of no use; the kernel does not always tell them. */
const forgottenMac = '00:00:00:00:00:00' as Mac;

/** @throws MalformedMessage */
export function eventsOf(message: Message, around: Surroundings): KernelEvent[] {
  switch (message.type) {
    case addressMessage.new:
    case addressMessage.delete:
      return addressEvents(message, around);
    case routeMessage.new:
    case routeMessage.delete:
      return routeEvents(message, around);
    default:
      return [...neighbourEvents(message, around), ...fdbEvents(message, around)];
  }
}

/** What became someone else's (its protocol number was overwritten) is gone as far as weft is concerned. */
function addressEvents(message: Message, { handle, links, seen }: Surroundings): KernelEvent[] {
  const record = readAddress(message);
  if (record === undefined || record.linkLocal) return [];
  if (message.type === addressMessage.new) {
    const own = ownAddress(handle, links, record);
    if (own !== undefined) return present(own);
  }
  const link = ownLinkAt(seen, record.index);
  if (link === undefined) return [];
  return absent({ kind: 'address', ns: handle.ns, link: link.name, address: record.address });
}

function routeEvents(message: Message, { handle, links, seen }: Surroundings): KernelEvent[] {
  const record = readRoute(message);
  if (message.type === routeMessage.delete) {
    const gone = record === undefined ? undefined : routeOnOwnLink(handle, seen, record);
    return gone === undefined ? [] : absent(gone);
  }
  // One that takes the place of another does not say whose.
  if ((message.flags & flagReplace) !== 0) return [{ type: 'stale', ns: handle.ns, kinds: routes }];
  if (record === undefined) return [];
  const own = ownRoute(handle, links, record, () => connectedRoutes(ownAddresses(handle, links)));
  return own === undefined ? [] : present(own);
}

function neighbourEvents(message: Message, { handle, links, seen }: Surroundings): KernelEvent[] {
  const record = readNeighbour(message);
  if (record === undefined) return [];
  const own = message.type === neighbourMessage.new ? ownNeighbour(handle, links, record) : undefined;
  if (own !== undefined) return present(own);
  const link = ownLinkAt(seen, record.index);
  if (link === undefined) return [];
  // What hosts resolve by themselves comes and goes all the time; weft's are on VXLAN links, or carry its number.
  if (!record.weft && !(handle.type === 'owned' && link.type.type === 'vxlan')) return [];
  const mac = record.mac ?? forgottenMac;
  return absent({ kind: 'neighbour', ns: handle.ns, link: link.name, address: record.address, mac });
}

function fdbEvents(message: Message, { handle, links, seen }: Surroundings): KernelEvent[] {
  const record = readFdbEntry(message);
  if (record === undefined) return [];
  const own = message.type === neighbourMessage.new ? ownFdbEntry(handle, links, record) : undefined;
  if (own !== undefined) return present(own);
  const link = ownLinkAt(seen, record.index);
  if (link === undefined || isKernelMade(record)) return [];
  const key: FdbEntry = { kind: 'fdb', ns: handle.ns, link: link.name, mac: record.mac };
  return absent(record.table === 'self' ? { ...key, remote: record.remote ?? differingRemote } : key);
}

/** A port's own address in its bridge's table, and multicast addresses that a link listens to. */
function isKernelMade(record: FdbRecord): boolean {
  if (record.table === 'master') return record.state === 'permanent';
  return record.remote === undefined;
}

function present(object: KernelObject): KernelEvent[] {
  return [{ type: 'present', object }];
}

function absent(object: KernelObject): KernelEvent[] {
  return [{ type: 'absent', object }];
}

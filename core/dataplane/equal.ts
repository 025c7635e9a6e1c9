/**
 * When the kernel's state of an object is what is wanted, and when it cannot be altered into it.
 *
 * The comparison is lopsided: what is desired may leave a member to the kernel (a link's MAC, loopback's MTU), what is
 * there always has it. So the parameters are named, and `equal(a, b)` does not imply `equal(b, a)`.
 */
import { unreachable } from '../lib/assert.ts';
import { keyOf } from './key.ts';
import type { BridgePort, HostsEntry, KernelObject, Link, LinkType, StackedType } from './object.ts';

/** True when `actual` is `desired` in every member that `desired` does not leave to the kernel. */
export function equal(desired: KernelObject, actual: KernelObject): boolean {
  return keyOf(desired) === keyOf(actual) && sameState(desired, actual);
}

/**
 * `equal` for two objects that are known to have one key.
 *
 * The namespace and the other parts of the key are not looked at again: this runs for every object in every audit.
 */
export function sameState(desired: KernelObject, actual: KernelObject): boolean {
  switch (desired.kind) {
    // Nothing to them but their key.
    case 'netns':
    case 'address':
      return actual.kind === desired.kind;
    case 'link':
      return actual.kind === 'link' && sameLink(desired, actual);
    case 'route':
      return (
        actual.kind === 'route' &&
        desired.via === actual.via &&
        desired.source === actual.source &&
        desired.metric === actual.metric &&
        desired.protocol === actual.protocol
      );
    case 'neighbour':
      return actual.kind === 'neighbour' && desired.mac === actual.mac;
    case 'fdb':
      return actual.kind === 'fdb' && desired.remote === actual.remote;
    case 'sysctl':
      return actual.kind === 'sysctl' && desired.value === actual.value;
    case 'hosts':
      return actual.kind === 'hosts' && sameEntries(desired.entries, actual.entries);
    case 'nft-table':
      return actual.kind === 'nft-table' && desired.intact === actual.intact;
    case 'nft-accepts':
      return actual.kind === 'nft-accepts' && desired.complete === actual.complete;
    case 'nft-element':
      return actual.kind === 'nft-element' && sameTexts(desired.value, actual.value);
    default:
      return unreachable(desired);
  }
}

/**
 * True when `actual`, which has the key of `desired`, cannot be altered into it: it must be deleted and made anew.
 * Links have such members (their type, the parameters of a VXLAN end, whom a veth is paired with, and what a link is
 * stacked on and how), and an nftables
 * table that is not as it was made.
 */
export function needsReplacing(desired: KernelObject, actual: KernelObject): boolean {
  if (desired.kind === 'nft-table') return !sameState(desired, actual);
  return desired.kind === 'link' && actual.kind === 'link' && !sameType(desired.type, actual.type);
}

/** An adopted bridge is as its maker has it, and has only to be up. */
export function isAdopted({ type }: Link): boolean {
  return type.type === 'bridge' && type.adopted === 'yes';
}

function sameLink(desired: Link, actual: Link): boolean {
  if (isAdopted(actual))
    return sameType(desired.type, actual.type) && desired.owner === actual.owner && desired.up === actual.up;
  return (
    sameType(desired.type, actual.type) &&
    desired.owner === actual.owner &&
    desired.up === actual.up &&
    (desired.mtu === undefined || desired.mtu === actual.mtu) &&
    (desired.mac === undefined || desired.mac === actual.mac) &&
    desired.master === actual.master &&
    samePort(desired.port, actual.port)
  );
}

/** Absent only where there is no master, and the masters have been compared. */
function samePort(desired: BridgePort | undefined, actual: BridgePort | undefined): boolean {
  return (
    desired?.learning === actual?.learning &&
    desired?.flood === actual?.flood &&
    desired?.isolated === actual?.isolated &&
    desired?.hairpin === actual?.hairpin
  );
}

function sameType(desired: LinkType, actual: LinkType): boolean {
  if (desired.type === 'vxlan') {
    return (
      actual.type === 'vxlan' &&
      desired.vni === actual.vni &&
      desired.local === actual.local &&
      desired.port === actual.port
    );
  }
  if (desired.type === 'veth') {
    return (
      actual.type === 'veth' && desired.peer.ns === actual.peer.ns && desired.peer.name === actual.peer.name
    );
  }
  if (desired.type === 'macvlan') {
    return actual.type === 'macvlan' && samePlace(desired, actual) && desired.mode === actual.mode;
  }
  if (desired.type === 'ipvlan') {
    return (
      actual.type === 'ipvlan' &&
      samePlace(desired, actual) &&
      desired.mode === actual.mode &&
      desired.flag === actual.flag
    );
  }
  if (desired.type === 'vlan') {
    return actual.type === 'vlan' && samePlace(desired, actual) && desired.id === actual.id;
  }
  return desired.type === actual.type;
}

/** Whether both are on one parent. */
function samePlace(desired: StackedType, actual: StackedType): boolean {
  return desired.parent.ns === actual.parent.ns && desired.parent.name === actual.parent.name;
}

function sameEntries(desired: readonly HostsEntry[], actual: readonly HostsEntry[]): boolean {
  return (
    desired.length === actual.length &&
    desired.every((entry, index) => {
      const other = actual[index];
      return other !== undefined && entry.address === other.address && sameTexts(entry.names, other.names);
    })
  );
}

function sameTexts(desired: readonly string[] | undefined, actual: readonly string[] | undefined): boolean {
  if (desired === undefined || actual === undefined) return desired === actual;
  return desired.length === actual.length && desired.every((text, at) => text === actual[at]);
}

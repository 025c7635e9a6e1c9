/**
 * When the kernel's state of an object is what is wanted, and when it cannot be altered into it.
 *
 * The comparison is lopsided: what is desired may leave a member to the kernel (a link's MAC, loopback's MTU), what is
 * there always has it. So the parameters are named, and `equal(a, b)` does not imply `equal(b, a)`.
 */
import { unreachable } from '../lib/assert.ts';
import { keyOf } from './key.ts';
import type { BridgePort, HostsEntry, KernelObject, Link, LinkType } from './object.ts';

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
    default:
      return unreachable(desired);
  }
}

/**
 * True when `actual`, which has the key of `desired`, cannot be altered into it: it must be deleted and made anew.
 * Links alone have such members: their type, the parameters of a VXLAN end, and whom a veth is paired with.
 */
export function needsReplacing(desired: KernelObject, actual: KernelObject): boolean {
  return desired.kind === 'link' && actual.kind === 'link' && !sameType(desired.type, actual.type);
}

function sameLink(desired: Link, actual: Link): boolean {
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
  return desired?.learning === actual?.learning && desired?.flood === actual?.flood;
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
  return desired.type === actual.type;
}

function sameEntries(desired: readonly HostsEntry[], actual: readonly HostsEntry[]): boolean {
  return (
    desired.length === actual.length &&
    desired.every((entry, index) => {
      const other = actual[index];
      return (
        other !== undefined &&
        entry.address === other.address &&
        entry.names.length === other.names.length &&
        entry.names.every((name, at) => name === other.names[at])
      );
    })
  );
}

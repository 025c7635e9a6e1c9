/** Links, from the data plane's words to the kernel's requests. */
import type { Link, StackedType, VxlanType } from '../../core/dataplane/object.ts';
import { unreachable } from '../../core/lib/assert.ts';
import { familyOf } from '../../core/model/address.ts';
import { type Request, request } from '../netlink/message.ts';
import { flagCreate, flagExclusive } from '../netlink/tables/common.ts';
import {
  bridgeLink,
  ipvlanFlags,
  ipvlanLink,
  ipvlanModes,
  linkFlag,
  link as linkLayout,
  linkMessage,
  macvlanLink,
  macvlanModes,
  plainLink,
  vethLink,
  vlanLink,
  vxlanDfInherit,
  vxlanLink,
} from '../netlink/tables/link.ts';
import { aliasOf } from './alias.ts';
import type { LinkRecord } from './link.ts';

const flagsCreate = flagCreate | flagExclusive;

/**
 * Equivalent to: ip link add NAME address MAC mtu N type bridge stp_state 0 mcast_snooping 0 vlan_default_pvid 0.
 *
 * Without a default VLAN, an entry put into its table is one entry, not one per VLAN. VLAN filtering is off unless asked
 * for, and a kernel without it refuses to be told so.
 */
export function createBridge(link: Link): Request {
  const data = { stpState: 0, multicastSnooping: 0, vlanDefaultPvid: 0 };
  return request(bridgeLink, linkMessage.new, flagsCreate, upFlags(link.up), {
    ...members(link),
    info: { kind: 'bridge', data },
  });
}

/**
 * Equivalent to: ip link add NAME netns NS type vxlan id VNI local ADDRESS dstport PORT nolearning proxy df inherit.
 * To be sent in the daemon's namespace, where its UDP socket stays; the link is born in the one of `netnsFd`.
 */
export function createVxlan(link: Link, type: VxlanType, netnsFd: number): Request {
  const local = familyOf(type.local) === 4 ? { local: type.local } : { local6: type.local };
  const data = { vni: type.vni, ...local, port: type.port, learning: 0, proxy: 1, df: vxlanDfInherit };
  return request(
    vxlanLink,
    linkMessage.new,
    flagsCreate,
    {},
    { ...members(link), netnsFd, info: { kind: 'vxlan', data } },
  );
}

/** Equivalent to: ip link add NAME type dummy. */
export function createDummy(link: Link): Request {
  return request(plainLink, linkMessage.new, flagsCreate, upFlags(link.up), {
    ...members(link),
    info: { kind: 'dummy' },
  });
}

/**
 * Equivalent to: ip link add link PARENT name NAME netns NS type macvlan mode M (or ipvlan mode M FLAG, or vlan id N). To
 * be sent in the parent's namespace; the link is born in its own, under its final name.
 */
export function createStacked(
  link: Link,
  type: StackedType,
  { parent, netnsFd }: { readonly parent: number; readonly netnsFd: number | undefined },
): Request {
  const common = { ...members(link), lower: parent, netnsFd };
  switch (type.type) {
    case 'macvlan': {
      const info = { kind: 'macvlan', data: { mode: macvlanModes[type.mode] } };
      return request(macvlanLink, linkMessage.new, flagsCreate, {}, { ...common, info });
    }
    case 'ipvlan': {
      const data = { mode: ipvlanModes[type.mode], flags: ipvlanFlags[type.flag] };
      return request(
        ipvlanLink,
        linkMessage.new,
        flagsCreate,
        {},
        { ...common, info: { kind: 'ipvlan', data } },
      );
    }
    case 'vlan': {
      const info = { kind: 'vlan', data: { id: type.id } };
      return request(vlanLink, linkMessage.new, flagsCreate, {}, { ...common, info });
    }
    default:
      return unreachable(type);
  }
}

export interface VethPeer {
  readonly name: string;
  /** Absent: the namespace in which the request is made. */
  readonly netnsFd: number | undefined;
  /** The other end's object, where it is known: it is born with its members. */
  readonly link: Link | undefined;
}

/**
 * Equivalent to: ip link add NAME master BRIDGE type veth peer name NAME2 netns NS2. Both ends are born where they
 * belong, under their final names, so no name can clash in between.
 */
export function createVeth(link: Link, peer: VethPeer, master: number): Request {
  const attributes = {
    name: peer.name,
    netnsFd: peer.netnsFd,
    mtu: peer.link?.mtu ?? link.mtu,
    mac: peer.link?.mac,
  };
  // A port comes up when its settings are made, not before. The other end cannot come up yet at all: the kernel pairs
  // the two after it has configured that one (`veth_open` of `drivers/net/veth.c` says ENOTCONN).
  const header = link.port === undefined ? upFlags(link.up) : {};
  return request(vethLink, linkMessage.new, flagsCreate, header, {
    ...members(link),
    master: master === 0 ? undefined : master,
    info: { kind: 'veth', data: { peer: { header: {}, attributes } } },
  });
}

/** Equivalent to: ip link set NAME alias ALIAS, and for ports bridge link set dev NAME learning L flood F. */
export function markLink(link: Link, master: number): Request[] {
  const marking = request(linkLayout, linkMessage.new, 0, link.port === undefined ? upFlags(link.up) : {}, {
    name: link.name,
    alias: aliasOf(link),
    master: master === 0 ? undefined : master,
  });
  if (link.port === undefined) return [marking];
  const up = request(linkLayout, linkMessage.new, 0, upFlags(link.up), { name: link.name });
  return [marking, setPort(link.name, link.port), ...(link.up ? [up] : [])];
}

/** Requests that make the link of `record` into `link`; none where it is that already. Its type is not looked at. */
export function alterLink(link: Link, record: LinkRecord, master: number): Request[] {
  const alias = aliasOf(link);
  const changes = {
    mtu: differing(link.mtu, record.mtu),
    mac: differing(link.mac, record.mac),
    alias: differing(alias, record.alias),
    master: differing(master, record.master),
  };
  const requests: Request[] = [];
  const header = { index: record.index };
  if (Object.values(changes).some((value) => value !== undefined)) {
    requests.push(request(linkLayout, linkMessage.new, 0, header, changes));
  }
  // Leaving one bridge for another resets the port.
  const samePort =
    changes.master === undefined &&
    link.port?.learning === record.port?.learning &&
    link.port?.flood === record.port?.flood &&
    link.port?.isolated === record.port?.isolated &&
    link.port?.hairpin === record.port?.hairpin;
  if (link.port !== undefined && !samePort) requests.push(setPort(record.name, link.port));
  if (link.up !== record.up) requests.push(setUp(record.index, link.up));
  return requests;
}

/** Equivalent to: ip link set dev NAME up|down. */
export function setUp(index: number, up: boolean): Request {
  return request(
    linkLayout,
    linkMessage.new,
    0,
    { index, flags: up ? linkFlag.up : 0, change: linkFlag.up },
    {},
  );
}

/** Equivalent to: ip link set dev NAME alias ALIAS. */
export function setAlias(index: number, alias: string): Request {
  return request(linkLayout, linkMessage.new, 0, { index }, { alias });
}

/** Equivalent to: ip link delete dev NAME. Deletes the other end of a veth too. */
export function deleteLink(index: number): Request {
  return request(linkLayout, linkMessage.delete, 0, { index }, {});
}

/** Equivalent to: ip link set dev NAME group N. */
export function setGroup(index: number, group: number): Request {
  return request(linkLayout, linkMessage.new, 0, { index }, { group });
}

/** Equivalent to: ip link delete group N. */
export function deleteGroup(group: number): Request {
  return request(linkLayout, linkMessage.delete, 0, {}, { group });
}

function setPort(name: string, port: NonNullable<Link['port']>): Request {
  const portData = {
    learning: port.learning ? 1 : 0,
    unicastFlood: port.flood ? 1 : 0,
    isolated: port.isolated === true ? 1 : 0,
    hairpin: port.hairpin === true ? 1 : 0,
  };
  return request(linkLayout, linkMessage.new, 0, {}, { name, info: { portKind: 'bridge', portData } });
}

function members(link: Link): {
  readonly name: string;
  readonly mtu: number | undefined;
  readonly mac: Link['mac'] | undefined;
} {
  return { name: link.name, mtu: link.mtu, mac: link.mac };
}

function upFlags(up: boolean): { readonly flags?: number; readonly change?: number } {
  return up ? { flags: linkFlag.up, change: linkFlag.up } : {};
}

function differing<T>(wanted: T | undefined, actual: T | undefined): T | undefined {
  return wanted === actual ? undefined : wanted;
}

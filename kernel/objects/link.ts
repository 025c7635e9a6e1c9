/**
 * Links, from the kernel's messages to the data plane's words.
 *
 * Equivalent to: ip -d link show. What weft made is told by its alias, `weft:OWNER`; see `alias.ts`.
 */
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type {
  BridgePort,
  IpvlanType,
  Link,
  LinkType,
  MacvlanType,
  VlanType,
} from '../../core/dataplane/object.ts';
import type { IpAddress } from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';
import { readAttributes } from '../netlink/attribute.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import {
  ipvlanAttributes,
  ipvlanFlags,
  ipvlanModes,
  link,
  linkFlag,
  linkMessage,
  macvlanAttributes,
  macvlanModes,
  skipStatistics,
  vlanAttributes,
  vxlanAttributes,
  vxlanDfInherit,
} from '../netlink/tables/link.ts';
import { type LinkAlias, parseAlias } from './alias.ts';

/** A link as the kernel tells it: others are numbers. */
export interface LinkRecord {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  readonly mac?: Mac;
  /** `bridge`, `vxlan`, `veth`, `macvlan` or another of the kernel's; empty for hardware and loopback. */
  readonly type: string;
  /** The raw text; empty for none. */
  readonly alias: string;
  /** What the alias says, where it is weft's. */
  readonly weft?: LinkAlias;
  /** 0 for none. */
  readonly master: number;
  /** 0 unless someone gave it another. */
  readonly group: number;
  readonly port?: BridgePort;
  /**
   * A veth's other end, or what a link is stacked on: its number in its namespace, and that namespace's number in this
   * one (absent: this one).
   */
  readonly lower: { readonly index: number; readonly namespaceId?: number };
  readonly vxlan?: VxlanRecord;
  /** What a stacked link's type says beside its parent; absent where weft has no word for it. */
  readonly stacked?: Stacking;
}

/** A stacked type without its parent. */
export type Stacking = Omit<MacvlanType, 'parent'> | Omit<IpvlanType, 'parent'> | Omit<VlanType, 'parent'>;

export interface VxlanRecord {
  readonly vni: number;
  readonly local?: IpAddress;
  readonly port: number;
  /** True where every other setting is as weft makes it. */
  readonly plain: boolean;
}

/** Equivalent to: ip link show dev NAME. */
export function getLink(name: string): Request {
  return request(link, linkMessage.get, 0, {}, { name, extendedMask: skipStatistics });
}

export function getLinkByIndex(index: number, targetNetnsId?: number): Request {
  return request(link, linkMessage.get, 0, { index }, { extendedMask: skipStatistics, targetNetnsId });
}

/** Every link of the namespace. */
export function dumpLinks(requests: RequestSocket): LinkRecord[] {
  const messages = requests.dump(request(link, linkMessage.get, 0, {}, { extendedMask: skipStatistics }));
  return messages.filter((message) => message.type === linkMessage.new).map(readLink);
}

/** @throws MalformedMessage */
export function readLink(message: Message): LinkRecord {
  const { header, attributes } = decode(link, message);
  const alias = attributes.alias ?? '';
  const weft = parseAlias(alias);
  const { kind = '', data, portKind, portData } = attributes.info ?? {};
  const stacked = data === undefined ? undefined : readStacking(kind, data);
  return {
    index: header.index,
    name: attributes.name ?? '',
    up: (header.flags & linkFlag.up) !== 0,
    loopback: (header.flags & linkFlag.loopback) !== 0,
    mtu: attributes.mtu ?? 0,
    ...(attributes.mac === undefined ? {} : { mac: attributes.mac }),
    type: kind,
    alias,
    ...(weft === undefined ? {} : { weft }),
    master: attributes.master ?? 0,
    group: attributes.group ?? 0,
    ...(portKind === 'bridge' && portData !== undefined
      ? {
          port: {
            learning: portData.learning === 1,
            flood: portData.unicastFlood === 1,
            ...(portData.isolated === 1 ? { isolated: true } : {}),
            ...(portData.hairpin === 1 ? { hairpin: true } : {}),
          },
        }
      : {}),
    lower: {
      index: attributes.lower ?? 0,
      ...(attributes.lowerNetnsId === undefined ? {} : { namespaceId: attributes.lowerNetnsId }),
    },
    ...(kind === 'vxlan' && data !== undefined ? { vxlan: readVxlan(data) } : {}),
    ...(stacked === undefined ? {} : { stacked }),
  };
}

function readStacking(kind: string, data: Uint8Array): Stacking | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (kind) {
    case 'macvlan': {
      const mode = wordOf(macvlanModes, readAttributes(macvlanAttributes, view, 0).mode);
      return mode === undefined ? undefined : { type: kind, mode };
    }
    case 'ipvlan': {
      const found = readAttributes(ipvlanAttributes, view, 0);
      const mode = wordOf(ipvlanModes, found.mode);
      const flag = wordOf(ipvlanFlags, found.flags ?? ipvlanFlags.bridge);
      return mode === undefined || flag === undefined ? undefined : { type: kind, mode, flag };
    }
    case 'vlan':
      return { type: kind, id: readAttributes(vlanAttributes, view, 0).id ?? 0 };
    default:
      return undefined;
  }
}

function wordOf<T extends string>(numbers: Readonly<Record<T, number>>, number: number | undefined) {
  return (Object.keys(numbers) as T[]).find((word) => numbers[word] === number);
}

function readVxlan(data: Uint8Array): VxlanRecord {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const found = readAttributes(vxlanAttributes, view, 0);
  const local = found.local ?? found.local6;
  return {
    vni: found.vni ?? 0,
    ...(local === undefined ? {} : { local }),
    port: found.port ?? 0,
    plain:
      found.learning === 0 &&
      found.proxy === 1 &&
      (found.l2miss ?? 0) === 0 &&
      (found.l3miss ?? 0) === 0 &&
      (found.df ?? vxlanDfInherit) === vxlanDfInherit,
  };
}

/** What a record does not say itself. */
export interface LinkSurroundings {
  readonly ns: Namespace;
  /** Names of the namespace's links by number. */
  readonly names: ReadonlyMap<number, string>;
  /** A veth's other end, or what a link is stacked on. */
  readonly peer?: { readonly ns: Namespace; readonly name: string };
  /** False for a VXLAN link whose UDP socket lies in another namespace than the daemon's. */
  readonly underlayIsHome: boolean;
}

/** A port that no desired link has: says that a VXLAN link differs in something that its object cannot show. */
const differingPort = 0;

/** The object; undefined for what weft has no word for. */
export function toLink(record: LinkRecord, around: LinkSurroundings): Link | undefined {
  const { ns } = around;
  const common = { kind: 'link', ns, name: record.name, up: record.up } as const;
  if (record.loopback) return { ...common, owner: '', type: { type: 'loopback' } };
  const type = typeOf(record, around);
  if (record.weft === undefined || type === undefined) return undefined;
  const master = record.master === 0 ? undefined : around.names.get(record.master);
  return {
    ...common,
    owner: record.weft.owner,
    mtu: record.mtu,
    ...(record.mac === undefined ? {} : { mac: record.mac }),
    ...(master === undefined ? {} : { master }),
    ...(master === undefined || record.port === undefined ? {} : { port: record.port }),
    type,
  };
}

function typeOf(record: LinkRecord, around: LinkSurroundings): LinkType | undefined {
  switch (record.type) {
    case 'bridge':
      return { type: 'bridge', ...(record.weft?.adopted === true ? { adopted: 'yes' } : {}) };
    case 'dummy':
      return { type: 'dummy' };
    case 'macvlan':
    case 'ipvlan':
    case 'vlan':
      return around.peer === undefined || record.stacked === undefined
        ? undefined
        : { ...record.stacked, parent: around.peer };
    case 'veth':
      return around.peer === undefined ? undefined : { type: 'veth', peer: around.peer };
    case 'vxlan': {
      if (record.vxlan === undefined) return undefined;
      const { vni, local, port, plain } = record.vxlan;
      return {
        type: 'vxlan',
        vni,
        local: local ?? ('0.0.0.0' as IpAddress),
        port: plain && around.underlayIsHome ? port : differingPort,
      };
    }
    default:
      return undefined;
  }
}

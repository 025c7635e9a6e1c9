/**
 * Forwarding entries: of a VXLAN link's own table (`self`: which VTEP a MAC is behind) and of a bridge's (`master`: which
 * port). Always replaced, never exclusively created: an entry that was learned must not stand in the way.
 */
import type { FdbEntry } from '../../core/dataplane/object.ts';
import type { IpAddress } from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import { family, flagCreate, flagReplace } from '../netlink/tables/common.ts';
import {
  neighbour as layout,
  neighbourFlag,
  neighbourMessage,
  neighbourState,
} from '../netlink/tables/neighbour.ts';

export interface FdbRecord {
  readonly index: number;
  readonly mac: Mac;
  readonly table: 'self' | 'master';
  readonly remote?: IpAddress;
  /** `permanent` in a bridge's table is the address of the port itself, which the kernel makes. */
  readonly state: 'permanent' | 'static' | 'learned';
  /** True where it has a port, a VNI, a link or a VLAN of its own, which weft's never have. */
  readonly special: boolean;
}

/**
 * With a remote, equivalent to: bridge fdb replace MAC dev LINK dst REMOTE self permanent.
 * Without: bridge fdb replace MAC dev LINK master static.
 */
export function setFdbEntry(entry: FdbEntry, index: number): Request {
  const own = entry.remote !== undefined;
  return request(
    layout,
    neighbourMessage.new,
    flagCreate | flagReplace,
    {
      family: family.bridge,
      index,
      state: own ? neighbourState.permanent : neighbourState.noarp,
      flags: own ? neighbourFlag.self : neighbourFlag.master,
    },
    { mac: entry.mac, destination: entry.remote },
  );
}

/** Equivalent to: bridge fdb delete MAC dev LINK self (or master). Without a remote it deletes all of the MAC's. */
export function deleteFdbEntry(entry: FdbEntry, index: number): Request {
  const flags = entry.remote === undefined ? neighbourFlag.master : neighbourFlag.self;
  return request(
    layout,
    neighbourMessage.delete,
    0,
    { family: family.bridge, index, flags },
    { mac: entry.mac },
  );
}

/** Equivalent to: bridge fdb show. */
export function dumpFdb(requests: RequestSocket): Message[] {
  return requests
    .dump(request(layout, neighbourMessage.get, 0, { family: family.bridge }, {}))
    .filter((message) => message.type === neighbourMessage.new);
}

/**
 * Undefined for what is no forwarding entry.
 *
 * @throws MalformedMessage
 */
export function readFdbEntry(message: Message): FdbRecord | undefined {
  const { header, attributes } = decode(layout, message);
  if (header.family !== family.bridge || attributes.mac === undefined) return undefined;
  const { destination, port, vni, vlan } = attributes;
  return {
    index: header.index,
    mac: attributes.mac,
    table: (header.flags & neighbourFlag.self) !== 0 ? 'self' : 'master',
    ...(destination === undefined ? {} : { remote: destination }),
    state: stateOf(header.state),
    special:
      port !== undefined || vni !== undefined || attributes.interface !== undefined || vlan !== undefined,
  };
}

function stateOf(bits: number): FdbRecord['state'] {
  if ((bits & neighbourState.permanent) !== 0) return 'permanent';
  return (bits & neighbourState.noarp) !== 0 ? 'static' : 'learned';
}

/** A VTEP that no desired entry has: says that an entry differs in something that its object cannot show. */
export const differingRemote = '0.0.0.0' as IpAddress;

/**
 * What weft has to know of an entry on one of its links; undefined for what it leaves alone: what the kernel makes by
 * itself, and what bridges learn on their ports.
 *
 * Every entry of a VXLAN link's table that leads somewhere is weft's business, learned ones too. One that is not
 * permanent, or has a port or VNI of its own, is reported with a remote that no desired entry has.
 */
export function toFdbEntry(
  record: FdbRecord,
  link: { readonly ns: FdbEntry['ns']; readonly name: string; readonly vxlan: boolean },
): FdbEntry | undefined {
  const key = { kind: 'fdb', ns: link.ns, link: link.name, mac: record.mac } as const;
  if (record.table === 'master') {
    return record.state === 'static' && !record.special ? key : undefined;
  }
  if (!link.vxlan || record.remote === undefined) return undefined;
  const ours = record.state === 'permanent' && !record.special;
  return { ...key, remote: ours ? record.remote : differingRemote };
}

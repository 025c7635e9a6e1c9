/**
 * Permanent neighbours. Ours carry weft's protocol number (`proto 87` of `ip -d neigh`), so that in a user's sandbox
 * they are told from those that the user made.
 */
import { weftProtocol } from '../../core/dataplane/protocol.ts';
import { familyOf, type IpAddress } from '../../core/model/address.ts';
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

export interface NeighbourRecord {
  readonly index: number;
  readonly address: IpAddress;
  /** Absent while the kernel is still asking. */
  readonly mac?: Mac;
  readonly permanent: boolean;
  readonly weft: boolean;
}

/** Equivalent to: ip neigh replace ADDRESS lladdr MAC dev LINK nud permanent proto 87. */
export function setNeighbour(address: IpAddress, mac: Mac, index: number): Request {
  return request(
    layout,
    neighbourMessage.new,
    flagCreate | flagReplace,
    { family: familyNumber(address), index, state: neighbourState.permanent },
    { destination: address, mac, protocol: weftProtocol },
  );
}

/** Equivalent to: ip neigh delete ADDRESS dev LINK. */
export function deleteNeighbour(address: IpAddress, index: number): Request {
  return request(
    layout,
    neighbourMessage.delete,
    0,
    { family: familyNumber(address), index },
    { destination: address },
  );
}

/** Equivalent to: ip neigh show nud all; complete when `read` has seen each message. */
export function dumpNeighbours(requests: RequestSocket): Message[] {
  return requests
    .dump(request(layout, neighbourMessage.get, 0, {}, {}))
    .filter((message) => message.type === neighbourMessage.new);
}

/**
 * Undefined for forwarding and proxy entries.
 *
 * @throws MalformedMessage
 */
export function readNeighbour(message: Message): NeighbourRecord | undefined {
  const { header, attributes } = decode(layout, message);
  if (header.family !== family.ipv4 && header.family !== family.ipv6) return undefined;
  if (attributes.destination === undefined || (header.flags & neighbourFlag.proxy) !== 0) return undefined;
  return {
    index: header.index,
    address: attributes.destination,
    ...(attributes.mac === undefined ? {} : { mac: attributes.mac }),
    permanent: (header.state & neighbourState.permanent) !== 0,
    weft: attributes.protocol === weftProtocol,
  };
}

function familyNumber(address: IpAddress): number {
  return familyOf(address) === 4 ? family.ipv4 : family.ipv6;
}

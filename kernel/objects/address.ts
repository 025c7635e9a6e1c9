/** Addresses. Ours carry weft's protocol number (`proto 87` of `ip -d address`), from Linux 5.18 on. */

import { weftProtocol } from '../../core/dataplane/protocol.ts';
import { addressOf, familyOf, type InterfaceAddress, lengthOf } from '../../core/model/address.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import { address, addressMessage, addressNoDad } from '../netlink/tables/address.ts';
import { family, flagCreate, flagReplace } from '../netlink/tables/common.ts';

export interface AddressRecord {
  readonly index: number;
  readonly address: InterfaceAddress;
  /** True where it carries weft's protocol number. */
  readonly weft: boolean;
  /** True for the link-local ones, which the kernel makes by itself. */
  readonly linkLocal: boolean;
}

/** Equivalent to: ip address replace ADDRESS dev LINK proto 87 nodad. */
export function setAddress(value: InterfaceAddress, index: number): Request {
  const flags = familyOf(value) === 6 ? addressNoDad : undefined;
  return request(address, addressMessage.new, flagCreate | flagReplace, headerOf(value, index), {
    ...bothAddresses(value),
    flags,
    protocol: weftProtocol,
  });
}

/** Equivalent to: ip address delete ADDRESS dev LINK. */
export function deleteAddress(value: InterfaceAddress, index: number): Request {
  return request(address, addressMessage.delete, 0, headerOf(value, index), bothAddresses(value));
}

/** Equivalent to: ip -d address show. */
export function dumpAddresses(requests: RequestSocket): AddressRecord[] {
  const messages = requests.dump(request(address, addressMessage.get, 0, {}, {}));
  return messages.flatMap((message) => {
    const record = message.type === addressMessage.new ? readAddress(message) : undefined;
    return record === undefined ? [] : [record];
  });
}

/**
 * Undefined for families that are not IP.
 *
 * @throws MalformedMessage
 */
export function readAddress(message: Message): AddressRecord | undefined {
  const { header, attributes } = decode(address, message);
  if (header.family !== family.ipv4 && header.family !== family.ipv6) return undefined;
  const own = attributes.local ?? attributes.address;
  if (own === undefined) return undefined;
  return {
    index: header.index,
    address: `${own}/${header.prefixLength}` as InterfaceAddress,
    weft: attributes.protocol === weftProtocol,
    linkLocal: /^fe[89ab]/.test(own),
  };
}

function headerOf(
  value: InterfaceAddress,
  index: number,
): { readonly family: number; readonly prefixLength: number; readonly index: number } {
  return {
    family: familyOf(value) === 4 ? family.ipv4 : family.ipv6,
    prefixLength: lengthOf(value),
    index,
  };
}

/** IPv4 wants both, or takes the link for a point-to-point one. */
function bothAddresses(value: InterfaceAddress): {
  readonly local: ReturnType<typeof addressOf>;
  readonly address: ReturnType<typeof addressOf>;
} {
  const own = addressOf(value);
  return { local: own, address: own };
}

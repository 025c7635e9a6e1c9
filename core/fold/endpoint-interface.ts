/** The interface of an endpoint: its MAC address and its name inside the sandbox, asked for or chosen. */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { quote } from '../lib/quote.ts';
import { interfaceNameLengthMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import { addressOf, type InterfaceAddress } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { EndpointId } from '../model/ids.ts';
import { isUnicastMac, type Mac, macFromBytes, macOfAddress, parseMac } from '../model/mac.ts';
import { isInterfaceName } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import type { Draft } from './draft.ts';
import { endpointWithMac } from './lookup.ts';
import { Refused, refuseUnless, type What } from './refused.ts';

/** Hashes to try for a MAC address that nobody has. With a million endpoints on a network each fails one time in 4,000. */
const macAttemptsMax = 16;

/** Directories of `/proc/sys/net/ipv4/conf` that are no interface; the kernel refuses them for names. */
const sysctlNames: ReadonlySet<string> = new Set(['all', 'default']);

/** Every sandbox has it. */
const loopback = 'lo';

/**
 * The one asked for; else the one that Docker derives from the IPv4 address; else one from the endpoint's id.
 *
 * @throws Refused `bad-mac`, `mac-taken`
 */
export function chooseMac(
  what: What,
  draft: Draft,
  network: Network,
  id: EndpointId,
  asked: string | undefined,
  addresses: readonly InterfaceAddress[],
): Mac {
  if (asked !== undefined) return checkMac(what, draft, network, asked);
  const [first] = addresses;
  const derived = first === undefined ? undefined : macOfAddress(addressOf(first));
  if (derived !== undefined && endpointWithMac(draft, network, derived) === undefined) return derived;
  for (let attempt = 0; attempt < macAttemptsMax; attempt += 1) {
    const mac = macFromBytes([
      0x02,
      0x42,
      ...sha256(utf8ToBytes(`weft mac ${id} ${attempt}`)).subarray(0, 4),
    ]);
    if (endpointWithMac(draft, network, mac) === undefined) return mac;
  }
  throw new Refused('mac-taken', `${what()}: no free MAC address was found; give a --mac-address`);
}

type InterfaceWishes = Pick<BodyOf<'endpoint-create'>, 'ifname' | 'avoid'> & {
  /** What the network has automatic names begin with; `eth` where it does not say. */
  readonly prefix?: string | undefined;
};

/**
 * The one asked for, or the lowest `ethN` that neither weft nor anybody else has in the sandbox.
 *
 * @param siblings the sandbox's endpoints so far
 * @throws Refused `bad-name`, `interface-taken`
 */
export function chooseInterfaceName(
  what: What,
  siblings: readonly Endpoint[],
  { ifname, avoid, prefix = 'eth' }: InterfaceWishes,
): string {
  const taken = new Set([loopback, ...avoid]);
  for (const sibling of siblings) if (sibling.ifname !== undefined) taken.add(sibling.ifname);
  if (ifname !== undefined) {
    refuseUnless(isInterfaceName(ifname) && !sysctlNames.has(ifname), 'bad-name', () => {
      return `${what()}: ${quote(ifname)} is no interface name; use 1 to ${interfaceNameLengthMax} letters, digits, '_', '.' or '-', beginning with a letter`;
    });
    refuseUnless(
      !taken.has(ifname),
      'interface-taken',
      () => `${what()}: the sandbox has an interface ${ifname}; choose another name`,
    );
    return ifname;
  }
  let number = 0;
  while (taken.has(`${prefix}${number}`)) number += 1;
  return `${prefix}${number}`;
}

function checkMac(what: What, draft: Draft, network: Network, asked: string): Mac {
  const mac = parseMac(asked);
  refuseUnless(
    mac !== undefined,
    'bad-mac',
    () => `${what()}: ${quote(asked)} is no MAC address; write it like 02:42:0a:00:01:09`,
  );
  refuseUnless(
    isUnicastMac(mac),
    'bad-mac',
    () => `${what()}: ${mac} is a group address or zero; choose a unicast one`,
  );
  const other = endpointWithMac(draft, network, mac);
  refuseUnless(other === undefined, 'mac-taken', () => {
    return `${what()}: endpoint ${other?.id.slice(0, 12)} has MAC address ${mac}; choose another`;
  });
  return mac;
}

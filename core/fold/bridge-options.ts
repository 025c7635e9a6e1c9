/**
 * The options of bridge networks: Docker's names, with Docker's meanings and defaults.
 *
 * Their values were checked when the network was made; the functions here say what they come to.
 */
import { quote } from '../lib/quote.ts';
import { interfaceNameLengthMax } from '../limits.ts';
import { type Family, familyOf, type IpAddress, parseAddress } from '../model/address.ts';
import { isInterfaceName } from '../model/names.ts';
import { isPredefined, type Network } from '../model/network.ts';
import { isEveryAddress } from '../model/published-port.ts';
import { isYes, type OptionCheck, oneOf, yesOrNo } from './option-check.ts';
import { refuseUnless } from './refused.ts';

/** Name of the bridge; one that is there already is adopted. */
export const bridgeNameOption = 'com.docker.network.bridge.name';
/** Whether endpoints of the network reach each other. */
export const iccOption = 'com.docker.network.bridge.enable_icc';
/** Whether what leaves the host from an endpoint has the host's address. */
const masqueradeOption = 'com.docker.network.bridge.enable_ip_masquerade';
/** Whether the bridge has no IPv4 address: the gateway is another machine's. */
const noIpv4Option = 'com.docker.network.bridge.inhibit_ipv4';
/** Where ports are published that do not say at which address of the host. */
const hostBindingOption = 'com.docker.network.bridge.host_binding_ipv4';
/** What interface names of endpoints begin with. */
export const interfacePrefixOption = 'com.docker.network.container_iface_prefix';
/**
 * `nat`: endpoints have the host's address outside, and nothing outside reaches theirs. `nat-unprotected`: every port of
 * theirs can be reached from outside by whoever has a route. `routed`: they keep their addresses outside, and nothing but
 * published ports can be reached. `isolated`, of internal networks: the host has no address there either.
 */
const gatewayModeOptions: Readonly<Record<Family, string>> = {
  4: 'com.docker.network.bridge.gateway_mode_ipv4',
  6: 'com.docker.network.bridge.gateway_mode_ipv6',
};

/** What a name of an interface may begin with, and leave room for four digits. */
const interfacePrefixLengthMax = interfaceNameLengthMax - 4;
/** Names that the kernel or every namespace has for something else. */
const otherNames: ReadonlySet<string> = new Set(['all', 'default', 'lo']);

/** Digits of a network's id in the name of its bridge, as Docker has them. */
const networkDigits = 12;
const generatedPrefix = 'br-';

const interfaceName: OptionCheck = (value) =>
  isInterfaceName(value) && !otherNames.has(value)
    ? undefined
    : `1 to ${interfaceNameLengthMax} letters, digits, '_', '.' or '-', beginning with a letter`;
const interfacePrefix: OptionCheck = (value) =>
  isInterfaceName(value) && value.length <= interfacePrefixLengthMax
    ? undefined
    : `1 to ${interfacePrefixLengthMax} letters, digits, '_', '.' or '-', beginning with a letter`;
const ipv4Address: OptionCheck = (value) => {
  const address = parseAddress(value);
  return address !== undefined && familyOf(address) === 4 ? undefined : 'an IPv4 address such as 192.0.2.1';
};
const isolated = 'isolated';
const gatewayMode = oneOf('nat', 'nat-unprotected', 'routed', isolated);

export const bridgeOptions: readonly (readonly [string, OptionCheck])[] = [
  [bridgeNameOption, interfaceName],
  [iccOption, yesOrNo],
  [masqueradeOption, yesOrNo],
  [noIpv4Option, yesOrNo],
  [hostBindingOption, ipv4Address],
  [interfacePrefixOption, interfacePrefix],
  [gatewayModeOptions[4], gatewayMode],
  [gatewayModeOptions[6], gatewayMode],
];

type Named = Pick<Network, 'id' | 'options'>;

/** The one asked for, or `br-` and the beginning of the network's id, as in Docker. */
export function bridgeNameOf({ id, options }: Named): string {
  return options[bridgeNameOption] ?? `${generatedPrefix}${id.slice(0, networkDigits)}`;
}

/**
 * Whether the bridge may be one that someone made before, of which nothing is altered but what was asked for: where the
 * user has named it.
 */
export function mayExist(network: Pick<Network, 'options' | 'created'>): boolean {
  return network.options[bridgeNameOption] !== undefined && !isPredefined(network);
}

export function hasNeighbours({ options }: Pick<Network, 'options'>): boolean {
  return isYes(options[iccOption], true);
}

export function hasBridgeAddress({ options }: Pick<Network, 'options'>, family: Family): boolean {
  if (isIsolated({ options }, family)) return false;
  return family === 6 || !isYes(options[noIpv4Option], false);
}

/** Whether not even the host reaches endpoints. */
export function isIsolated({ options }: Pick<Network, 'options'>, family: Family): boolean {
  return options[gatewayModeOptions[family]] === isolated;
}

/** @throws Refused `bad-option` where a network that is not internal is to be isolated: nothing would lead out of it */
export function checkIsolation(
  what: string,
  { options, internal }: Pick<Network, 'options' | 'internal'>,
): void {
  const option = ([4, 6] as const).filter((family) => isIsolated({ options }, family));
  refuseUnless(internal || option.length === 0, 'bad-option', () => {
    return `${what}: option ${gatewayModeOptions[option[0] ?? 4]} is ${quote(isolated)}, which only internal networks can be; write --internal too, or leave it out`;
  });
}

export function isMasqueraded(
  { options, internal }: Pick<Network, 'options' | 'internal'>,
  family: Family,
): boolean {
  return !internal && !isRouted({ options }, family) && isYes(options[masqueradeOption], true);
}

/** Whether endpoints are reached from outside at their own addresses, with no port of the host before theirs. */
export function isRouted({ options }: Pick<Network, 'options'>, family: Family): boolean {
  return options[gatewayModeOptions[family]] === 'routed';
}

/** The one address of the host at which ports are published that name none; undefined: at all. */
export function bindingAddress({ options }: Pick<Network, 'options'>): IpAddress | undefined {
  const address = parseAddress(options[hostBindingOption] ?? '');
  return address === undefined || isEveryAddress(address) ? undefined : address;
}

/** Whether whoever outside has a route reaches every port of the endpoints. */
export function isOpen(
  { options, internal }: Pick<Network, 'options' | 'internal'>,
  family: Family,
): boolean {
  return !internal && options[gatewayModeOptions[family]] === 'nat-unprotected';
}

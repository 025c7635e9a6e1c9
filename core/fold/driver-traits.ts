/**
 * What the fold must know of a driver to decide on its networks, and nothing of what the driver does with them. A trait
 * is part of the rules of the log: it changes with the version of the schema, never with a release.
 */
import { interfaceNameLengthMax, mtuMax, mtuMin, vlanIdMax, vlanIdMin, vniMax } from '../limits.ts';
import { isInterfaceName } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import { parseParent } from '../model/parent.ts';
import { bridgeOptions } from './bridge-options.ts';
import { localSpace } from './gateway-network.ts';
import { type OptionCheck, oneOf, wholeNumber } from './option-check.ts';

export interface DriverTraits {
  /** Whether its networks have subnets and its endpoints addresses. */
  readonly hasAddresses: boolean;
  readonly hasVni: boolean;
  /** Whether its networks are each host's own: endpoints reach those of their host alone. */
  readonly isLocal: boolean;
  /** Whether its networks lead to the outside world, unless they are internal. */
  readonly leadsOut: (options: NetworkOptions) => boolean;
  /** Whether sandboxes on its networks, unless they are internal, reach the outside world by the host's gateway bridge. */
  readonly usesGateway: boolean;
  /**
   * The address space of its networks, where they all stand in one routing table, and so share no subnet: they have at
   * most one of each family, those that are not asked for come from Docker's pools of local networks. Absent: the space
   * is the user's to choose.
   */
  readonly space?: string;
  /** Whether its endpoints are interfaces, with a name and a MAC address. */
  readonly hasInterfaces: boolean;
  /** Whether the predefined network is the only one of the driver. */
  readonly isSingle: boolean;
  /** Whether a sandbox on one of its networks is on no other. */
  readonly isAlone: boolean;
  /** Whether an endpoint's interface has a MAC address of its own, and not that of what it is stacked on. */
  readonly hasOwnMac: (options: NetworkOptions) => boolean;
  /** Whether ports of a host can lead to its endpoints. */
  readonly publishesPorts: boolean;
  /** The options that it knows, each with its check. */
  readonly options: ReadonlyMap<string, OptionCheck>;
}

export type NetworkOptions = Readonly<Record<string, string>>;

/** MTU of the containers' interfaces, bytes. Docker's name. */
export const mtuOption = 'com.docker.network.driver.mtu';
/** As in Docker 0 asks for no other than there is without the option. */
const mtu: OptionCheck = (value) => (value === '0' ? undefined : wholeNumber(mtuMin, mtuMax)(value));
/** The VNI asked for. Docker's name, of a list because Docker has one for every subnet. */
export const vniOption = 'com.docker.network.driver.overlay.vxlanid_list';

/** The host's link that a network's interfaces are stacked on, `NAME` or `NAME.VLAN`. Docker's name. */
export const parentOption = 'parent';
/** Docker's names. */
export const macvlanModeOption = 'macvlan_mode';
export const ipvlanModeOption = 'ipvlan_mode';
export const ipvlanFlagOption = 'ipvlan_flag';

/** IPv6 is switched off by the kernel on links below this MTU (RFC 8200 §5), bytes. */
export const mtuMinIpv6 = 1280;

const overlay: DriverTraits = {
  hasAddresses: true,
  hasVni: true,
  isLocal: false,
  leadsOut: () => false,
  usesGateway: true,
  hasInterfaces: true,
  isSingle: false,
  isAlone: false,
  hasOwnMac: () => true,
  publishesPorts: true,
  options: new Map([
    [mtuOption, mtu],
    [vniOption, wholeNumber(1, vniMax, 'one VNI ')],
  ]),
};

const bridge: DriverTraits = {
  hasAddresses: true,
  hasVni: false,
  isLocal: true,
  leadsOut: () => true,
  usesGateway: false,
  space: localSpace,
  hasInterfaces: true,
  isSingle: false,
  isAlone: false,
  hasOwnMac: () => true,
  publishesPorts: true,
  options: new Map([[mtuOption, mtu], ...bridgeOptions]),
};

/** Of interfaces that are stacked on a link of each host. */
const stacked = {
  hasAddresses: true,
  hasVni: false,
  isLocal: false,
  leadsOut: (options: NetworkOptions) => options[parentOption] !== undefined,
  usesGateway: false,
  hasInterfaces: true,
  isSingle: false,
  isAlone: false,
  publishesPorts: false,
} as const;

const macvlan: DriverTraits = {
  ...stacked,
  hasOwnMac: (options) => options[macvlanModeOption] !== 'passthru',
  options: new Map([
    [parentOption, parentLink],
    [macvlanModeOption, oneOf('bridge', 'private', 'vepa', 'passthru')],
    [mtuOption, mtu],
  ]),
};

const ipvlan: DriverTraits = {
  ...stacked,
  hasOwnMac: () => false,
  options: new Map([
    [parentOption, parentLink],
    [ipvlanModeOption, oneOf('l2', 'l3', 'l3s')],
    [ipvlanFlagOption, oneOf('bridge', 'private', 'vepa')],
    [mtuOption, mtu],
  ]),
};

/** A sandbox that is given nothing: with loopback alone, or the host's own namespace, which has all it needs. */
const nothing: DriverTraits = {
  hasAddresses: false,
  hasVni: false,
  isLocal: true,
  leadsOut: () => false,
  usesGateway: false,
  hasInterfaces: false,
  isSingle: true,
  isAlone: true,
  hasOwnMac: () => false,
  publishesPorts: false,
  options: new Map(),
};

const drivers: ReadonlyMap<string, DriverTraits> = new Map([
  ['bridge', bridge],
  ['host', nothing],
  ['ipvlan', ipvlan],
  ['macvlan', macvlan],
  ['null', nothing],
  ['overlay', overlay],
]);

/** Whether endpoints of the network can have a default route through it. */
export function hasWayOut({
  driver,
  internal,
  options,
}: Pick<Network, 'driver' | 'internal' | 'options'>): boolean {
  return !internal && driverTraits(driver)?.leadsOut(options) === true;
}

export function driverTraits(driver: string): DriverTraits | undefined {
  return drivers.get(driver);
}

/** Those of which networks can be made, in alphabetical order. */
export const driverNames: readonly string[] = [...drivers]
  .filter(([, traits]) => !traits.isSingle)
  .map(([name]) => name);

/** The name of a link, and behind a dot the VLAN whose frames of it are meant. Each host has the link, or has it not. */
function parentLink(value: string): string | undefined {
  if (value === 'lo') return 'another link than loopback, which is not a valid parent';
  if (!isInterfaceName(value))
    return `the name of a link, such as eth0 or eth0.50, of ${interfaceNameLengthMax} characters at most`;
  const vlan = parseParent(value).vlan ?? vlanIdMin;
  return vlan >= vlanIdMin && vlan <= vlanIdMax
    ? undefined
    : `a link with a VLAN from ${vlanIdMin} to ${vlanIdMax} behind the dot`;
}

/**
 * What the fold must know of a driver to decide on its networks, and nothing of what the driver does with them. A trait
 * is part of the rules of the log: it changes with the version of the schema, never with a release.
 */
import { mtuMax, mtuMin, vniMax } from '../limits.ts';

export interface DriverTraits {
  /** Whether its networks have subnets and its endpoints addresses. */
  readonly hasAddresses: boolean;
  readonly hasVni: boolean;
  /** Whether its endpoints are interfaces, with a name and a MAC address. */
  readonly hasInterfaces: boolean;
  /** Whether the predefined network is the only one of the driver. */
  readonly isSingle: boolean;
  /** Whether a sandbox on one of its networks is on no other. */
  readonly isAlone: boolean;
  /** The options that it knows, each with its check. */
  readonly options: ReadonlyMap<string, OptionCheck>;
}

/** What an option must be, as the end of "it must be …"; undefined when the value is that. */
export type OptionCheck = (value: string) => string | undefined;

/** MTU of the containers' interfaces, bytes. Docker's name. */
export const mtuOption = 'com.docker.network.driver.mtu';
/** The VNI asked for. Docker's name, of a list because Docker has one for every subnet. */
export const vniOption = 'com.docker.network.driver.overlay.vxlanid_list';

/** IPv6 is switched off by the kernel on links below this MTU (RFC 8200 §5), bytes. */
export const mtuMinIpv6 = 1280;

const overlay: DriverTraits = {
  hasAddresses: true,
  hasVni: true,
  hasInterfaces: true,
  isSingle: false,
  isAlone: false,
  options: new Map([
    [mtuOption, wholeNumber(mtuMin, mtuMax)],
    [vniOption, wholeNumber(1, vniMax, 'one VNI ')],
  ]),
};

/** A sandbox that is given nothing: with loopback alone, or the host's own namespace, which has all it needs. */
const nothing: DriverTraits = {
  hasAddresses: false,
  hasVni: false,
  hasInterfaces: false,
  isSingle: true,
  isAlone: true,
  options: new Map(),
};

const drivers: ReadonlyMap<string, DriverTraits> = new Map([
  ['host', nothing],
  ['null', nothing],
  ['overlay', overlay],
]);

export function driverTraits(driver: string): DriverTraits | undefined {
  return drivers.get(driver);
}

/** Those of which networks can be made, in alphabetical order. */
export const driverNames: readonly string[] = [...drivers]
  .filter(([, traits]) => !traits.isSingle)
  .map(([name]) => name);

/** Decimal digits without sign, blanks or leading zeros. */
function wholeNumber(min: number, max: number, what = ''): OptionCheck {
  return (value) => {
    const isFine = /^(0|[1-9][0-9]{0,8})$/.test(value) && Number(value) >= min && Number(value) <= max;
    return isFine ? undefined : `${what}from ${min} to ${max}`;
  };
}

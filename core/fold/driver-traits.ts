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
  options: new Map([
    [mtuOption, wholeNumber(mtuMin, mtuMax)],
    [vniOption, wholeNumber(1, vniMax, 'one VNI ')],
  ]),
};

/** A sandbox with loopback alone. */
const nothing: DriverTraits = {
  hasAddresses: false,
  hasVni: false,
  hasInterfaces: false,
  options: new Map(),
};

const drivers: ReadonlyMap<string, DriverTraits> = new Map([
  ['null', nothing],
  ['overlay', overlay],
]);

export function driverTraits(driver: string): DriverTraits | undefined {
  return drivers.get(driver);
}

/** In alphabetical order. */
export const driverNames: readonly string[] = [...drivers.keys()];

/** Decimal digits without sign, blanks or leading zeros. */
function wholeNumber(min: number, max: number, what = ''): OptionCheck {
  return (value) => {
    const isFine = /^(0|[1-9][0-9]{0,8})$/.test(value) && Number(value) >= min && Number(value) <= max;
    return isFine ? undefined : `${what}from ${min} to ${max}`;
  };
}

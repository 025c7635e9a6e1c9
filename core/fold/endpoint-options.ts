/**
 * Options of one endpoint, by Docker's names (`--driver-opt`): settings of the kernel for its interface, and its name.
 */
import { nearest } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';
import { endpointSysctlsMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import { familyOf, type InterfaceAddress } from '../model/address.ts';
import type { InterfaceSysctl } from '../model/endpoint.ts';
import { Refused, refuseUnless, type What } from './refused.ts';

/** Docker's: `net.ipv4.conf.IFNAME.log_martians=1` and others like it, with commas in between. */
export const sysctlsOption = 'com.docker.network.endpoint.sysctls';
/** Docker's: the name of the interface in the sandbox. */
export const ifnameOption = 'com.docker.network.endpoint.ifname';

const known: readonly string[] = [sysctlsOption, ifnameOption];

/** What stands for the name of the interface, which nobody knows before it is chosen. */
const placeholder = 'IFNAME';
const sysctlPattern = new RegExp(
  `^net\\.(ipv4|ipv6|mpls)\\.(conf|neigh)\\.${placeholder}\\.([a-z0-9_]+)=(.*)$`,
);
/** All settings of an interface are whole numbers, but for those that are addresses and no user's to give. */
const valuePattern = /^(0|-?[1-9][0-9]{0,9})$/;

export interface EndpointOptions {
  /** As asked for, with the placeholder. */
  readonly sysctls: readonly InterfaceSysctl[];
  readonly ifname?: string;
}

/** @throws Refused `unknown-option`, `bad-option` */
export function endpointOptions(
  what: What,
  pairs: NonNullable<BodyOf<'endpoint-create'>['options']>,
): EndpointOptions {
  const options = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (!known.includes(key)) {
      const hint = nearest(key, known) ?? '';
      throw new Refused(
        'unknown-option',
        `${what()}: an endpoint knows no option ${quote(key)}; did you mean ${hint}?`,
      );
    }
    refuseUnless(
      !options.has(key),
      'bad-option',
      () => `${what()}: option ${key} is there twice; leave one out`,
    );
    options.set(key, value);
  }
  const ifname = options.get(ifnameOption);
  const sysctls = options.get(sysctlsOption);
  return {
    sysctls: sysctls === undefined ? [] : parseSysctls(what, sysctls),
    ...(ifname === undefined ? {} : { ifname }),
  };
}

/**
 * Those of the interface, with its name.
 *
 * @throws Refused `bad-option` where one would take from the interface the IPv6 that it has an address of
 */
export function sysctlsOf(
  what: What,
  { sysctls }: EndpointOptions,
  ifname: string,
  addresses: readonly InterfaceAddress[],
): readonly InterfaceSysctl[] {
  const isSix = addresses.some((address) => familyOf(address) === 6);
  return sysctls.map(({ name, value }) => {
    const isOff = name.endsWith(`/${placeholder}/disable_ipv6`) && value !== '0';
    refuseUnless(!(isOff && isSix), 'bad-option', () => {
      return `${what()}: ${sysctlsOption} has disable_ipv6=${value}, and the endpoint has an IPv6 address; leave it out`;
    });
    return { name: name.replace(placeholder, ifname), value };
  });
}

function parseSysctls(what: What, text: string): readonly InterfaceSysctl[] {
  const settings = new Map<string, string>();
  for (const part of text.split(',')) {
    const [, family = '', kind = '', setting = '', value = ''] = sysctlPattern.exec(part) ?? [];
    refuseUnless(setting !== '', 'bad-option', () => {
      return `${what()}: ${sysctlsOption} has ${quote(part)}, and each must be like net.ipv4.conf.${placeholder}.log_martians=1, of net.ipv4, net.ipv6 or net.mpls, conf or neigh, and the interface alone`;
    });
    refuseUnless(valuePattern.test(value), 'bad-option', () => {
      return `${what()}: ${sysctlsOption} has ${quote(part)}, and its value must be a whole number without leading zeros`;
    });
    const name = `net/${family}/${kind}/${placeholder}/${setting}`;
    refuseUnless(!settings.has(name), 'bad-option', () => {
      return `${what()}: ${sysctlsOption} has ${setting} of net.${family}.${kind} twice; leave one out`;
    });
    settings.set(name, value);
  }
  refuseUnless(settings.size <= endpointSysctlsMax, 'bad-option', () => {
    return `${what()}: ${sysctlsOption} has ${settings.size} settings, and ${endpointSysctlsMax} are the most`;
  });
  return [...settings].map(([name, value]) => ({ name, value }));
}

/** Options and labels of a network, checked and turned into what the network keeps of them. */
import { nearest } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';
import type { BodyOf } from '../log/record.ts';
import { type DriverTraits, mtuMinIpv6, mtuOption } from './driver-traits.ts';
import { Refused, refuseUnless } from './refused.ts';

type Pairs = BodyOf<'network-create'>['options'];

/** @param what begins every refusal @throws Refused `unknown-option`, `bad-option` */
export function checkOptions(
  what: string,
  driver: string,
  traits: DriverTraits,
  pairs: Pairs,
): Readonly<Record<string, string>> {
  const seen = new Set<string>();
  for (const [key, value] of pairs) {
    const check = traits.options.get(key);
    if (check === undefined) throw unknownOption(what, driver, traits, key);
    refuseUnless(!seen.has(key), 'bad-option', () => `${what}: option ${key} is there twice; leave one out`);
    seen.add(key);
    const wanted = check(value);
    refuseUnless(
      wanted === undefined,
      'bad-option',
      () => `${what}: option ${key} is ${quote(value)} and must be ${wanted}`,
    );
  }
  return recordOf(pairs);
}

/** @throws Refused `bad-option` when the option leaves no room for IPv6 */
export function checkIpv6Mtu(what: string, options: Readonly<Record<string, string>>): void {
  const mtu = options[mtuOption] ?? '0';
  refuseUnless(mtu === '0' || Number(mtu) >= mtuMinIpv6, 'bad-option', () => {
    return `${what}: IPv6 needs an MTU of ${mtuMinIpv6} and ${mtuOption} is ${mtu}; raise it or leave out IPv6`;
  });
}

/** @throws Refused `bad-label` */
export function checkLabels(what: string, pairs: Pairs): Readonly<Record<string, string>> {
  const seen = new Set<string>();
  for (const [key] of pairs) {
    refuseUnless(key !== '', 'bad-label', () => `${what}: a label has no key; write KEY=VALUE`);
    refuseUnless(
      !seen.has(key),
      'bad-label',
      () => `${what}: label ${quote(key)} is there twice; leave one out`,
    );
    seen.add(key);
  }
  return recordOf(pairs);
}

/** Options that Docker has and weft has not, and what to do instead. */
const dockersOwn: ReadonlyMap<string, string> = new Map([
  ['com.docker.network.enable_ipv4', 'for a network without IPv4 give IPv6 subnets alone'],
  ['com.docker.network.enable_ipv6', 'write --ipv6'],
  ['com.docker.network.internal', 'write --internal'],
  [
    'com.docker.network.host_ipv4',
    'every host has the network, so no one address is right for it; leave it out',
  ],
  [
    'com.docker.network.host_ipv6',
    'every host has the network, so no one address is right for it; leave it out',
  ],
  ['com.docker.network.bridge.default_bridge', "the network 'bridge' is there already; leave it out"],
  [
    'com.docker.network.bridge.trusted_host_interfaces',
    'publish ports, or let all in by com.docker.network.bridge.gateway_mode_ipv4=nat-unprotected',
  ],
  ['encrypted', 'weft encrypts nothing; encrypt what the hosts are joined by'],
]);

function unknownOption(what: string, driver: string, traits: DriverTraits, key: string): Refused {
  const hint = nearest(key, [...traits.options.keys()]);
  const advice = dockersOwn.get(key) ?? (hint === undefined ? 'it knows none' : `did you mean ${hint}?`);
  return new Refused('unknown-option', `${what}: driver ${driver} knows no option ${quote(key)}; ${advice}`);
}

/** In the order of the keys. `fromEntries` defines members, so that a key `__proto__` is a key like any other. */
function recordOf(pairs: Pairs): Readonly<Record<string, string>> {
  return Object.fromEntries([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

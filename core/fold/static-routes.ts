/** Static routes of an endpoint: what its sandbox reaches over its interface, beside the network itself and the way out. */
import { quote } from '../lib/quote.ts';
import {
  addressOf,
  contains,
  containsPrefix,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  lengthOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixesAmong,
} from '../model/address.ts';
import type { Endpoint, StaticRoute } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { Refused, refuseUnless, type What } from './refused.ts';

const shape = 'write DESTINATION[,GATEWAY], such as 10.9.0.0/16,172.18.0.254';

/** Loopback and multicast, and link-local addresses of IPv6: which link they are on is nothing that a route decides. */
const unrouted = prefixesAmong(['127.0.0.0/8', '::1/128', 'fe80::/10', 'ff00::/8']);
/** Comes with link-local addresses of IPv4. Single ones of it are routed, as those of metadata services. */
const linkLocalIpv4 = '169.254.0.0/16' as Prefix;

/**
 * @param siblings the other endpoints of the sandbox
 * @param addresses those of the endpoint on its network
 * @param asked `DESTINATION[,GATEWAY]` each
 * @throws Refused `bad-route`, `route-taken`
 */
export function staticRoutes(
  what: What,
  network: Network,
  siblings: readonly Endpoint[],
  addresses: readonly InterfaceAddress[],
  asked: readonly string[],
): readonly StaticRoute[] {
  const routes = new Map<Prefix, StaticRoute>();
  for (const text of asked) {
    const about: What = () => `${what()}: route ${quote(text)}`;
    const route = parseRoute(about, text);
    checkWay(about, network, addresses, route);
    const { destination } = route;
    refuseUnless(
      !routes.has(destination),
      'bad-route',
      () => `${about()} leads to ${destination} as another one does; leave one out`,
    );
    const other = siblings.find((each) => each.routes?.some((one) => one.destination === destination));
    refuseUnless(other === undefined, 'route-taken', () => {
      return `${about()} leads to ${destination}, as one of the sandbox's endpoint ${other?.id.slice(0, 12)} does; leave it out, or disconnect that`;
    });
    routes.set(destination, route);
  }
  return [...routes.values()];
}

function parseRoute(about: What, text: string): StaticRoute {
  const [to = '', by, ...more] = text.split(',');
  const parsed = parsePrefix(to);
  const via = by === undefined ? undefined : parseAddress(by);
  const isRoute = 'prefix' in parsed && more.length === 0 && (by === undefined) === (via === undefined);
  if (!isRoute) throw new Refused('bad-route', `${about()} is none; ${shape}`);
  refuseUnless(lengthOf(parsed.prefix) > 0, 'bad-route', () => {
    return `${about()} is a default route, which a sandbox has of its networks; choose the network by --gw-priority, or its gateway when it is created`;
  });
  const isRouted =
    parsed.prefix !== linkLocalIpv4 && !unrouted.some((range) => containsPrefix(range, parsed.prefix));
  refuseUnless(isRouted, 'bad-route', () => {
    return `${about()} leads to loopback, link-local or multicast addresses, which need none; leave it out`;
  });
  return { destination: parsed.prefix, ...(via === undefined ? {} : { via }) };
}

function checkWay(
  about: What,
  { subnets }: Network,
  addresses: readonly InterfaceAddress[],
  { destination, via }: StaticRoute,
): void {
  const family = familyOf(destination);
  const own = addresses.map(addressOf).find((address) => familyOf(address) === family);
  refuseUnless(own !== undefined, 'bad-route', () => {
    return `${about()} cannot be: the endpoint has no IPv${family} address; leave it out`;
  });
  refuseUnless(
    !subnets.some(({ prefix }) => prefix === destination),
    'bad-route',
    () => `${about()} leads to a subnet of the network itself, which has its route; leave it out`,
  );
  if (via === undefined) return;
  const isNear = subnets.some(({ prefix }) => contains(prefix, via) && contains(prefix, own as IpAddress));
  refuseUnless(isNear && via !== own, 'bad-route', () => {
    return `${about()} goes by ${via}, which is no other machine of the endpoint's subnet; name one that is`;
  });
}

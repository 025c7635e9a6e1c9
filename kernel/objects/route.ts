/**
 * Routes of the main table. Ours carry weft's protocol number (`proto 87` of `ip route`); the connected routes that come
 * with addresses carry the kernel's.
 */
import type { Route } from '../../core/dataplane/object.ts';
import { weftProtocol } from '../../core/dataplane/protocol.ts';
import { addressOf, familyOf, type IpAddress, lengthOf, type Prefix } from '../../core/model/address.ts';
import { errno } from '../native/constants.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import { family, flagAppend, flagCreate } from '../netlink/tables/common.ts';
import {
  connectedPriorityIpv6,
  route as layout,
  routeMessage,
  routeProtocolKernel,
  routeScope,
  routeTableMain,
  routeTypeUnicast,
  userPriorityIpv6,
} from '../netlink/tables/route.ts';

export interface RouteRecord {
  readonly index: number;
  readonly destination: Prefix;
  readonly via?: IpAddress;
  readonly source?: IpAddress;
  readonly metric?: number;
  readonly protocol: 'kernel' | 'weft';
}

/**
 * Equivalent to: ip route append DESTINATION [via ADDRESS] dev LINK [src ADDRESS] proto 87 (or kernel).
 *
 * Appended, because a replacement goes by destination and metric alone and would take the place of a route over another
 * link.
 */
export function appendRoute(route: Route, index: number): Request {
  const { header, attributes } = partsOf(route, index);
  const scope = header.family === family.ipv4 && route.via === undefined ? routeScope.link : 0;
  return request(
    layout,
    routeMessage.new,
    flagCreate | (header.family === family.ipv4 ? flagAppend : 0),
    { ...header, scope, type: routeTypeUnicast },
    { ...attributes, preferredSource: route.source },
  );
}

/** Equivalent to: ip route delete DESTINATION [via ADDRESS] dev LINK proto 87 (or kernel). */
export function deleteRoute(route: Route, index: number): Request {
  const { header, attributes } = partsOf(route, index);
  const scope = header.family === family.ipv4 ? routeScope.nowhere : 0;
  return request(layout, routeMessage.delete, 0, { ...header, scope }, attributes);
}

/** Equivalent to: ip route show table main, for both families. */
export function dumpRoutes(requests: RequestSocket): RouteRecord[] {
  return [family.ipv4, family.ipv6].flatMap((one) => dumpFamily(requests, one));
}

/** What main tables lead to, each once, by routes of everyone's but weft's, without default and link-local ones. */
export function dumpDestinations(requests: RequestSocket): Prefix[] {
  const found = [family.ipv4, family.ipv6].flatMap((one) =>
    dumpMain(requests, one).flatMap((message) => {
      const { header, attributes } = decode(layout, message);
      const { destination } = attributes;
      const isMain =
        (attributes.table ?? header.table) === routeTableMain && header.type === routeTypeUnicast;
      if (!isMain || destination === undefined || header.protocol === weftProtocol) return [];
      return isLinkLocal(destination) ? [] : [`${destination}/${header.destinationLength}` as Prefix];
    }),
  );
  return [...new Set(found)];
}

function dumpFamily(requests: RequestSocket, one: number): RouteRecord[] {
  return dumpMain(requests, one).flatMap((message) => readRoute(message) ?? []);
}

function dumpMain(requests: RequestSocket, one: number): Message[] {
  const all = request(layout, routeMessage.get, 0, { family: one }, { table: routeTableMain });
  try {
    return requests.dump(all).filter(({ type }) => type === routeMessage.new);
  } catch (error) {
    // A namespace in which nothing has an address yet has no main table.
    if (error instanceof KernelError && error.errno === errno.ENOENT) return [];
    throw error;
  }
}

/**
 * Undefined for routes that are none of weft's business: other tables, other protocols, link-local and multicast ones.
 *
 * @throws MalformedMessage
 */
export function readRoute(message: Message): RouteRecord | undefined {
  const { header, attributes } = decode(layout, message);
  const { destination, gateway, preferredSource, oif, priority } = attributes;
  if (header.family !== family.ipv4 && header.family !== family.ipv6) return undefined;
  if ((attributes.table ?? header.table) !== routeTableMain || header.type !== routeTypeUnicast) {
    return undefined;
  }
  const protocol = protocolOf(header.protocol);
  const network = destination ?? ((header.family === family.ipv4 ? '0.0.0.0' : '::') as IpAddress);
  if (oif === undefined || protocol === undefined || isLinkLocal(network)) return undefined;
  return {
    index: oif,
    destination: `${network}/${header.destinationLength}` as Prefix,
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(preferredSource === undefined ? {} : { source: preferredSource }),
    ...(isDefaultMetric(header.family, protocol, priority) ? {} : { metric: priority }),
    protocol,
  };
}

function isLinkLocal(address: IpAddress): boolean {
  return /^fe[89ab]/.test(address);
}

/** What the kernel gives to a route that asks for no metric: none in IPv4, and in IPv6 one by its kind. */
function isDefaultMetric(
  addressFamily: number,
  protocol: RouteRecord['protocol'],
  priority: number | undefined,
): priority is undefined {
  if (addressFamily === family.ipv4) return priority === undefined || priority === 0;
  return (
    priority === undefined || priority === (protocol === 'kernel' ? connectedPriorityIpv6 : userPriorityIpv6)
  );
}

function protocolOf(number: number): RouteRecord['protocol'] | undefined {
  if (number === weftProtocol) return 'weft';
  return number === routeProtocolKernel ? 'kernel' : undefined;
}

interface RouteParts {
  readonly header: {
    readonly family: number;
    readonly destinationLength: number;
    readonly table: number;
    readonly protocol: number;
  };
  readonly attributes: {
    readonly destination?: IpAddress;
    readonly oif: number;
    readonly gateway: IpAddress | undefined;
    readonly priority: number | undefined;
  };
}

function partsOf(route: Route, index: number): RouteParts {
  const ipv4 = familyOf(route.destination) === 4;
  const length = lengthOf(route.destination);
  const kernel = route.protocol === 'kernel';
  return {
    header: {
      family: ipv4 ? family.ipv4 : family.ipv6,
      destinationLength: length,
      table: routeTableMain,
      protocol: kernel ? routeProtocolKernel : weftProtocol,
    },
    attributes: {
      ...(length === 0 ? {} : { destination: addressOf(route.destination) }),
      oif: index,
      gateway: route.via,
      priority: kernel && !ipv4 ? connectedPriorityIpv6 : route.metric,
    },
  };
}

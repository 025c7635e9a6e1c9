/** Requests of users as bodies of records. */
import type { Kernel, SandboxInspection } from '../dataplane/kernel.ts';
import { isWeftError, WeftError } from '../errors.ts';
import { driverTraits, hasWayOut } from '../fold/driver-traits.ts';
import { gatewayNetworkId } from '../fold/gateway-network.ts';
import { automaticPorts, type PortRange, parsePortSpec } from '../fold/port-spec.ts';
import type { State } from '../fold/state.ts';
import { avoidedInterfacesMax, avoidedPrefixesMax, reportedListenersMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import { overlaps, type Prefix, prefixesAmong } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import { isPredefined, type Network } from '../model/network.ts';
import type { Listener, PortProtocol } from '../model/published-port.ts';
import type { Logger } from '../ports/logger.ts';
import type { EndpointRequest, NetworkRequest, RouteOverlap, SubnetRequest } from './control.ts';

/** @param routes what the host has routes to, where the network's subnets are to avoid them */
export function networkBody(
  request: NetworkRequest,
  routes: readonly Prefix[] = [],
): BodyOf<'network-create'> {
  const { name, driver, ipv6, internal, space } = request;
  return {
    name,
    driver,
    subnets: request.subnets.map(subnetBody),
    ipv6,
    internal,
    space,
    options: Object.entries(request.options),
    labels: Object.entries(request.labels),
    ...(routes.length === 0 ? {} : { avoid: routes.slice(0, avoidedPrefixesMax) }),
  };
}

function subnetBody(subnet: SubnetRequest): BodyOf<'network-create'>['subnets'][number] {
  return {
    prefix: subnet.prefix,
    ...(subnet.gateway === undefined ? {} : { gateway: subnet.gateway }),
    ...(subnet.range === undefined ? {} : { range: subnet.range }),
    aux: Object.entries(subnet.aux),
  };
}

export function endpointBody(
  network: NetworkId,
  request: EndpointRequest,
  sandbox: SandboxInspection,
  listeners: readonly Listener[] = [],
): BodyOf<'endpoint-create'> {
  const { name, ipv4, ipv6, mac, ifname, gatewayPriority, ports = [] } = request;
  const { linkLocal = [], routes = [], options = {} } = request;
  return {
    network,
    ...(name === undefined ? {} : { name }),
    aliases: [...request.aliases],
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(mac === undefined ? {} : { mac }),
    ...(linkLocal.length === 0 ? {} : { linkLocal: [...linkLocal] }),
    ...(routes.length === 0 ? {} : { routes: [...routes] }),
    ...(Object.keys(options).length === 0 ? {} : { options: Object.entries(options) }),
    sandbox: { ref: request.sandbox, identity: sandbox.identity },
    ...(ifname === undefined ? {} : { ifname }),
    ...(gatewayPriority === undefined ? {} : { gatewayPriority }),
    ...(ports.length === 0 ? {} : { ports: [...ports] }),
    ...(listeners.length === 0 ? {} : { listeners: [...listeners] }),
    avoid: avoidedInterfaces(sandbox),
  };
}

/** In the host's namespace no interface is made that could be in anybody's way. */
function avoidedInterfaces({ isHost, foreignLinks }: SandboxInspection): string[] {
  return isHost === true ? [] : [...foreignLinks].slice(0, avoidedInterfacesMax);
}

/**
 * Only bridges stand among the host's own routes: automatic subnets avoid them, and one that was asked for and overlaps one
 * of them is warned of.
 */
export async function networkBodyHere(
  { kernel, logger }: { readonly kernel: Kernel; readonly logger: Logger },
  request: NetworkRequest,
): Promise<BodyOf<'network-create'>> {
  if (driverTraits(request.driver)?.space === undefined) return networkBody(request);
  const routes = await kernel.routes();
  for (const overlap of overlapsAmong(request, routes))
    logger.warn('a subnet overlaps what this host has a route to', { network: request.name, ...overlap });
  return networkBody(request, routes);
}

/** Of the subnets that a request names, on this host; none where they stand in no routing table of its. */
export async function routeOverlapsHere(
  kernel: Kernel,
  request: NetworkRequest,
): Promise<readonly RouteOverlap[]> {
  const isRouted = driverTraits(request.driver)?.space !== undefined && request.subnets.length > 0;
  return isRouted ? overlapsAmong(request, await kernel.routes()) : [];
}

function overlapsAmong({ subnets }: NetworkRequest, routes: readonly Prefix[]): RouteOverlap[] {
  return prefixesAmong(subnets.map(({ prefix }) => prefix)).flatMap((subnet) => {
    const route = routes.find((each) => overlaps(each, subnet));
    return route === undefined ? [] : [{ subnet, route }];
  });
}

/**
 * What listens on this host at the ports that a request could mean: those that it names first, with the processes that
 * have them, then those of the range that weft chooses from.
 */
export async function listenersHere(kernel: Kernel, ports: readonly string[]): Promise<readonly Listener[]> {
  const specs = ports.map(parsePortSpec).flatMap((spec) => ('fault' in spec ? [] : [spec]));
  if (specs.length === 0) return [];
  const isNamed = ({ protocol, port }: Listener) =>
    specs.some((spec) => spec.protocol === protocol && spec.host !== undefined && isIn(spec.host, port));
  const chooses = (protocol: PortProtocol) =>
    specs.some((spec) => spec.protocol === protocol && spec.host === undefined);
  const all = await kernel.listeners(isNamed);
  const others = all.filter(
    (one) => !isNamed(one) && isIn(automaticPorts, one.port) && chooses(one.protocol),
  );
  return [...all.filter(isNamed), ...others].slice(0, reportedListenersMax).map(withShortProcess);
}

/** A process calls itself what it likes. */
function withShortProcess({ process, ...listener }: Listener): Listener {
  return process === undefined ? listener : { ...listener, process: process.slice(0, 64) };
}

function isIn({ first, last }: PortRange, port: number): boolean {
  return port >= first && port <= last;
}

/** Why a host lets go of an endpoint. */
export type Removal = BodyOf<'endpoint-remove'>['reason'];

/**
 * Without its way out the sandbox may get an interface on the gateway bridge, whose name is to be nobody else's there.
 *
 * @param host name of this one
 */
export async function removalBodyHere(
  kernel: Kernel,
  host: string,
  { networks }: Pick<State, 'networks'>,
  endpoint: Endpoint,
  reason: Removal,
): Promise<BodyOf<'endpoint-remove'>> {
  const { id, sandbox } = endpoint;
  const network = networks.get(endpoint.network);
  const isWayOut = network !== undefined && hasWayOut(network);
  if (!isWayOut || reason === 'sandbox-gone' || endpoint.host !== host) return { endpoint: id, reason };
  const found = await inspected(kernel, sandbox.ref);
  if (found?.identity !== sandbox.identity) return { endpoint: id, reason };
  return { endpoint: id, reason, avoid: avoidedInterfaces(found) };
}

/** A sandbox, where it is there and may be looked at. */
export async function inspected(kernel: Kernel, ref: string): Promise<SandboxInspection | undefined> {
  try {
    return await kernel.inspectSandbox(ref);
  } catch (error) {
    if (isWeftError(error)) return undefined;
    throw error;
  }
}

/** What the operator of this host has switched off is nothing that the fold knows. @throws WeftError `network-off` */
export function requireOffered(
  network: Network,
  { host, hasDefaultBridge = true }: { readonly host: string; readonly hasDefaultBridge?: boolean },
): void {
  const isDefaultBridge =
    network.driver === 'bridge' && isPredefined(network) && network.id !== gatewayNetworkId;
  if (hasDefaultBridge || !isDefaultBridge) return;
  throw new WeftError(
    'network-off',
    `Cannot attach to network '${network.name}': host '${host}' runs \`weft daemon --bridge none\`; make a bridge network of your own`,
  );
}

/** The fold cannot see what a sandbox is. @throws WeftError `host-sandbox` */
export function requireFitting(network: Network, ref: string, { isHost }: SandboxInspection): void {
  if ((isHost === true) === (network.driver === 'host')) return;
  const why =
    isHost === true
      ? "it is the host's own network namespace; name another, or connect it to network 'host'"
      : "only the host's own network namespace can be on it; name that, as pid:1 on most hosts";
  throw new WeftError('host-sandbox', `Cannot attach '${ref}' to network '${network.name}': ${why}`);
}

/** Requests of users as bodies of records. */
import type { SandboxInspection } from '../dataplane/kernel.ts';
import { avoidedInterfacesMax, avoidedPrefixesMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import type { Prefix } from '../model/address.ts';
import type { NetworkId } from '../model/ids.ts';
import type { EndpointRequest, NetworkRequest, SubnetRequest } from './control.ts';

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
): BodyOf<'endpoint-create'> {
  const { name, ipv4, ipv6, mac, ifname, gatewayPriority } = request;
  return {
    network,
    ...(name === undefined ? {} : { name }),
    aliases: [...request.aliases],
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(mac === undefined ? {} : { mac }),
    sandbox: { ref: request.sandbox, identity: sandbox.identity },
    ...(ifname === undefined ? {} : { ifname }),
    ...(gatewayPriority === undefined ? {} : { gatewayPriority }),
    // In the host's namespace no interface is made that could be in anybody's way.
    avoid: sandbox.isHost === true ? [] : [...sandbox.foreignLinks].slice(0, avoidedInterfacesMax),
  };
}

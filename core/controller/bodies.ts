/** Requests of users as bodies of records. */
import type { SandboxInspection } from '../dataplane/kernel.ts';
import { avoidedInterfacesMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import type { NetworkId } from '../model/ids.ts';
import type { EndpointRequest, NetworkRequest, SubnetRequest } from './control.ts';

export function networkBody(request: NetworkRequest): BodyOf<'network-create'> {
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
  const { name, ipv4, ipv6, mac, ifname } = request;
  return {
    network,
    ...(name === undefined ? {} : { name }),
    aliases: [...request.aliases],
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(mac === undefined ? {} : { mac }),
    sandbox: { ref: request.sandbox, identity: sandbox.identity },
    ...(ifname === undefined ? {} : { ifname }),
    // In the host's namespace no interface is made that could be in anybody's way.
    avoid: sandbox.isHost === true ? [] : [...sandbox.foreignLinks].slice(0, avoidedInterfacesMax),
  };
}

/**
 * A network in the shape of `docker network inspect` (Docker 20.10, types.NetworkResource), with what weft has beside
 * it at the end. `Containers` is by endpoint id: a sandbox's name means something on its own host only.
 */
import type { NetworkDetail } from '../../../api/index.ts';
import { portTexts } from '../../output/ports.ts';
import { formatMoment } from '../../output/time.ts';

type Endpoint = NetworkDetail['endpoints'][number];
type Subnet = NetworkDetail['subnets'][number];

export function dockerNetwork(network: NetworkDetail): Record<string, unknown> {
  return {
    Name: network.name,
    Id: network.id,
    Created: formatMoment(network.created.at),
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv6: network.ipv6,
    IPAM: { Driver: 'default', Config: network.subnets.map(dockerSubnet) },
    Internal: network.internal,
    Containers: Object.fromEntries(
      network.endpoints.map((endpoint) => [endpoint.id, dockerContainer(endpoint)]),
    ),
    Options: network.options,
    Labels: network.labels,
    ...(network.vni !== undefined && { VNI: network.vni }),
    AddressSpace: network.space,
  };
}

function dockerSubnet({ prefix, gateway, range, aux }: Subnet): Record<string, unknown> {
  return {
    Subnet: prefix,
    ...(range !== undefined && { IPRange: range }),
    Gateway: gateway,
    ...(aux.length > 0 && {
      AuxiliaryAddresses: Object.fromEntries(aux.map(({ name, address }) => [name, address])),
    }),
  };
}

function dockerContainer(endpoint: Endpoint): Record<string, unknown> {
  return {
    Name: endpoint.name ?? '',
    EndpointID: endpoint.id,
    MacAddress: endpoint.mac ?? '',
    IPv4Address: endpoint.addresses.find((address) => !address.includes(':')) ?? '',
    IPv6Address: endpoint.addresses.find((address) => address.includes(':')) ?? '',
    Host: endpoint.host,
    Sandbox: endpoint.sandbox.ref,
    ...(endpoint.ports.length > 0 && { Ports: portTexts(endpoint.ports) }),
  };
}

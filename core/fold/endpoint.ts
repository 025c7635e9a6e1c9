/** Endpoints: a sandbox's interface on a network, with the addresses and names that it has there. */

import { assert } from '../lib/assert.ts';
import { quote } from '../lib/quote.ts';
import type { BodyOf, RecordOf } from '../log/record.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type EndpointId, endpointIdOf, type NetworkId } from '../model/ids.ts';
import { isName, nameKey, nameRule } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import { parseSandboxRef } from '../model/sandbox.ts';
import { interfacePrefixOption } from './bridge-options.ts';
import type { Context, Decision } from './decision.ts';
import type { Draft } from './draft.ts';
import { type DriverTraits, driverTraits } from './driver-traits.ts';
import { allocateAddresses, releaseAddresses } from './endpoint-addresses.ts';
import { chooseInterfaceName, chooseMac } from './endpoint-interface.ts';
import { type EndpointOptions, endpointOptions, sysctlsOf } from './endpoint-options.ts';
import { followSandbox } from './gateway.ts';
import { gatewayNetworkId } from './gateway-network.ts';
import { linkLocalAddresses } from './link-local.ts';
import { endpointNamed, endpointsOfSandbox, gatewayOfSandbox } from './lookup.ts';
import { publishPorts } from './published-ports.ts';
import { refuseUnless, type What } from './refused.ts';
import { staticRoutes } from './static-routes.ts';

type Body = BodyOf<'endpoint-create'>;

/** One list for all endpoints that have none. */
const noAliases: readonly string[] = [];

export function createEndpoint({ draft, stamp }: Context, record: RecordOf<'endpoint-create'>): Decision {
  const { body } = record;
  const network = draft.networks.get(body.network as NetworkId);
  refuseUnless(
    network !== undefined,
    'no-such-network',
    () => `Cannot attach: no network has the id ${body.network}; see \`weft network ls\``,
  );
  const what: What = () => `Cannot attach ${quote(body.sandbox.ref)} to network ${quote(network.name)}`;
  const id = endpointIdOf(record.id);
  refuseUnless(
    !draft.endpoints.has(id),
    'duplicate',
    () => `${what()}: record ${record.id} has made an endpoint before; ask again`,
  );
  refuseUnless(network.id !== gatewayNetworkId, 'predefined-network', () => {
    return `${what()}: sandboxes get on it by themselves, when they are on an overlay; connect to that`;
  });
  checkNames(what, draft, network, body);
  const siblings = checkSandbox(what, draft, stamp.host, network, body);
  const traits = traitsOf(network);
  checkCompany(what, draft, network, siblings);
  if (!traits.hasInterfaces) refuseInterface(what, network, body);
  const addresses = allocateAddresses(what, draft, network, body);
  const hasMac = traits.hasInterfaces && traits.hasOwnMac(network.options);
  if (traits.hasInterfaces && !hasMac) refuseMac(what, network, body);
  const mac = hasMac ? chooseMac(what, draft, network, id, body.mac, addresses) : undefined;
  const gateway = gatewayOfSandbox(draft, stamp.host, body.sandbox.identity);
  const neighbours = gateway === undefined ? siblings : [...siblings, gateway];
  const options = endpointOptions(what, body.options ?? []);
  const ifname = traits.hasInterfaces ? interfaceNameOf(what, network, neighbours, body, options) : undefined;
  const linkLocal = linkLocalAddresses(what, body.linkLocal ?? []);
  const sysctls = ifname === undefined ? [] : sysctlsOf(what, options, ifname, [...addresses, ...linkLocal]);
  const routes = staticRoutes(what, network, siblings, addresses, body.routes ?? []);
  const ports = publishPorts(what, draft, { id, host: stamp.host, network, addresses }, body);
  const endpoint: Endpoint = {
    id,
    network: network.id,
    aliases: uniqueAliases(body.aliases),
    host: stamp.host,
    sandbox: { ref: body.sandbox.ref, identity: body.sandbox.identity },
    addresses,
    created: stamp,
    changed: stamp,
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(ifname === undefined ? {} : { ifname }),
    ...(mac === undefined ? {} : { mac }),
    ...(linkLocal.length === 0 ? {} : { linkLocal }),
    ...(sysctls.length === 0 ? {} : { sysctls }),
    ...(routes.length === 0 ? {} : { routes }),
    ...(body.gatewayPriority === undefined ? {} : { gatewayPriority: body.gatewayPriority }),
    ...(ports.length === 0 ? {} : { ports }),
  };
  draft.addEndpoint(network, endpoint);
  const followed = followSandbox(draft, stamp, endpoint, body.avoid, what);
  return { subject: { type: 'endpoint', id }, changes: [{ type: 'endpoint-added', endpoint }, ...followed] };
}

export function removeEndpoint({ draft, stamp }: Context, record: RecordOf<'endpoint-remove'>): Decision {
  const id = record.body.endpoint as EndpointId;
  const endpoint = draft.endpoints.get(id);
  refuseUnless(
    endpoint !== undefined,
    'no-such-endpoint',
    () => `No endpoint has the id ${id}: see \`weft endpoint ls\``,
  );
  releaseEndpoint(draft, endpoint);
  const { reason, avoid = [] } = record.body;
  const followed = followSandbox(draft, stamp, endpoint, avoid);
  return {
    subject: { type: 'endpoint', id },
    changes: [{ type: 'endpoint-removed', endpoint, reason }, ...followed],
  };
}

/** Takes an endpoint out of a draft and gives its addresses back. */
export function releaseEndpoint(draft: Draft, endpoint: Endpoint): void {
  const network = draft.networks.get(endpoint.network);
  assert(network !== undefined, 'the network of an endpoint exists');
  releaseAddresses(draft, network, endpoint);
  draft.removeEndpoint(network, endpoint);
}

function checkNames(what: What, draft: Draft, network: Network, { name, aliases }: Body): void {
  const improper = [...(name === undefined ? [] : [name]), ...aliases].find((each) => !isName(each));
  refuseUnless(
    improper === undefined,
    'bad-name',
    () => `${what()}: ${quote(improper ?? '')} is no name for an endpoint: ${nameRule}`,
  );
  if (name === undefined) return;
  const other = endpointNamed(draft, network.id, name);
  refuseUnless(other === undefined, 'name-taken', () => {
    return `${what()}: its endpoint on host ${quote(other?.host ?? '')} is called ${quote(other?.name ?? '')}; choose another --name`;
  });
}

/** Returns the sandbox's other endpoints. */
function checkSandbox(
  what: What,
  draft: Draft,
  host: string,
  network: Network,
  { sandbox }: Body,
): readonly Endpoint[] {
  refuseUnless(parseSandboxRef(sandbox.ref) !== undefined, 'bad-sandbox', () => {
    return `${what()}: that is no sandbox; write a name of \`ip netns\`, an absolute path or pid:N`;
  });
  refuseUnless(/^[\x21-\x7e]+$/.test(sandbox.identity), 'bad-sandbox', () => {
    return `${what()}: its identity ${quote(sandbox.identity)} has blanks or controls; upgrade host ${quote(host)}`;
  });
  const siblings = [...endpointsOfSandbox(draft, host, sandbox.identity)];
  const present = siblings.find((endpoint) => endpoint.network === network.id);
  refuseUnless(present === undefined, 'already-attached', () => {
    return `${what()}: it is attached by endpoint ${present?.id.slice(0, 12)}; disconnect that first`;
  });
  return siblings;
}

/** As Docker has it: a sandbox in the host's namespace, or in private mode, is on no other network. */
function checkCompany(what: What, draft: Draft, network: Network, siblings: readonly Endpoint[]): void {
  const [sibling] = siblings;
  const other = sibling === undefined ? undefined : draft.networks.get(sibling.network);
  if (other === undefined) return;
  const alone = [network, other].find((each) => traitsOf(each).isAlone);
  refuseUnless(alone === undefined, 'sandbox-alone', () => {
    return `${what()}: it is on network ${quote(other.name)}, and a sandbox on ${quote(alone?.name ?? '')} is on no other; disconnect it first`;
  });
}

function traitsOf(network: Network): DriverTraits {
  const traits = driverTraits(network.driver);
  assert(traits !== undefined, 'a network has a driver that exists');
  return traits;
}

/** The one asked for, by either of its ways, or a free one. */
function interfaceNameOf(
  what: What,
  network: Network,
  siblings: readonly Endpoint[],
  body: Body,
  options: EndpointOptions,
): string {
  refuseUnless(body.ifname === undefined || options.ifname === undefined, 'bad-option', () => {
    return `${what()}: the interface is named twice, by --ifname and by an option; leave one out`;
  });
  const wishes = { avoid: body.avoid, prefix: network.options[interfacePrefixOption] };
  const ifname = body.ifname ?? options.ifname;
  return chooseInterfaceName(what, siblings, ifname === undefined ? wishes : { ...wishes, ifname });
}

function refuseMac(what: What, network: Network, body: Body): void {
  refuseUnless(body.mac === undefined, 'bad-mac', () => {
    return `${what()}: its interface has the MAC address of the link that network ${quote(network.name)} is on; leave it out`;
  });
}

function refuseInterface(what: What, network: Network, body: Body): void {
  const why: What = () => `${what()}: driver ${network.driver} makes no interface`;
  refuseUnless(
    body.ipv4 === undefined && body.ipv6 === undefined,
    'bad-address',
    () => `${why()}; leave out the address`,
  );
  refuseUnless(body.mac === undefined, 'bad-mac', () => `${why()}; leave out the MAC address`);
  refuseUnless(body.ifname === undefined, 'bad-name', () => `${why()}; leave out the interface name`);
  refuseUnless((body.routes ?? []).length === 0, 'bad-route', () => `${why()}; leave out the routes`);
  const isPlain = (body.linkLocal ?? []).length + (body.options ?? []).length === 0;
  refuseUnless(isPlain, 'bad-option', () => `${why()}; leave out link-local addresses and options`);
}

function uniqueAliases(aliases: readonly string[]): readonly string[] {
  if (aliases.length === 0) return noAliases;
  const firsts = new Map<string, string>();
  for (const alias of aliases) if (!firsts.has(nameKey(alias))) firsts.set(nameKey(alias), alias);
  return [...firsts.values()];
}

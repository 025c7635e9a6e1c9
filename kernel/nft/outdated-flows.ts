/**
 * Flows of UDP that the kernel tracks and that contradict published ports. The maps are asked for the first packet of a flow
 * alone: a flow that began before a port was published, or led to whoever had it before, goes on as it began for as long as
 * packets keep coming, and those of UDP may never pause. So it is forgotten, and its next packet is judged anew. Connections
 * of TCP and SCTP end with their peer: whoever has its address next resets them.
 *
 * A daemon may die between the two, and somebody may flush the ruleset while there is none. So the next one compares all
 * flows with its first look (`firewall.ts`): what ports that are there contradict is forgotten, and what leads to an endpoint
 * on one of weft's bridges without a port that says so. Once the bridge is gone too, a flow cannot be told from those of others.
 *
 * The kernel walks its whole table of flows to find those of a port: some 20 ms where it has room for 262,144.
 */
import type { Operation } from '../../core/dataplane/kernel.ts';
import type { NftElement } from '../../core/dataplane/object.ts';
import { addressOf, contains, type IpAddress, type Prefix, prefixOf } from '../../core/model/address.ts';
import { errno } from '../native/constants.ts';
import { decode, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import { family } from '../netlink/tables/common.ts';
import {
  connection,
  conntrackMessage,
  filterDestinationPort,
  filterProtocol,
} from '../netlink/tables/conntrack.ts';
import { type AddressRecord, dumpAddresses } from '../objects/address.ts';
import { protocolNumbers } from '../protocols.ts';

type Family = 4 | 6;

/** A published port that came, changed or went. */
interface Published {
  readonly family: Family;
  readonly isGone: boolean;
  /** Absent: every address of the host. */
  readonly address?: string;
  readonly protocol: number;
  readonly port: number;
  readonly target: string;
  readonly targetPort: number;
}

interface Flow {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly port: number;
  /** Who answers. */
  readonly target: IpAddress;
  readonly targetPort: number;
  readonly id: number;
}

/** Whether an operation can leave flows behind that contradict it. */
function isAboutDatagrams({ object }: Operation): boolean {
  if (object.kind !== 'nft-element' || !/^(published|anywhere)[46]$/.test(object.set)) return false;
  return object.key.at(-2) === 'udp';
}

/**
 * Forgets the flows that contradict what the operations, which were carried out, made of published ports. Equivalent to:
 * conntrack -D -p udp --orig-port-dst PORT, for those that lead elsewhere.
 *
 * @param netfilter asks the host's netfilter
 * @param routes asks the host's rtnetlink
 * @throws KernelError
 */
export function forgetOutdatedFlows(
  netfilter: RequestSocket,
  routes: RequestSocket,
  operations: readonly Operation[],
): void {
  const ports = operations
    .filter(isAboutDatagrams)
    .flatMap(({ op, object }) => publishedOf(object as NftElement, op === 'delete'));
  if (ports.length === 0) return;
  const own = ownAddresses(dumpAddresses(routes));
  for (const each of [4, 6] as const) {
    const ofFamily = ports.filter((port) => port.family === each);
    if (ofFamily.length === 0) continue;
    const byPort = grouped(ofFamily);
    const outdated = flows(netfilter, each, ofFamily).filter((flow) =>
      byPort.get(placeOf(flow))?.some((port) => contradicts(flow, port, own)),
    );
    forget(netfilter, each, outdated);
  }
}

/**
 * Forgets the flows that a former life of the daemon may have left: those that contradict what is published, and those to
 * endpoints on weft's bridges that no published port leads to. Whoever else leads packets there has theirs judged anew.
 *
 * @param elements all that are in weft's sets
 * @throws KernelError
 */
export function forgetFormerFlows(
  netfilter: RequestSocket,
  routes: RequestSocket,
  elements: readonly NftElement[],
): void {
  const ports = elements
    .filter((object) => isAboutDatagrams({ op: 'set', object }))
    .flatMap((object) => publishedOf(object, false));
  const addresses = dumpAddresses(routes);
  const own = ownAddresses(addresses);
  const bridged = addresses.flatMap(({ address, weft }) => (weft ? [prefixOf(address)] : []));
  if (ports.length + bridged.length === 0) return;
  const byPort = grouped(ports);
  for (const each of [4, 6] as const) {
    const outdated = flows(netfilter, each, []).filter((flow) => {
      const meant = byPort.get(placeOf(flow)) ?? [];
      if (meant.some((port) => contradicts(flow, port, own))) return true;
      return leadsInto(bridged, flow) && !meant.some((port) => explains(flow, port, own));
    });
    forget(netfilter, each, outdated);
  }
}

function ownAddresses(addresses: readonly AddressRecord[]): ReadonlySet<string> {
  return new Set(addresses.map(({ address }) => addressOf(address)));
}

function forget(netfilter: RequestSocket, of: Family, outdated: readonly Flow[]): void {
  for (const error of netfilter.carryOut(outdated.map((flow) => deletionOf(flow, of)))) {
    // One that ended by itself meanwhile.
    if (error !== undefined && error.errno !== errno.ENOENT) throw error;
  }
}

/** Whether a flow of datagrams goes elsewhere than it was sent, to one of those subnets. */
function leadsInto(subnets: readonly Prefix[], flow: Flow): boolean {
  const { protocol, destination, port, target, targetPort } = flow;
  const isLed = target !== destination || targetPort !== port;
  return protocol === protocolNumbers.udp && isLed && subnets.some((subnet) => contains(subnet, target));
}

/** As ports are grouped. */
function placeOf({ protocol, port }: Pick<Flow, 'protocol' | 'port'>): string {
  return `${protocol} ${port}`;
}

/** By protocol and port of the host. */
function grouped(ports: readonly Published[]): ReadonlyMap<string, readonly Published[]> {
  const groups = new Map<string, Published[]>();
  for (const port of ports) {
    const key = placeOf(port);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [port]);
    else group.push(port);
  }
  return groups;
}

function publishedOf({ set, key, value }: NftElement, isGone: boolean): Published[] {
  const [address, protocol = '', port = ''] = key.length === 3 ? key : [undefined, ...key];
  const [target, targetPort] = value ?? [];
  if (target === undefined) return [];
  return [
    {
      family: set.endsWith('4') ? 4 : 6,
      isGone,
      ...(address === undefined ? {} : { address }),
      protocol: protocolNumbers[protocol as keyof typeof protocolNumbers],
      port: Number(port),
      target,
      targetPort: Number(targetPort),
    },
  ];
}

/** A port that is gone leads nowhere any more; one that is there leads nowhere else. */
function contradicts(flow: Flow, port: Published, own: ReadonlySet<string>): boolean {
  return isMeant(flow, port, own) && goesTo(flow, port) === port.isGone;
}

function explains(flow: Flow, port: Published, own: ReadonlySet<string>): boolean {
  return isMeant(flow, port, own) && goesTo(flow, port);
}

function goesTo(flow: Flow, { target, targetPort }: Published): boolean {
  return flow.target === target && flow.targetPort === targetPort;
}

function isMeant({ destination }: Flow, { address }: Published, own: ReadonlySet<string>): boolean {
  if (address !== undefined) return destination === address;
  return own.has(destination) || destination.startsWith('127.');
}

function flows(netfilter: RequestSocket, of: Family, ports: readonly Published[]): Flow[] {
  const [only, ...others] = ports;
  const number = protocolNumbers.udp;
  // Of one port the kernel looks for itself; of several all datagrams are told, once. Before Linux 5.8 everything is.
  const filter =
    only === undefined || others.length > 0
      ? { original: { protocol: { number } }, filter: { original: filterProtocol } }
      : {
          original: { protocol: { number, destinationPort: only.port } },
          filter: { original: filterProtocol | filterDestinationPort },
        };
  const question = request(connection, conntrackMessage.get, 0, { family: familyNumber(of) }, filter);
  return netfilter.dump(question).flatMap((message) => {
    const { original, reply, id } = decode(connection, message).attributes;
    const addresses = original?.addresses;
    const answers = reply?.addresses;
    const source = addresses?.source4 ?? addresses?.source6;
    const destination = addresses?.destination4 ?? addresses?.destination6;
    const target = answers?.source4 ?? answers?.source6;
    const { number, sourcePort, destinationPort } = original?.protocol ?? {};
    const targetPort = reply?.protocol?.sourcePort;
    if (source === undefined || destination === undefined || target === undefined || id === undefined)
      return [];
    // Protocols without ports are nothing to us.
    if (number === undefined || sourcePort === undefined || destinationPort === undefined) return [];
    if (targetPort === undefined) return [];
    const place = { source, destination, protocol: number, sourcePort, port: destinationPort };
    return [{ ...place, target, targetPort, id }];
  });
}

function deletionOf(flow: Flow, of: Family): Request {
  const { source, destination, protocol, sourcePort, port, id } = flow;
  const addresses =
    of === 4
      ? { source4: source, destination4: destination }
      : { source6: source, destination6: destination };
  return request(
    connection,
    conntrackMessage.delete,
    0,
    { family: familyNumber(of) },
    { original: { addresses, protocol: { number: protocol, sourcePort, destinationPort: port } }, id },
  );
}

function familyNumber(of: Family): number {
  return of === 4 ? family.ipv4 : family.ipv6;
}

/**
 * Kernel objects in the words of `ip`, `bridge`, `nft` and `sysctl`: for logs, for dry runs and for goldens that a network
 * engineer can review. On an empty machine the commands of a compiled network, in the order of application, make it.
 *
 * They are for reading and for tests: weft itself speaks rtnetlink and never runs a command. What iproute2 6.1 has no
 * word for is not said, namely the protocol number on addresses.
 */
import { unreachable } from '../lib/assert.ts';
import { familyOf } from '../model/address.ts';
import { parseSandboxRef } from '../model/sandbox.ts';
import { isAdopted } from './equal.ts';
import { nftAcceptRule, nftElementStatement, nftSkeleton, nftTableDeletion } from './firewall.ts';
import type { Operation } from './kernel.ts';
import { fdbTable } from './key.ts';
import { type Namespace, parseNamespace } from './namespace.ts';
import type { FdbEntry, HostsFile, KernelObject, Link, Route, StackedType } from './object.ts';
import { makesPair } from './order.ts';
import { weftProtocol } from './protocol.ts';

/** The object on one line; several commands are joined by `&&`. Of an nftables table only the first is said. */
export function toText(object: KernelObject): string {
  if (object.kind === 'nft-table') return `${toCommands(object)[0]}${object.intact ? '' : ' # altered'}`;
  return toCommands(object).join(' && ');
}

/** The commands that make the object where nothing of its key is there. None for a hosts file: a comment instead. */
export function toCommands(object: KernelObject): string[] {
  const { ns } = object;
  switch (object.kind) {
    case 'netns':
      return [`ip netns add ${netnsArgument(ns)}`];
    case 'link':
      return linkCommands(object);
    case 'address': {
      const options = familyOf(object.address) === 6 ? ' nodad' : '';
      return [`${tool('ip', ns)} address replace ${object.address} dev ${object.link}${options}`];
    }
    case 'route':
      return [`${tool('ip', ns)} route replace ${routeWords(object)}`];
    case 'neighbour':
      return [
        `${tool('ip', ns)} neigh replace ${object.address} lladdr ${object.mac} dev ${object.link} nud permanent`,
      ];
    case 'fdb':
      return [`${tool('bridge', ns)} fdb replace ${object.mac} dev ${object.link} ${fdbWords(object)}`];
    case 'sysctl':
      return [`${inNamespace(ns)}sysctl -qw ${object.name}=${object.value}`];
    case 'hosts':
      return [hostsComment(object)];
    case 'nft-table':
      return nftSkeleton.map((statement) => nft(ns, statement));
    case 'nft-element':
      return [nft(ns, nftElementStatement('add', object))];
    case 'nft-accepts':
      return [`# in each chain of others that drops what is forwarded: ${nftAcceptRule}`];
    default:
      return unreachable(object);
  }
}

/** The command that deletes the object; a comment for what cannot be deleted by one. */
export function toDeletion(object: KernelObject): string {
  const { ns } = object;
  switch (object.kind) {
    case 'netns':
      return `ip netns delete ${netnsArgument(ns)}`;
    case 'link':
      return isAdopted(object)
        ? `${tool('ip', ns)} link set dev ${object.name} alias ''`
        : `${tool('ip', ns)} link delete dev ${object.name}`;
    case 'address':
      return `${tool('ip', ns)} address delete ${object.address} dev ${object.link}`;
    case 'route':
      return `${tool('ip', ns)} route delete ${routeWords(object)}`;
    case 'neighbour':
      return `${tool('ip', ns)} neigh delete ${object.address} dev ${object.link}`;
    case 'fdb':
      return `${tool('bridge', ns)} fdb delete ${object.mac} dev ${object.link} ${fdbTable(object)}`;
    case 'sysctl':
      return `# no one sets ${object.name} in ${ns}`;
    case 'hosts':
      return `# no names in ${hostsPath(ns)}`;
    case 'nft-table':
      return nft(ns, nftTableDeletion);
    case 'nft-element':
      return nft(ns, nftElementStatement('delete', object));
    case 'nft-accepts':
      return `# in no chain of others: ${nftAcceptRule}`;
    default:
      return unreachable(object);
  }
}

/** What an operation does, for logs and dry runs. A `set` says the state that is wanted, not the way to it. */
export function operationText(operation: Operation): string {
  switch (operation.op) {
    case 'set':
      return toText(operation.object);
    case 'replace':
      return `${toDeletion(operation.actual ?? operation.object)} && ${toText(operation.object)}`;
    case 'delete':
      return toDeletion(operation.object);
    default:
      return unreachable(operation.op);
  }
}

/**
 * A link takes up to three commands, because the kernel takes the alias and the bridge port's settings only of a link
 * that is there.
 */
function linkCommands(link: Link): string[] {
  const members = [
    ...(link.owner === '' ? [] : [`alias weft:${link.owner}`]),
    ...(link.master === undefined ? [] : [`master ${link.master}`]),
    link.up ? 'up' : 'down',
  ];
  const creation = creationOf(link);
  const attributes = creation === undefined ? attributesOf(link) : [];
  const set = [`${tool('ip', link.ns)} link set dev ${link.name}`, ...attributes, ...members].join(' ');
  const commands = creation === undefined ? [set] : [creation, set];
  if (link.port !== undefined) {
    const { learning, flood, isolated, hairpin } = link.port;
    const port = [
      `learning ${onOff(learning)} flood ${onOff(flood)}`,
      ...(isolated === true ? ['isolated on'] : []),
      ...(hairpin === true ? ['hairpin on'] : []),
    ].join(' ');
    commands.push(`${tool('bridge', link.ns)} link set dev ${link.name} ${port}`);
  }
  return commands;
}

/** How the link comes about; undefined where it is there already: loopback, and the second end of a pair. */
function creationOf(link: Link): string | undefined {
  const ip = tool('ip', link.ns);
  const named = [`name ${link.name}`, ...attributesOf(link)].join(' ');
  switch (link.type.type) {
    case 'loopback':
      return undefined;
    case 'bridge':
      return `${ip} link add ${named} type bridge`;
    case 'vxlan': {
      // From the host's namespace into the link's own: the UDP socket stays where the underlay is.
      const { vni, local, port } = link.type;
      const place = parseNamespace(link.ns).type === 'host' ? '' : ` netns ${netnsArgument(link.ns)}`;
      const type = `vxlan id ${vni} local ${local} dstport ${port} nolearning proxy df inherit`;
      return `ip link add ${named}${place} type ${type}`;
    }
    case 'veth': {
      if (!makesPair(link)) return undefined;
      const { peer } = link.type;
      const place = peer.ns === link.ns ? '' : ` netns ${netnsArgument(peer.ns)}`;
      return `${ip} link add ${named} type veth peer name ${peer.name}${place}`;
    }
    case 'dummy':
      return `${ip} link add ${named} type dummy`;
    case 'macvlan':
    case 'ipvlan':
    case 'vlan':
      return stackedCreation(link, link.type, named);
    default:
      return unreachable(link.type);
  }
}

/** Made where its parent is, and born where it belongs. */
function stackedCreation(link: Link, type: StackedType, named: string): string {
  const { parent } = type;
  const place = parent.ns === link.ns ? '' : ` netns ${netnsArgument(link.ns)}`;
  const words =
    type.type === 'macvlan'
      ? `mode ${type.mode}`
      : type.type === 'ipvlan'
        ? `mode ${type.mode} ${type.flag}`
        : `id ${type.id}`;
  return `${tool('ip', parent.ns)} link add link ${parent.name} ${named}${place} type ${type.type} ${words}`;
}

function attributesOf(link: Link): string[] {
  return [
    ...(link.mtu === undefined ? [] : [`mtu ${link.mtu}`]),
    ...(link.mac === undefined ? [] : [`address ${link.mac}`]),
  ];
}

/** The kernel's for connected routes of IPv6 (`IP6_RT_PRIO_ADDRCONF`); with another a second route would be made. */
const connectedMetric = 'metric 256';

function routeWords(route: Route): string {
  return [
    route.destination,
    ...(route.via === undefined ? [] : [`via ${route.via}`]),
    `dev ${route.link}`,
    `proto ${route.protocol === 'kernel' ? 'kernel' : weftProtocol}`,
    ...(route.via === undefined && familyOf(route.destination) === 4 ? ['scope link'] : []),
    ...(route.protocol === 'kernel' && familyOf(route.destination) === 6 ? [connectedMetric] : []),
    ...(route.source === undefined ? [] : [`src ${route.source}`]),
    ...(route.metric === undefined ? [] : [`metric ${route.metric}`]),
  ].join(' ');
}

function fdbWords(entry: FdbEntry): string {
  return entry.remote === undefined ? 'master static' : `self permanent dst ${entry.remote}`;
}

function hostsComment(file: HostsFile): string {
  const lines = file.entries.map(({ address, names }) => [address, ...names].join(' '));
  return `# ${hostsPath(file.ns)}: ${lines.join(', ')}`;
}

function hostsPath(ns: Namespace): string {
  return `/etc/netns/${netnsArgument(ns)}/hosts`;
}

/** `ip -n red` for the sandbox `red`, `ip` alone for the host. */
function tool(name: 'ip' | 'bridge', ns: Namespace): string {
  return parseNamespace(ns).type === 'host' ? name : `${name} -n ${netnsArgument(ns)}`;
}

function inNamespace(ns: Namespace): string {
  if (parseNamespace(ns).type === 'host') return '';
  const place = netnsArgument(ns);
  return place.includes('/') ? `nsenter --net=${place} ` : `ip netns exec ${place} `;
}

/** A statement has braces and semicolons, so it is one word. */
function nft(ns: Namespace, statement: string): string {
  return `${inNamespace(ns)}nft ${shellWord(statement)}`;
}

/** What `ip -n` and `netns` take: a name, or with a slash in it a path. */
function netnsArgument(ns: Namespace): string {
  const parsed = parseNamespace(ns);
  if (parsed.type === 'host') return '/proc/1/ns/net';
  if (parsed.type === 'owned') return parsed.name;
  const ref = parseSandboxRef(parsed.ref);
  return ref?.type === 'pid' ? `/proc/${ref.pid}/ns/net` : shellWord(parsed.ref);
}

/** A path may hold anything that is printed, and people give the commands that they read to a shell. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}

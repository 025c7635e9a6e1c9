/**
 * The wires of a lab: namespaces joined by veth pairs to bridges in a namespace of their own, so that nothing of it is
 * in the machine's own network, and a router between two subnets where one is asked for.
 *
 * ```
 *   host 1        host 2                host 1     router     host 2
 *     eth0          eth0                  eth0    eth0 eth1     eth0
 *       └── bridge ──┘                      └─ bridge ─┘└─ bridge ─┘
 * ```
 */
import { ip, run } from './command.ts';

export interface UnderlayShape {
  /** Prefix of the names of the namespaces that the underlay itself needs. */
  readonly prefix: string;
  /** Two subnets with a router between them, hosts in turn in one and the other. */
  readonly routed: boolean;
  /** Bytes of the underlay's links. */
  readonly mtu: number;
}

/** One plug: where a host's interface goes and what it is told. */
export interface Plug {
  readonly netns: string;
  readonly subnet: Subnet;
  /** The part of the addresses that is the host's own, 1 to 253. */
  readonly number: number;
}

/** A subnet of the underlay in both families; its router, where there is one, is number 254. */
export interface Subnet {
  readonly bridge: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The first is the subnet of the walk-through. Addresses exist inside the lab's namespaces only. */
export const subnets: readonly [Subnet, Subnet] = [
  { bridge: 'br0', ipv4: '192.168.2.', ipv6: 'fd00:2::' },
  { bridge: 'br1', ipv4: '192.168.3.', ipv6: 'fd00:3::' },
];

const routerNumber = 254;

/** Makes the bridges and the router. */
export async function buildUnderlay(shape: UnderlayShape): Promise<void> {
  const used = shape.routed ? subnets : [subnets[0]];
  await ip(undefined, [`netns add ${switchOf(shape)}`]);
  await ip(switchOf(shape), [
    'link set lo up',
    ...used.flatMap(({ bridge }) => [`link add ${bridge} type bridge`, `link set ${bridge} up`]),
  ]);
  if (shape.routed) await buildRouter(shape);
}

/** Joins a host's namespace to its subnet as `eth0`, with a default route where there is a router. */
export async function plugIn(shape: UnderlayShape, plug: Plug): Promise<void> {
  await join(shape, { ...plug, link: 'eth0', port: `to-${plug.subnet.bridge}-${plug.number}` });
  if (!shape.routed) return;
  await ip(plug.netns, [
    `route add default via ${plug.subnet.ipv4}${routerNumber}`,
    `route add default via ${plug.subnet.ipv6}${routerNumber}`,
  ]);
}

async function buildRouter(shape: UnderlayShape): Promise<void> {
  const netns = `${shape.prefix}router`;
  await ip(undefined, [`netns add ${netns}`]);
  await ip(netns, ['link set lo up']);
  // Without its link-local address, which duplicate address detection would hold back for a second, it solicits nobody.
  await setSysctl(netns, 'ipv6/conf/default/accept_dad', '0');
  for (const [index, subnet] of subnets.entries()) {
    await join(shape, { netns, subnet, number: routerNumber, link: `eth${index}`, port: `router${index}` });
  }
  await setSysctl(netns, 'ipv4/ip_forward', '1');
  await setSysctl(netns, 'ipv6/conf/all/forwarding', '1');
}

/** `sysctl` itself is not on every machine. */
async function setSysctl(netns: string, name: string, value: string): Promise<void> {
  await run('ip', ['netns', 'exec', netns, 'tee', `/proc/sys/net/${name}`], { input: value });
}

async function join(
  shape: UnderlayShape,
  end: Plug & { readonly link: string; readonly port: string },
): Promise<void> {
  const { netns, subnet, number, link, port } = end;
  await ip(undefined, [
    `link add ${link} mtu ${shape.mtu} netns ${netns} type veth peer name ${port} mtu ${shape.mtu} netns ${switchOf(shape)}`,
  ]);
  await ip(switchOf(shape), [`link set ${port} master ${subnet.bridge} up`]);
  await ip(netns, [
    `link set ${link} up`,
    `address add ${subnet.ipv4}${number}/24 dev ${link}`,
    `address add ${subnet.ipv6}${number}/64 dev ${link} nodad`,
  ]);
}

function switchOf(shape: UnderlayShape): string {
  return `${shape.prefix}switch`;
}

/** What the contract of the kernel port needs of the machine under test, and the objects that it tries there. */
import type { Kernel } from '../../core/dataplane/kernel.ts';
import { type Namespace, ownedNamespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Link, NetnsObject } from '../../core/dataplane/object.ts';
import type { InterfaceAddress, IpAddress, Prefix } from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';

export interface KernelHarness {
  /** Called before each test; the bench is closed after it, also when it failed. May skip by throwing mocha's skip. */
  open(context: Mocha.Context): Promise<KernelBench>;
}

/** A machine for one test. */
export interface KernelBench {
  readonly kernel: Kernel;
  /** The kernel's prefix for owned namespaces, used by nobody else. */
  readonly netnsPrefix: string;
  /** An IPv4 address of the underlay, on a link with `underlayMtu`. */
  readonly local: IpAddress;
  readonly underlayMtu: number;
  /** The first of four VNIs that nobody else on the machine uses. */
  readonly vni: number;
  /** References that mean: nothing, the daemon's own namespace, something that is no namespace. */
  readonly refs: { readonly missing: string; readonly host: string; readonly noNamespace: string };

  /** Makes a named sandbox with nothing in it; its reference. */
  addSandbox(): Promise<string>;
  removeSandbox(ref: string): Promise<void>;
  /** Removes it and makes another of the same name. */
  recreateSandbox(ref: string): Promise<void>;

  /** Acts as a user with `ip` and `bridge`: without weft's protocol number. */
  addByHand(object: KernelObject): Promise<void>;
  deleteByHand(object: KernelObject): Promise<void>;
  /** Gives a link other members: `up`, `mtu`, `mac`, `master`, or no alias where `owner` is empty. */
  alterLinkByHand(link: Link): Promise<void>;
  /** `nft flush ruleset` on the host. */
  flushRuleset(): Promise<void>;
  /** One more rule in weft's table. */
  alterFirewallByHand(): Promise<void>;
  /** One more base chain of somebody else's, with hook `forward` and policy `drop`. */
  addDroppingChain(): Promise<void>;
  /** Somebody sends datagrams to a port of the host, at `local`, and goes on. */
  startFlow(port: number): Promise<void>;
  /** Who gets what is sent to that port, `ADDRESS PORT` each; the flows that are forgotten are not told. */
  flowsTo(port: number): Promise<readonly string[]>;
  /** A process of the host listens at a port, at every address of both families. Its number. */
  listen(protocol: 'tcp' | 'udp', port: number): Promise<number>;
  /** A bridge without an alias. */
  addForeignLink(ns: Namespace, name: string): Promise<void>;
  /** True when a link of that name is there, whoever made it. */
  hasLink(ns: Namespace, name: string): Promise<boolean>;

  /** Ends the kernel and removes every trace from the machine. */
  close(): Promise<void>;
}

/** The bench of the running test. */
export type Bench = () => KernelBench;

export const macs = ['02:42:0a:00:01:02', '02:42:0a:00:01:03'] as [Mac, Mac];
export const peer = '192.0.2.200' as IpAddress;

export function address(text: string): IpAddress {
  return text as IpAddress;
}

export function prefix(text: string): Prefix {
  return text as Prefix;
}

export function interfaceAddress(text: string): InterfaceAddress {
  return text as InterfaceAddress;
}

/** The namespace of a bench's network `a`, `b`… */
export function networkNamespace(bench: KernelBench, letter: string): Namespace {
  return ownedNamespace(`${bench.netnsPrefix}${letter}`);
}

export interface TestNetwork {
  readonly ns: Namespace;
  readonly netns: NetnsObject;
  readonly lo: Link;
  readonly bridge: Link;
  readonly vxlan: Link;
  readonly all: readonly KernelObject[];
}

/** A namespace with loopback, a bridge and a VXLAN end. */
export function testNetwork(bench: KernelBench, letter: 'a' | 'b' = 'a'): TestNetwork {
  const ns = networkNamespace(bench, letter);
  const netns: NetnsObject = { kind: 'netns', ns };
  const lo: Link = { kind: 'link', ns, name: 'lo', owner: '', up: true, type: { type: 'loopback' } };
  const bridge: Link = {
    kind: 'link',
    ns,
    name: 'br0',
    owner: `network:${letter}`,
    up: true,
    mtu: 1450,
    mac: '02:57:00:00:00:01' as Mac,
    type: { type: 'bridge' },
  };
  const vni = bench.vni + (letter === 'a' ? 0 : 1);
  const vxlan: Link = {
    kind: 'link',
    ns,
    name: 'vxlan0',
    owner: `network:${letter}`,
    up: true,
    mtu: 1450,
    master: 'br0',
    port: { learning: false, flood: true },
    type: { type: 'vxlan', vni, local: bench.local, port: 4789 },
  };
  return { ns, netns, lo, bridge, vxlan, all: [netns, lo, bridge, vxlan] };
}

/** Both ends of an endpoint's pair, the bridge's first. */
export function testPair(network: TestNetwork, ref: string, digit = 1): [Link, Link] {
  const outer = { ns: network.ns, name: `veth${digit}` };
  const inner = { ns: sandboxNamespace(ref), name: `eth${digit}` };
  const both = { kind: 'link', owner: `endpoint:${digit}`, up: true, mtu: 1450 } as const;
  return [
    {
      ...both,
      ...outer,
      master: 'br0',
      port: { learning: false, flood: false },
      type: { type: 'veth', peer: inner },
    },
    { ...both, ...inner, mac: macs[0], type: { type: 'veth', peer: outer } },
  ];
}

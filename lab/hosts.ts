/**
 * The lab: hosts made of network namespaces, with real daemons, real sandboxes and a real underlay, on one machine.
 * Tests across hosts and the demo stand on it. It uses weft as a stranger would: `bin/weft`, `ip` and the like.
 *
 * Words: a *lab* is a set of hosts on one underlay; a *host* is a namespace with an `eth0` on the underlay and a daemon;
 * a *sandbox* is a namespace that stands for a container of a host.
 *
 * Invariants: everything that a lab makes bears its prefix, is made outside the machine's own network, and is gone after
 * `dispose`, which also happens on Ctrl-C, on a crash of the owner (at once where it can still run code, by the next lab
 * otherwise), and never touches what others made.
 */
import { type Claim, claimPrefix } from './claim.ts';
import { ip, run } from './command.ts';
import { LabHost } from './host.ts';
import { buildUnderlay, plugIn, subnets, type UnderlayShape } from './underlay.ts';

export interface LabOptions {
  /** Names of the hosts, or names with the last number of their addresses. */
  readonly hosts: readonly (string | NumberedHost)[];
  /** Two underlay subnets with a router between them; hosts are in turn in one and the other. */
  readonly routed?: boolean;
  /** The family of the addresses that hosts advertise. Both are always there. */
  readonly underlay?: 'ipv4' | 'ipv6';
  /** Bytes of the underlay's links; 1500 where not given. */
  readonly mtu?: number;
  /** Prefixes to try instead of one made from the process's number. */
  readonly prefixes?: readonly string[];
}

export interface NumberedHost {
  readonly name: string;
  /** 1 to 253. */
  readonly number: number;
}

/** Numbers of hosts that are given none. */
const hostNumberMin = 11;
const underlayMtu = 1500;

export class Lab {
  readonly prefix: string;
  readonly hosts: readonly LabHost[];
  /** A folder that all hosts see, for a shared file store. Gone with the lab. */
  readonly folder: string;
  readonly #claim: Claim;
  readonly #stopListening: () => void;

  constructor(claim: Claim, hosts: readonly LabHost[], stopListening: () => void) {
    this.prefix = claim.prefix;
    this.folder = claim.folder;
    this.hosts = hosts;
    this.#claim = claim;
    this.#stopListening = stopListening;
  }

  /** @throws Error when the lab has no host of that name */
  host(name: string): LabHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`The lab has no host ${name}`);
    return found;
  }

  /** Kills and removes all that the lab made. Idempotent; synchronous, so that it can run while the process ends. */
  dispose(): void {
    this.#stopListening();
    this.#claim.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Why a lab cannot be made here, or undefined. Specs name it in their titles and skip.
 *
 * Looks for root, the `ip` command and a kernel with VXLAN, by trying.
 */
export async function labHindrance(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root';
  const netns = `wt${process.pid}probe`;
  try {
    await ip(undefined, [`netns add ${netns}`]);
  } catch (error) {
    return `cannot make network namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
  const vxlan = ['-n', netns, 'link', 'add', 'probe', 'type', 'vxlan', 'id', '1', 'dstport', '4789'];
  const result = await run('ip', vxlan, { allowFailure: true });
  await ip(undefined, [`netns del ${netns}`]);
  return result.code === 0 ? undefined : `the kernel has no VXLAN: ${result.stderr.trim()}`;
}

let labsMade = 0;

/**
 * Makes the hosts and their underlay. Without daemons: `LabHost.startDaemon` starts one.
 *
 * @throws Error when a command fails; what was made by then is removed
 */
export async function createLab(options: LabOptions): Promise<Lab> {
  const claim = claimPrefix(options.prefixes ?? [`wt${process.pid}${letter(labsMade++)}-`]);
  const stopListening = releaseWithProcess(claim);
  try {
    return new Lab(claim, await makeHosts(claim, options), stopListening);
  } catch (error) {
    stopListening();
    claim.release();
    throw error;
  }
}

async function makeHosts(claim: Claim, options: LabOptions): Promise<LabHost[]> {
  const routed = options.routed === true;
  const shape: UnderlayShape = { prefix: claim.prefix, routed, mtu: options.mtu ?? underlayMtu };
  await buildUnderlay(shape);
  const hosts: LabHost[] = [];
  for (const [index, wanted] of options.hosts.entries()) {
    const name = typeof wanted === 'string' ? wanted : wanted.name;
    const number = typeof wanted === 'string' ? hostNumberMin + index : wanted.number;
    const subnet = subnets[routed && index % 2 === 1 ? 1 : 0];
    const netns = `${claim.prefix}${name}`;
    await ip(undefined, [`netns add ${netns}`]);
    await ip(netns, ['link set lo up']);
    await plugIn(shape, { netns, subnet, number });
    const ipv4 = `${subnet.ipv4}${number}`;
    const ipv6 = `${subnet.ipv6}${number}`;
    const address = options.underlay === 'ipv6' ? ipv6 : ipv4;
    hosts.push(new LabHost({ name, netns, ipv4, ipv6, address }, claim));
  }
  return hosts;
}

/** Releases the claim when the process ends or is told to. Returns the undoing of that. */
function releaseWithProcess(claim: Claim): () => void {
  const onExit = (): void => claim.release();
  const onSignal = (signal: NodeJS.Signals): void => {
    claim.release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('exit', onExit);
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  return () => {
    process.off('exit', onExit);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}

/** a, b, ... z, aa, ... */
function letter(index: number): string {
  const last = String.fromCharCode('a'.charCodeAt(0) + (index % 26));
  return index < 26 ? last : letter(Math.floor(index / 26) - 1) + last;
}

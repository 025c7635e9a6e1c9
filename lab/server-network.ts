/**
 * A network for the servers of a cluster: each in a namespace of its own, joined by a bridge in another. A process that
 * runs in the bridge's namespace (`enter`) reaches all of them, also one that is cut off from the others.
 */
import { type Claim, claimPrefix } from './claim.ts';
import { ip, run } from './command.ts';
import type { ClusterServer, Seat } from './store-cluster.ts';
import { buildUnderlay, plugIn, subnets } from './underlay.ts';

const prefixes = ['wtc1-', 'wtc2-', 'wtc3-', 'wtc4-'];
const mtu = 1_500;
/** Of the process in the bridge's namespace. */
const clientNumber = 250;
const table = 'inet weft-lab';

/** Of a network that another process has built, by its prefix. */
export class ServerNetwork {
  readonly prefix: string;
  readonly seats: readonly Seat[];

  constructor(prefix: string, size: number) {
    this.prefix = prefix;
    this.seats = Array.from({ length: size }, (_, index) => ({
      netns: `${prefix}server${index + 1}`,
      address: `${subnets[0].ipv4}${index + 1}`,
    }));
  }

  /** What runs another command in the bridge's namespace. */
  get enter(): { readonly command: string; readonly args: readonly string[] } {
    return { command: 'nsenter', args: [`--net=/run/netns/${this.prefix}switch`] };
  }

  /** Cuts a server off from the other servers, in both directions; clients reach it still. */
  async isolate(server: ClusterServer): Promise<void> {
    const seat = this.seats.find(({ address }) => address === server.host);
    if (seat === undefined) throw new Error(`The server ${server.name} has no seat in ${this.prefix}`);
    const others = this.seats.filter((other) => other !== seat).map(({ address }) => address);
    const set = `{ ${others.join(', ')} }`;
    await nft(seat, [
      `add table ${table}`,
      `add chain ${table} arriving { type filter hook input priority 0; }`,
      `add chain ${table} leaving { type filter hook output priority 0; }`,
      `add rule ${table} arriving ip saddr ${set} drop`,
      `add rule ${table} leaving ip daddr ${set} drop`,
    ]);
  }

  /** Joins all again. Idempotent. */
  async heal(): Promise<void> {
    await Promise.all(this.seats.map((seat) => nft(seat, [`add table ${table}`, `delete table ${table}`])));
  }
}

/** Builds one. Needs root. Whoever gets it releases the claim. */
export async function buildServerNetwork(size: number): Promise<{ network: ServerNetwork; claim: Claim }> {
  const claim = claimPrefix(prefixes);
  try {
    const network = new ServerNetwork(claim.prefix, size);
    const shape = { prefix: claim.prefix, routed: false, mtu };
    await buildUnderlay(shape);
    await ip(`${claim.prefix}switch`, [`address add ${subnets[0].ipv4}${clientNumber}/24 dev br0`]);
    for (const [index, { netns }] of network.seats.entries()) {
      await ip(undefined, [`netns add ${netns}`]);
      await ip(netns, ['link set lo up']);
      await plugIn(shape, { netns, subnet: subnets[0], number: index + 1 });
    }
    return { network, claim };
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function nft({ netns }: Seat, lines: readonly string[]): Promise<void> {
  await run('ip', ['netns', 'exec', netns, 'nft', '-f', '-'], { input: `${lines.join('\n')}\n` });
}

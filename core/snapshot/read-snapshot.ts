/**
 * A state from the lines of a snapshot. Tables, indexes and hash are built by the fold's own draft, so the hash of what
 * comes out is computed from what went in, and must be the one that the snapshot claims.
 */
import { WeftError } from '../errors.ts';
import { Draft } from '../fold/draft.ts';
import { gatewayAddressOf, gatewayNetworkId, gatewaySpaceOf } from '../fold/gateway-network.ts';
import type { State } from '../fold/state.ts';
import { type Cursor, newPool, type Pool } from '../ipam/pool.ts';
import { RangeSet } from '../ipam/range-set.ts';
import { addressOf, addressToBigInt, contains, type IpAddress, type Prefix } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { nameKey } from '../model/names.ts';
import type { Network } from '../model/network.ts';
import type { Stamp } from '../model/stamp.ts';
import { type LineOf, type SnapshotLine, snapshotLine } from './snapshot-schema.ts';

/** Any ordinal that begins a stretch of the fold's memory: what was remembered before is then the earlier stretch. */
const firstOfStretch = 1;

/**
 * Reads lines one after the other; `finish` gives the state.
 *
 * Each line is checked as it comes, so a reader may stop at the first that is refused without having held the rest.
 */
export class SnapshotReader {
  readonly #draft = Draft.forLoading();
  #head: LineOf<'snapshot'> | undefined;
  #lines = 0;
  #isWhole = false;
  #isPresent = false;
  readonly #spaces = new Map<string, bigint>();
  /** Those on gateway bridges, whose pools are their hosts'. */
  readonly #gateways: Endpoint[] = [];
  /** By space and prefix, with the addresses that are taken in each. */
  readonly #pools = new Map<
    string,
    { readonly pool: Pool; readonly cursors: Cursor[]; readonly taken: bigint[] }
  >();
  /** Texts that many objects share are kept once. */
  readonly #texts = new Map<string, string>();

  /** @throws WeftError `bad-snapshot` */
  take(text: string): void {
    if (this.#isWhole) throw bad('it goes on after its last line');
    const line = parse(text, this.#lines + 1);
    if (line.kind === 'end') {
      if (line.lines !== this.#lines) throw bad(`it has ${this.#lines} of its ${line.lines} lines`);
      this.#isWhole = true;
      return;
    }
    this.#lines += 1;
    if ((line.kind === 'snapshot') !== (this.#lines === 1)) throw bad(`line ${this.#lines} is out of place`);
    sound(() => this.#put(line));
  }

  /** Whether its last line was taken. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The state that the lines make. @throws WeftError `bad-snapshot` */
  finish(): State {
    const head = this.#head;
    if (head === undefined || !this.#isWhole) throw bad(`it ends after ${this.#lines} lines, before its end`);
    this.#beginPresent();
    sound(() => this.#putGateways());
    sound(() => this.#putPools());
    sound(() => this.#draft.endLoading());
    const state = this.#draft.finish(head.ordinal, head.recordHash);
    if (state.stateHash !== head.stateHash) {
      throw bad(
        `it makes the state ${state.stateHash.slice(0, 12)} and claims ${head.stateHash.slice(0, 12)}`,
      );
    }
    return state;
  }

  #put(line: Exclude<SnapshotLine, LineOf<'end'>>): void {
    const draft = this.#draft;
    switch (line.kind) {
      case 'snapshot':
        this.#head = line;
        draft.setVniCursor(BigInt(line.vniCursor));
        draft.setEpochFloor(line.epochFloor);
        return;
      case 'host': {
        const { kind: _kind, ...host } = line;
        return draft.putHost({ ...host, ...this.#stamps(line) });
      }
      case 'removed-host':
        return this.#putRemovedHost(line);
      case 'past-log': {
        const { kind: _kind, ...log } = line;
        return draft.setCourse({ ...draft.course, past: [...draft.course.past, log] });
      }
      case 'present-log':
        return draft.setCourse({ ...draft.course, present: line.logId });
      case 'next-log':
        return draft.setCourse({ ...draft.course, next: { logId: line.logId, url: line.url } });
      case 'space':
        this.#spaces.set(line.name, BigInt(line.cursor));
        return;
      case 'cursor':
        return this.#putCursor(line);
      case 'network':
        return this.#putNetwork(line);
      case 'endpoint':
        return this.#putEndpoint(line);
      case 'memory':
        return this.#remember(line);
    }
  }

  #putRemovedHost({ name, epoch, ordinal, isExpired }: LineOf<'removed-host'>): void {
    this.#draft.rememberRemoved(name, { epoch, ordinal, isExpired });
  }

  #putCursor({ space, prefix, first, last, users, next }: LineOf<'cursor'>): void {
    const cursor = { first: BigInt(first), last: BigInt(last), users, next: BigInt(next) };
    const key = `${space} ${prefix}`;
    const found = this.#pools.get(key);
    if (found === undefined) {
      this.#pools.set(key, { pool: newPool(space, prefix), cursors: [cursor], taken: [] });
    } else {
      found.cursors.push(cursor);
    }
  }

  #putNetwork({ kind: _kind, options, labels, ...rest }: LineOf<'network'>): void {
    const network: Network = {
      ...rest,
      ...this.#stamps(rest),
      options: Object.fromEntries(options),
      labels: Object.fromEntries(labels),
    };
    this.#draft.addNetwork(network);
    if (network.vni !== undefined) this.#draft.takeVni(BigInt(network.vni));
    for (const { prefix, gateway, aux } of network.subnets) {
      for (const address of [gateway, ...aux.map((each) => each.address)])
        this.#take(network.space, prefix, address);
    }
  }

  #putEndpoint(line: LineOf<'endpoint'>): void {
    const endpoint = this.#endpointOf(line);
    if (endpoint.network === gatewayNetworkId) {
      this.#gateways.push(endpoint);
      return;
    }
    const network = this.#draft.networks.get(endpoint.network);
    if (network === undefined)
      throw bad(`endpoint ${endpoint.id.slice(0, 12)} is on a network that is not in it`);
    this.#draft.addEndpoint(network, endpoint);
    for (const address of endpoint.addresses.map(addressOf)) {
      const subnet = network.subnets.find(({ prefix }) => contains(prefix, address));
      if (subnet === undefined) throw bad(`endpoint ${endpoint.id.slice(0, 12)} has an address of no subnet`);
      this.#take(network.space, subnet.prefix, address);
    }
  }

  #putGateways(): void {
    for (const { name, gatewaySubnet } of this.#draft.hosts.values()) {
      if (gatewaySubnet !== undefined)
        this.#take(gatewaySpaceOf(name), gatewaySubnet, gatewayAddressOf(gatewaySubnet));
    }
    for (const gateway of this.#gateways) {
      const subnet = this.#draft.hosts.get(gateway.host)?.gatewaySubnet;
      const [ipv4] = gateway.addresses;
      if (subnet === undefined || ipv4 === undefined)
        throw bad(`endpoint ${gateway.id.slice(0, 12)} is on a gateway bridge that is not in it`);
      this.#draft.addGateway(gateway);
      this.#take(gatewaySpaceOf(gateway.host), subnet, addressOf(ipv4));
    }
  }

  /** Member by member: there are very many of them, and a copy of the line takes longer and more room. */
  #endpointOf(line: LineOf<'endpoint'>): Endpoint {
    const { created, changed } = this.#stamps(line);
    const { linkLocal, sysctls, routes } = line;
    const { id, name, aliases, sandbox, ifname, mac, addresses, gatewayPriority, ports } = line;
    return {
      id,
      network: this.#shared(line.network),
      ...(name === undefined ? {} : { name }),
      aliases: aliases.length === 0 ? none : aliases,
      host: this.#shared(line.host),
      sandbox,
      ...(ifname === undefined ? {} : { ifname: this.#shared(ifname) }),
      ...(mac === undefined ? {} : { mac }),
      ...(linkLocal === undefined ? {} : { linkLocal }),
      ...(sysctls === undefined ? {} : { sysctls }),
      ...(routes === undefined ? {} : { routes }),
      ...(gatewayPriority === undefined ? {} : { gatewayPriority }),
      ...(ports === undefined ? {} : { ports }),
      addresses,
      created,
      changed,
    };
  }

  #take(space: string, prefix: Prefix, address: IpAddress): void {
    const found = this.#pools.get(`${nameKey(space)} ${prefix}`);
    if (found === undefined) throw bad(`it has no pool for ${prefix}`);
    const value = addressToBigInt(address);
    found.taken.push(value);
    this.#draft.noteTaken(found.pool, value);
  }

  /** All of a pool at once: its addresses one by one would cost a set each. */
  #putPools(): void {
    for (const { pool, cursors, taken } of this.#pools.values()) {
      const cursor = this.#spaces.get(pool.space);
      if (cursor === undefined) throw bad(`it has no address space of pool ${pool.prefix}`);
      const ranges = [...pool.taken.ranges()];
      const all = ranges.reduce((set, range) => set.with(range.first, range.last), RangeSet.of(taken));
      this.#draft.addPool({ ...pool, cursors, taken: all }, cursor);
    }
    for (const name of this.#spaces.keys()) {
      if (this.#draft.pools.space(name) === undefined) throw bad(`its address space ${name} has no pool`);
    }
  }

  /** The earlier stretch comes first; the memory moves on once, when the present one begins. */
  #remember({ stretch, records }: LineOf<'memory'>): void {
    if (stretch === 'previous' && this.#isPresent) throw bad('its memory is out of order');
    if (stretch === 'present') this.#beginPresent();
    this.#draft.rememberRecords(records);
  }

  #beginPresent(): void {
    if (this.#isPresent) return;
    this.#isPresent = true;
    this.#draft.advanceMemory(firstOfStretch);
  }

  #stamps({ created, changed }: { readonly created: Stamp; readonly changed?: Stamp }): {
    readonly created: Stamp;
    readonly changed: Stamp;
  } {
    const first = this.#stamp(created);
    if (changed?.ordinal === created.ordinal) throw bad('an object was changed by the record that made it');
    return { created: first, changed: changed === undefined ? first : this.#stamp(changed) };
  }

  #stamp(stamp: Stamp): Stamp {
    return { ...stamp, host: this.#shared(stamp.host), by: this.#shared(stamp.by) };
  }

  #shared<T extends string>(text: T): T {
    const known = this.#texts.get(text);
    if (known !== undefined) return known as T;
    this.#texts.set(text, text);
    return text;
  }
}

/** One for all that have none. */
const none: readonly string[] = [];

/** What the fold would never have let in makes its own code throw; here it means that the snapshot is none. */
function sound(build: () => void): void {
  try {
    build();
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

function parse(text: string, number: number): SnapshotLine {
  const value = parseJson(text, number);
  const version = (value as { readonly v?: unknown } | null)?.v;
  if (number === 1 && typeof version === 'number' && version > 1) {
    throw new WeftError(
      'unknown-version',
      `Cannot read the snapshot: it is of version ${version}, which this weft does not know: upgrade weft on this host`,
    );
  }
  const parsed = snapshotLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw bad(`line ${number} does not have its shape${where === '' ? '' : ` at ${where}`}`);
}

function parseJson(text: string, number: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw bad(`line ${number} is no JSON`);
    throw error;
  }
}

function bad(why: string): WeftError {
  return new WeftError('bad-snapshot', `Cannot use the snapshot: ${why}`);
}

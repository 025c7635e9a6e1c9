/**
 * P2: requests that commute may come in any order.
 *
 * What a state holds of the order in which it came about: the ordinals in the stamps of objects, in the memory of
 * records and in the removals of hosts, and the running hash of the log. Those are provenance. **Two requests commute
 * when neither writes what the other reads or writes**, with these as what there is to read and write: a host's life, how
 * many hosts there are and are down, a name, an object, an address, a MAC address, a VNI, a sandbox, a port of a host; and, as a whole, a pool, the
 * sequence of VNIs and the ports of a host for who has something chosen from it, and an address space for who removes a
 * network of it, because with its last pool goes the place where its search for default pools goes on. So two endpoints
 * with automatic addresses on one network do not commute, and two with addresses that were asked for do.
 *
 * Which address a sandbox has on its host's gateway bridge follows from when it came; that it has one does not. So of
 * gateways it is their addresses that are left out, and not the addresses that their pools have given away.
 *
 * **Statement.** After any history, in whatever order requests of which every two commute are applied, each has the same
 * outcome, code and message, and the states are equal but for their provenance: so are their hashes when every stamp and
 * every ordinal is taken for the same.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { checkState } from '../../core/fold/check.ts';
import { endpointMember, hostMember, networkMember, poolMember, spaceMember } from '../../core/fold/hash.ts';
import type { Outcome } from '../../core/fold/outcome.ts';
import { replay } from '../../core/fold/replay.ts';
import type { State } from '../../core/fold/state.ts';
import { SetHash } from '../../core/lib/set-hash.ts';
import type { BodyOf, LogRecord, RecordKind } from '../../core/log/record.ts';
import { encodeRecord } from '../../core/log/record-codec.ts';
import { addressOf, contains, type IpAddress } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import { type Mac, macOfAddress } from '../../core/model/mac.ts';
import { nameKey } from '../../core/model/names.ts';
import type { Network } from '../../core/model/network.ts';
import { Ledger, subnet } from '../support/ledger.ts';
import { runs } from '../support/property-settings.ts';
import { anyRequest, send } from '../support/requests.ts';

/** A request and what it touches. */
interface Touching {
  readonly record: LogRecord;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** How many hosts there are and how many are down, together. */
const downHosts = 'down hosts';

type Wish = { readonly kind: RecordKind; readonly pick: number; readonly variant: number };

const kinds = [
  'host-join',
  'host-remove',
  'host-down',
  'host-expire',
  'network-create',
  'network-remove',
  'endpoint-create',
  'endpoint-remove',
] as const;
const wish: fc.Arbitrary<Wish> = fc.record({
  kind: fc.oneof(
    ...kinds.map((kind) => ({
      weight: kind === 'endpoint-create' ? 4 : kind === 'host-remove' || kind === 'host-expire' ? 1 : 2,
      arbitrary: fc.constant(kind),
    })),
  ),
  pick: fc.nat(10_000),
  variant: fc.nat(10_000),
});

describe('requests that commute (P2)', () => {
  it('P2: give equal outcomes and, provenance apart, equal states in every order', () => {
    const accepted = new Map<string, number>();
    let refused = 0;
    let largest = 0;
    let published = 0;
    fc.assert(
      fc.property(
        fc.array(anyRequest, { maxLength: 40, size: 'max' }),
        fc.array(wish, { maxLength: 25, size: 'max' }),
        fc.array(fc.nat(), { minLength: 25, maxLength: 25 }),
        (history, wishes, order) => {
          const ledger = new Ledger('h0', 'h1', 'h2');
          for (const request of history) send(ledger, request);
          const batch = commuting(wishes.flatMap((each, index) => touching(ledger, each, index) ?? []));
          const lines = batch.map(({ record }) => encodeRecord(record));
          const turned = [...lines.keys()].sort((a, b) => (order[a] ?? 0) - (order[b] ?? 0) || b - a);
          const one = replay(ledger.state, lines);
          const other = replay(
            ledger.state,
            turned.flatMap((index) => lines[index] ?? []),
          );
          const told = new Map(other.outcomes.map((outcome) => [outcome.record, withoutOrdinal(outcome)]));
          for (const outcome of one.outcomes) {
            assert.deepEqual(told.get(outcome.record), withoutOrdinal(outcome));
            if (outcome.accepted) accepted.set(outcome.kind, (accepted.get(outcome.kind) ?? 0) + 1);
            else refused += 1;
          }
          assert.deepEqual(withoutProvenance(other.state), withoutProvenance(one.state));
          assert.equal(hashOf(other.state), hashOf(one.state));
          assert.deepEqual(checkState(other.state), []);
          largest = Math.max(largest, batch.length);
          published += one.state.publishedPorts.size - ledger.state.publishedPorts.size;
        },
      ),
      { numRuns: runs(200) },
    );
    for (const kind of kinds) assert.ok((accepted.get(kind) ?? 0) > 0, `no ${kind} was accepted`);
    assert.notEqual(published, 0, 'no port came or went');
    assert.ok(refused > 0 && largest > 5, `${refused} refusals, at most ${largest} requests`);
  });

  it('P2: and two that do not commute may well not', () => {
    const ledger = new Ledger('h1');
    ledger.network('h1', 'red', { subnets: [subnet('10.0.1.0/24')] });
    const network = ledger.networkNamed('red').id;
    const lines = ['a', 'b'].map((name) => {
      const body = { network, name, aliases: [], avoid: [], sandbox: { ref: name, identity: name } };
      return encodeRecord(ledger.draft('h1', 'endpoint-create', body));
    });
    const [one, other] = [replay(ledger.state, lines), replay(ledger.state, [...lines].reverse())];
    assert.notDeepEqual(withoutProvenance(other.state), withoutProvenance(one.state));
  });
});

/** Those of the requests that commute with all that were chosen before them. */
function commuting(candidates: readonly Touching[]): Touching[] {
  const chosen: Touching[] = [];
  for (const each of candidates) if (chosen.every((other) => areApart(each, other))) chosen.push(each);
  return chosen;
}

function areApart(a: Touching, b: Touching): boolean {
  const touches = (writes: ReadonlySet<string>, { reads, writes: others }: Touching): boolean =>
    [...writes].some((what) => reads.has(what) || others.has(what));
  return !touches(a.writes, b) && !touches(b.writes, a);
}

function touching(ledger: Ledger, { kind, pick, variant }: Wish, index: number): Touching | undefined {
  const { state } = ledger;
  const hosts = [...state.hosts.keys()];
  const author = hosts[pick % hosts.length];
  const network = [...state.networks.values()][variant % Math.max(state.networks.size, 1)];
  const endpoint = [...state.endpoints.values()][variant % Math.max(state.endpoints.size, 1)];
  if (kind === 'host-join') return joining(ledger, pick, variant);
  if (author === undefined) return undefined;
  const by = [`life ${nameKey(author)}`];
  switch (kind) {
    case 'host-remove': {
      const host = hosts[variant % hosts.length];
      return host === undefined ? undefined : removing(ledger, author, host);
    }
    case 'host-down':
    case 'host-expire': {
      const down = kind === 'host-expire' ? [...state.downHosts.keys()] : [];
      const host = state.hosts.get(down[variant % down.length] ?? hosts[variant % hosts.length] ?? author);
      return host === undefined ? undefined : judging(ledger, author, kind, host);
    }
    case 'network-create':
      return creating(ledger, author, index, pick, variant);
    case 'network-remove':
      if (network === undefined) return undefined;
      return of(
        ledger,
        author,
        kind,
        { network: network.id },
        [...by, 'vnis'],
        [
          `network ${network.id}`,
          `network name ${nameKey(network.name)}`,
          `vni ${network.vni}`,
          `space ${nameKey(network.space)}`,
          ...network.subnets.map(({ prefix }) => poolOf(network, prefix)),
        ],
      );
    case 'endpoint-create':
      return network === undefined ? undefined : attaching(ledger, author, network, pick, variant);
    case 'endpoint-remove':
      if (endpoint === undefined) return undefined;
      const held = heldBy(state, endpoint);
      return of(
        ledger,
        author,
        kind,
        { endpoint: endpoint.id, reason: 'requested' },
        [...by, ...held.reads],
        held.writes,
      );
    // Nothing commutes with the end of a log, and a log has one beginning.
    case 'log-begin':
    case 'log-move':
      return undefined;
  }
}

/** A host that is new, or one that begins another life; at an address of its own, or one that may be taken. */
function joining(ledger: Ledger, pick: number, variant: number): Touching {
  const name = `h${pick % 6}`;
  const address = `192.168.${variant % 3 === 0 ? 2 : 7}.${(pick % 6) + 1}`;
  const old = ledger.state.hosts.get(name)?.address;
  const identity = Buffer.from(name.padEnd(16, '.')).toString('hex');
  const body = { address, identity, mtu: 1500, version: '0.1.0' };
  return of(
    ledger,
    name,
    'host-join',
    body,
    [downHosts],
    [`life ${name}`, `underlay ${address}`, `underlay ${old ?? address}`],
  );
}

/** Whether a host may be taken down depends on how many there are and are down. */
function judging(ledger: Ledger, author: string, kind: 'host-down' | 'host-expire', host: Host): Touching {
  const { reads, writes } = removing(ledger, author, host.name);
  return of(ledger, author, kind, { name: host.name, epoch: host.epoch }, [...reads], [...writes, downHosts]);
}

function removing(ledger: Ledger, author: string, host: string): Touching {
  const { state } = ledger;
  const held = [...state.endpoints.values()]
    .filter((each) => each.host === host)
    .map((each) => heldBy(state, each));
  const reads = [downHosts, `life ${nameKey(author)}`, ...held.flatMap((each) => each.reads)];
  const underlay = `underlay ${state.hosts.get(host)?.address}`;
  const writes = [`life ${nameKey(host)}`, underlay, ...held.flatMap((each) => each.writes)];
  return of(ledger, author, 'host-remove', { name: host }, reads, writes);
}

function creating(ledger: Ledger, author: string, index: number, pick: number, variant: number): Touching {
  const prefix = `172.16.${index}.0/24`;
  const vni = variant % 4 === 0 ? undefined : 256 + (variant % 12);
  const name = `n${pick % 9}`;
  const options: [string, string][] =
    vni === undefined ? [] : [['com.docker.network.driver.overlay.vxlanid_list', `${vni}`]];
  const body = {
    name,
    driver: 'overlay',
    subnets: [subnet(prefix)],
    ipv6: false,
    internal: false,
    space: 'default',
    options,
    labels: [],
  };
  const reads = [`life ${nameKey(author)}`, 'space default', ...(vni === undefined ? [] : ['vnis'])];
  const writes = [
    `network name ${name}`,
    `pool default ${prefix}`,
    vni === undefined ? 'vnis' : `vni ${vni}`,
  ];
  return of(ledger, author, 'network-create', body, reads, writes);
}

function attaching(
  ledger: Ledger,
  author: string,
  network: Network,
  pick: number,
  variant: number,
): Touching {
  const identity = `boot-${pick % 12}`;
  const name = variant % 3 === 0 ? undefined : `e${pick % 9}`;
  const ipv4 = variant % 5 === 0 ? undefined : (`10.0.1.${pick % 9}` as IpAddress);
  const home = network.subnets.find(({ prefix }) => ipv4 !== undefined && contains(prefix, ipv4));
  const chosen = network.subnets.filter(({ prefix }) => home === undefined || prefix.includes(':'));
  const isChosen = chosen.length > 0;
  const port = variant % 7 === 0 ? { isChosen: pick % 4 === 0, hostPort: 7_000 + (pick % 5) } : undefined;
  const macs = `macs ${network.id}`;
  const body = {
    network: network.id,
    aliases: [],
    avoid: [],
    sandbox: { ref: `c${pick % 12}`, identity },
    ...(name === undefined ? {} : { name }),
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(port === undefined ? {} : { ports: [port.isChosen ? '80' : `${port.hostPort}:80`] }),
  };
  const reads = [
    `life ${nameKey(author)}`,
    `network ${network.id}`,
    ...(port === undefined || port.isChosen ? [] : [`ports ${author}`]),
    ...(isChosen ? [] : [macs]),
    ...(home === undefined ? [] : [poolOf(network, home.prefix)]),
  ];
  const writes = [
    `sandbox ${author} ${identity}`,
    ...(name === undefined ? [] : [`name ${network.id} ${name}`]),
    ...(isChosen ? [macs] : []),
    ...chosen.map(({ prefix }) => poolOf(network, prefix)),
    ...(home === undefined || ipv4 === undefined ? [] : [`${poolOf(network, home.prefix)} ${ipv4}`]),
    ...(ipv4 === undefined ? [] : [`mac ${network.id} ${macOfAddress(ipv4)}`]),
    ...(port === undefined ? [] : [port.isChosen ? `ports ${author}` : `port ${author} ${port.hostPort}`]),
  ];
  return of(ledger, author, 'endpoint-create', body, reads, writes);
}

/** What an endpoint gives back when it goes. */
function heldBy(state: State, endpoint: Endpoint): { readonly reads: string[]; readonly writes: string[] } {
  const network = state.networks.get(endpoint.network);
  assert.ok(network !== undefined);
  const { ports = [] } = endpoint;
  const places = endpoint.addresses.map((value) => {
    const home = network.subnets.find(({ prefix }) => contains(prefix, addressOf(value)));
    assert.ok(home !== undefined);
    return { pool: poolOf(network, home.prefix), address: addressOf(value) };
  });
  return {
    reads: [
      `network ${network.id}`,
      `macs ${network.id}`,
      ...places.map(({ pool }) => pool),
      ...(ports.length === 0 ? [] : [`ports ${endpoint.host}`]),
    ],
    writes: [
      `endpoint ${endpoint.id}`,
      `sandbox ${endpoint.host} ${endpoint.sandbox.identity}`,
      `name ${network.id} ${nameKey(endpoint.name ?? '')}`,
      `mac ${network.id} ${endpoint.mac}`,
      ...places.map(({ pool, address }) => `${pool} ${address}`),
      ...ports.map(({ hostPort }) => `port ${endpoint.host} ${hostPort}`),
    ],
  };
}

function poolOf(network: Network, prefix: string): string {
  return `pool ${nameKey(network.space)} ${prefix}`;
}

function of<K extends RecordKind>(
  ledger: Ledger,
  author: string,
  kind: K,
  body: BodyOf<K>,
  reads: readonly string[],
  writes: readonly string[],
): Touching {
  return { record: ledger.draft(author, kind, body), reads: new Set(reads), writes: new Set(writes) };
}

function withoutOrdinal(outcome: Outcome): object {
  return { ...outcome, ordinal: undefined };
}

const nowhere = { ordinal: 0, host: '', by: '', at: 0 };

/** An object as if nobody had made it and nobody had changed it. */
function unstamped<T extends { readonly created: unknown; readonly changed: unknown }>(object: T): T {
  return { ...object, created: nowhere, changed: nowhere };
}

/** A gateway wherever it is in its pool; what follows from its address goes with it. */
function unplaced(gateway: Endpoint): Endpoint {
  return { ...unstamped(gateway), addresses: [], mac: '00:00:00:00:00:00' as Mac };
}

function unborn(host: Host): Host {
  return { ...unstamped(host), joined: 0 };
}

function withoutProvenance(state: State): object {
  const rows = <T>(values: Iterable<T>): T[] => [...values];
  return {
    ordinal: state.ordinal,
    hosts: rows(state.hosts.values()).map(unborn),
    downHosts: rows(state.downHosts.entries()),
    networks: rows(state.networks.values()).map(unstamped),
    endpoints: rows(state.endpoints.values()).map(unstamped),
    gateways: rows(state.gateways.values()).map(unplaced),
    publishedPorts: rows(state.publishedPorts.entries()),
    networkNames: rows(state.networkNames.entries()),
    endpointNames: rows(state.endpointNames.entries()),
    hostNames: rows(state.hostNames.entries()),
    hostAddresses: rows(state.hostAddresses.entries()),
    pools: rows(state.pools.all()).map((pool) => ({ ...pool, taken: rows(pool.taken.ranges()) })),
    spaces: rows(state.pools.spaces()).map((space) => ({ ...space, covered: rows(space.covered.ranges()) })),
    vnis: rows(state.vnis.ranges()),
    vniCursor: state.vniCursor,
    removed: rows(state.removedHosts.entries()).map(([key, { epoch }]) => [key, epoch]),
    epochFloor: state.epochFloor,
    remembered: [...state.memory.present.keys(), ...state.memory.previous.keys()].sort(),
  };
}

/** The set hash over what the hash of the state is over, without ordinals and stamps. */
function hashOf(state: State): string {
  const hash = SetHash.empty();
  for (const host of state.hosts.values()) hash.add(hostMember(unborn(host)));
  for (const network of state.networks.values()) hash.add(networkMember(unstamped(network)));
  for (const endpoint of state.endpoints.values()) hash.add(endpointMember(unstamped(endpoint)));
  for (const gateway of state.gateways.values()) hash.add(endpointMember(unplaced(gateway)));
  for (const pool of state.pools.all()) hash.add(poolMember(pool));
  for (const space of state.pools.spaces()) hash.add(spaceMember(space));
  return hash.hex;
}

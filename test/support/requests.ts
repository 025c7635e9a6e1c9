/** Random requests to a ledger: most of them could be right, many are not. Names and addresses are few, so that they meet. */
import fc from 'fast-check';
import type { NetworkId } from '../../core/model/ids.ts';
import { isPredefined } from '../../core/model/network.ts';
import { type EndpointWishes, type Folded, type Ledger, type NetworkWishes, subnet } from './ledger.ts';

/** One request; `pick` and `variant` choose among what there is at the time. */
export interface Request {
  readonly type: (typeof types)[number];
  readonly pick: number;
  readonly variant: number;
}

const types = [
  'join',
  'host-rm',
  'down',
  'expire',
  'create',
  'rm',
  'connect',
  'disconnect',
  'repeat',
  'stale',
  'garbage',
  'wrong',
] as const;
const weights: Readonly<Record<Request['type'], number>> = {
  join: 6,
  'host-rm': 1,
  down: 1,
  expire: 1,
  create: 5,
  rm: 3,
  connect: 14,
  disconnect: 6,
  repeat: 2,
  stale: 1,
  garbage: 1,
  wrong: 4,
};

export const anyRequest: fc.Arbitrary<Request> = fc.record({
  type: fc.oneof(...types.map((type) => ({ weight: weights[type], arbitrary: fc.constant(type) }))),
  pick: fc.nat(10_000),
  variant: fc.nat(10_000),
});

const prefixes = [
  '10.0.1.0/29',
  '10.0.1.0/29',
  '10.0.1.0/28',
  '10.0.2.0/30',
  '10.0.0.0/31',
  'fd00:1::/125',
  '10.0.1.3/29',
  '127.0.0.0/8',
];
const drivers = [...Array<string>(14).fill('overlay'), ...Array<string>(4).fill('bridge'), 'null'];
/** The range has one port of the host for all who ask for it. */
const portTexts = [
  '80',
  '8080:80',
  '192.168.2.1:8080:80',
  '53/udp',
  '127.0.0.1:81-82:81-82',
  '9000-9001:90',
  '[::]:80:80',
];
const listener = { protocol: 'tcp', address: '0.0.0.0', port: 9000, process: 'nginx (1)' } as const;
const spaces = ['default', 'default', 'Tenant'];

function of<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % Math.max(items.length, 1)];
}

/** Appends the request to the ledger, from a host that may or may not be a member. */
export function send(ledger: Ledger, { type, pick, variant }: Request): Folded {
  const host = `h${pick % 3}`;
  const bit = (index: number) => ((variant >> index) & 1) === 1;
  switch (type) {
    case 'join':
      return ledger.join(host, {
        address: `192.168.2.${(pick + (bit(0) ? 1 : 0)) % 3}`,
        mtu: bit(1) && bit(2) ? 1 : 1500,
      });
    case 'host-rm':
      return ledger.removeHost(host, `H${variant % 3}`.toLowerCase());
    case 'down':
    case 'expire':
      return judge(ledger, type, host, variant, bit);
    case 'create':
      return create(ledger, host, pick, variant, bit);
    case 'rm':
      return ledger.record(host, 'network-remove', { network: anyNetwork(ledger, variant) });
    case 'connect':
      return connect(ledger, host, pick, variant, bit);
    case 'disconnect': {
      const endpoint = of([...ledger.state.endpoints.keys()], variant) ?? 'e'.repeat(64);
      return ledger.record(host, 'endpoint-remove', {
        endpoint,
        reason: bit(0) ? 'requested' : 'sandbox-gone',
      });
    }
    case 'repeat':
      return ledger.line(of(ledger.lines, variant) ?? new Uint8Array());
    case 'stale':
      return ledger.network(
        host,
        'stale',
        {},
        { epoch: variant % 4, base: bit(3) ? ledger.state.ordinal + 1 : 0 },
      );
    case 'garbage':
      return ledger.line(Uint8Array.from([pick % 256, variant % 256]));
    case 'wrong':
      return wrong(ledger, host, pick, variant);
  }
}

/** Networks that may not be, each for one reason. */
const wrongNetworks: readonly NetworkWishes[] = [
  { name: '-x' },
  { name: 'Bridge' },
  { space: 'no space' },
  { driver: 'nope' },
  { driver: 'overlay', options: [['nope', '1']] },
  { options: [['com.docker.network.driver.mtu', '1']] },
  { labels: [['', 'no key']] },
  { subnets: [subnet('10.0.1.1/29')] },
  { subnets: [subnet('10.0.1.0/29', { gateway: '10.9.9.9' })] },
  { subnets: [subnet('10.0.1.0/29', { range: '10.9.9.0/30' })] },
  { subnets: [subnet('10.0.1.0/29', { aux: [['a', '10.9.9.9']] })] },
];

const wrongEndpoints: readonly EndpointWishes[] = [
  { name: '-' },
  { aliases: ['two words'] },
  { ipv4: '10.0.1' },
  { mac: '01:00:00:00:00:01' },
  { ifname: 'all' },
  { sandbox: { ref: '..', identity: 'x' } },
  { sandbox: { ref: 'c1', identity: 'a blank' } },
  { ports: ['0:80'] },
  { ports: ['80-81:80-82'] },
  { ports: ['7000-7001:90', '7000-7001:91', '7000-7001:92'] },
  { linkLocal: ['10.0.0.1'] },
  { options: [['nope', '1']] },
];

/** A request that is mostly wrong in itself. */
function wrong(ledger: Ledger, host: string, pick: number, variant: number): Folded {
  const network = anyNetwork(ledger, variant);
  switch (pick % 5) {
    case 0:
      return ledger.network(host, `w${pick % 5}`, of(wrongNetworks, variant) ?? {});
    case 1: {
      const sandbox = { ref: `w${pick}`, identity: `w${pick}` };
      return ledger.record(host, 'endpoint-create', {
        network,
        aliases: [],
        avoid: [],
        sandbox,
        ...of(wrongEndpoints, variant),
      });
    }
    case 2: {
      const epoch = (ledger.state.hosts.get(host)?.epoch ?? 0) + 1;
      return ledger.network(host, 'too-early', {}, { epoch });
    }
    case 3:
      return withoutRoom(ledger, host, variant);
    default:
      return wrongJoin(ledger, variant);
  }
}

/** The first of them have room, the rest have none. */
function withoutRoom(ledger: Ledger, host: string, variant: number): Folded {
  const name = `r${ledger.state.ordinal}`;
  if (variant % 3 === 0) {
    const isFull = ledger.state.pools.space('full') !== undefined;
    return ledger.network(host, name, { space: 'full', subnets: isFull ? [] : [subnet('10.0.0.0/8')] });
  }
  const gateway = variant % 3 === 1 ? { gateway: '10.0.0.1' } : {};
  return ledger.network(host, name, { space: 'narrow', subnets: [subnet('10.0.0.0/31', gateway)] });
}

function wrongJoin(ledger: Ledger, variant: number): Folded {
  const taken = of([...ledger.state.hosts.values()], variant);
  switch (variant % 4) {
    case 0:
      return ledger.join('no name');
    case 1:
      return ledger.join('lost', { address: '127.0.0.1' });
    case 2:
      return ledger.join(taken?.name ?? 'h0', { identity: 'f'.repeat(32) });
    default:
      return ledger.join('near', { address: taken?.address ?? '192.168.2.1' });
  }
}

function create(
  ledger: Ledger,
  host: string,
  pick: number,
  variant: number,
  bit: (index: number) => boolean,
): Folded {
  const prefix = of(prefixes, variant) ?? '';
  const range = bit(4) && prefix === '10.0.1.0/29' ? { range: '10.0.1.4/30' } : {};
  const gateway = bit(5) && prefix === '10.0.1.0/29' ? { gateway: '10.0.1.6' } : {};
  const subnets =
    bit(6) && bit(7)
      ? []
      : [subnet(prefix, { ...range, ...gateway, aux: bit(8) ? [['a', '10.0.1.5']] : [] })];
  const options: [string, string][] =
    bit(9) && bit(10) ? [['com.docker.network.driver.overlay.vxlanid_list', `${255 + (pick % 4)}`]] : [];
  const driver = of(drivers, pick) ?? 'overlay';
  return ledger.network(host, `n${pick % 5}`, {
    driver,
    subnets: driver === 'null' ? [] : subnets,
    ipv6: driver !== 'null' && bit(11),
    internal: bit(12) && bit(0),
    space: driver === 'bridge' ? 'local' : (of(spaces, pick) ?? 'default'),
    options: driver === 'overlay' ? options : [],
  });
}

function connect(
  ledger: Ledger,
  host: string,
  pick: number,
  variant: number,
  bit: (index: number) => boolean,
): Folded {
  const name = bit(0) ? { name: `${bit(1) ? 'W' : 'w'}eb-${variant % 5}` } : {};
  const ipv4 = bit(2) && bit(3) ? { ipv4: `10.0.1.${variant % 9}` } : {};
  const mac = bit(4) && bit(5) ? { mac: `02:42:0a:00:01:0${2 + (pick % 4)}` } : {};
  const ifname = bit(6) && bit(7) ? { ifname: `eth${variant % 3}` } : {};
  const sandbox = { ref: `c${variant % 4}`, identity: `boot-${variant % 4}` };
  const avoid = bit(8) ? ['eth0'] : [];
  const network = anyNetwork(ledger, pick);
  const ports = bit(10) ? { ports: [of(portTexts, pick) ?? ''] } : {};
  const listeners = bit(10) && bit(11) ? { listeners: [listener] } : {};
  return ledger.record(host, 'endpoint-create', {
    network,
    aliases: bit(9) ? ['alias'] : [],
    sandbox,
    avoid,
    ...name,
    ...ipv4,
    ...mac,
    ...ifname,
    ...ports,
    ...listeners,
    ...(bit(5) && !bit(4) ? { gatewayPriority: (pick % 3) - 1 } : {}),
  });
}

/** Of a life that mostly is the present one. One that shall expire is mostly down. */
function judge(
  ledger: Ledger,
  type: 'down' | 'expire',
  host: string,
  variant: number,
  bit: (index: number) => boolean,
): Folded {
  const isDown = type === 'expire' && !(bit(2) && bit(3));
  const name = (isDown ? of([...ledger.state.downHosts.keys()], variant) : undefined) ?? `h${variant % 3}`;
  const epoch = (ledger.state.hosts.get(name)?.epoch ?? 1) + (bit(4) && bit(5) ? 1 : 0);
  return ledger.record(host, type === 'down' ? 'host-down' : 'host-expire', { name, epoch });
}

/** Mostly one that somebody made. */
function anyNetwork(ledger: Ledger, pick: number): NetworkId {
  const all = [...ledger.state.networks.values()];
  const some = pick % 11 === 0 ? all : all.filter((network) => !isPredefined(network));
  return of(some, pick)?.id ?? ('d'.repeat(64) as NetworkId);
}

/** The kernel never lies: whatever of weft's is deleted or altered by hand comes back. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { ip, run } from '../../lab/command.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

/** The bound that weft promises; an event brings the repair, not the audit, which is far rarer. */
const repairWithinMs = 1_000;

describe('An object of weft, deleted or altered by hand', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  /** Of the first host: its namespace of the network, its sandbox, and the peer on the other host. */
  let net: string;
  let sandbox: string;
  let port: string;
  let peer: { readonly mac: string; readonly address: string; readonly vtep: string };

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    const network = await cluster.member(0).api.call('createNetwork', {
      body: {
        name: 'red',
        ipv6: true,
        subnets: [{ prefix: '10.0.1.0/24' }, { prefix: '10.0.2.0/24' }, { prefix: 'fd00:1::/64' }],
      },
    });
    await cluster.converged();
    const here = await cluster.attach(0, 'red', 'here');
    const there = await cluster.attach(1, 'red', 'there');
    await cluster.converged();
    sandbox = here.sandbox;
    net = `${cluster.member(0).host.netnsPrefix}${network.id.slice(0, 10)}`;
    port = await portIn(net);
    peer = {
      mac: there.endpoint.mac ?? '',
      address: there.endpoint.addresses[0]?.split('/')[0] ?? '',
      vtep: cluster.member(1).host.place.address,
    };
  });

  after(() => cluster?.dispose());

  /** Every line that `ip` and `bridge` say of what weft made on the first host, without what changes by itself. */
  async function snapshot(): Promise<string> {
    const links = [
      ['-n', net, '-o', 'link', 'show'],
      ['-n', net, '-o', 'addr', 'show'],
      ['-n', net, 'route', 'show', 'table', 'main'],
      ['-n', net, '-6', 'route', 'show', 'table', 'main'],
      ['-n', net, 'neigh', 'show', 'nud', 'permanent'],
      ['-n', sandbox, '-o', 'link', 'show'],
      ['-n', sandbox, '-o', 'addr', 'show'],
      ['-n', sandbox, 'route', 'show', 'table', 'main'],
      ['-n', sandbox, '-6', 'route', 'show', 'table', 'main'],
    ];
    const texts = await Promise.all(links.map(async (args) => (await run('ip', args)).stdout));
    texts.push((await run('bridge', ['-n', net, 'fdb', 'show', 'dev', 'vxlan0'])).stdout);
    texts.push((await run('ip', ['netns', 'exec', sandbox, 'cat', '/etc/hosts'])).stdout);
    return texts.map(normalised).join('\n--\n');
  }

  const acts: readonly { readonly what: string; readonly act: () => Promise<unknown> }[] = [
    {
      what: 'an FDB entry deleted',
      act: () =>
        run('bridge', ['-n', net, 'fdb', 'del', peer.mac, 'dev', 'vxlan0', 'dst', peer.vtep, 'self']),
    },
    {
      what: 'an FDB entry pointed elsewhere',
      act: () =>
        run('bridge', [
          '-n',
          net,
          'fdb',
          'replace',
          peer.mac,
          'dev',
          'vxlan0',
          'dst',
          '192.0.2.9',
          'self',
          'permanent',
        ]),
    },
    {
      what: 'an FDB entry added',
      act: () =>
        run('bridge', [
          '-n',
          net,
          'fdb',
          'add',
          '02:42:0a:00:01:63',
          'dev',
          'vxlan0',
          'dst',
          '192.0.2.9',
          'self',
          'permanent',
        ]),
    },
    { what: 'a neighbour deleted', act: () => ip(net, [`neigh del ${peer.address} dev vxlan0`]) },
    {
      what: 'a neighbour altered',
      act: () => ip(net, [`neigh replace ${peer.address} lladdr 02:00:00:00:00:09 dev vxlan0 nud permanent`]),
    },
    {
      what: 'a neighbour added',
      act: () => ip(net, ['neigh add 10.0.1.99 lladdr 02:00:00:00:00:09 dev vxlan0 nud permanent']),
    },
    { what: 'all neighbours flushed', act: () => ip(net, ['neigh flush dev vxlan0 nud permanent']) },
    { what: 'the VXLAN link set down', act: () => ip(net, ['link set vxlan0 down']) },
    { what: 'the VXLAN link deleted', act: () => ip(net, ['link del vxlan0']) },
    { what: 'the VXLAN link taken off the bridge', act: () => ip(net, ['link set vxlan0 nomaster']) },
    {
      what: 'learning switched on',
      act: () => run('bridge', ['-n', net, 'link', 'set', 'dev', 'vxlan0', 'learning', 'on']),
    },
    { what: 'the bridge deleted', act: () => ip(net, ['link del br0']) },
    { what: 'the bridge set down', act: () => ip(net, ['link set br0 down']) },
    { what: 'the gateway address deleted', act: () => ip(net, ['addr del 10.0.1.1/24 dev br0']) },
    { what: 'the port of the sandbox deleted', act: () => ip(net, [`link del ${port}`]) },
    { what: "the sandbox's interface deleted", act: () => ip(sandbox, ['link del eth0']) },
    { what: "the sandbox's interface set down", act: () => ip(sandbox, ['link set eth0 down']) },
    {
      what: "the sandbox's interface renamed",
      act: () => ip(sandbox, ['link set eth0 down', 'link set eth0 name eth9', 'link set eth9 up']),
    },
    { what: "the sandbox's MTU altered", act: () => ip(sandbox, ['link set eth0 mtu 1400']) },
    {
      what: "the sandbox's MAC address altered",
      act: () => ip(sandbox, ['link set eth0 address 02:00:00:00:00:01']),
    },
    { what: "the sandbox's IPv4 address deleted", act: () => ip(sandbox, ['addr del 10.0.1.2/24 dev eth0']) },
    { what: "the sandbox's addresses flushed", act: () => ip(sandbox, ['addr flush dev eth0 scope global']) },
    {
      what: "the sandbox's connected route deleted",
      act: () => ip(sandbox, ['route del 10.0.1.0/24 dev eth0']),
    },
    { what: 'the route to the other subnet deleted', act: () => ip(sandbox, ['route del 10.0.2.0/24']) },
    { what: "weft's whole namespace deleted", act: () => ip(undefined, [`netns del ${net}`]) },
  ];

  for (const { what, act } of acts) {
    it(`is back within a second: ${what}`, async () => {
      const { api } = cluster.member(0);
      const wanted = await snapshot();
      const before = (await api.call('status')).dataplane;
      await act();
      await eventually(
        `everything is as it was after ${what}`,
        async () => (await snapshotOrNone()) === wanted,
        5 * repairWithinMs,
      ).catch(async () => assert.equal(await snapshot(), wanted));
      const { dataplane } = await api.call('status');
      assert.ok(dataplane.repairs > before.repairs, 'the repair was counted');
      await eventually('the peer answers again', () => pings(sandbox, peer.address));
    });
  }

  /** While a namespace is away its commands fail: that is not what is wanted, but no error of the test either. */
  async function snapshotOrNone(): Promise<string | undefined> {
    return snapshot().catch(() => undefined);
  }

  it('is told by weft doctor, which finds nothing wrong now', async () => {
    const report = await cluster.member(0).api.call('doctor');
    assert.equal(report.healthy, true, JSON.stringify(report.failing));
    assert.ok(
      report.repairs.some(({ text }) => text.includes(peer.mac)),
      'a repair names the MAC address',
    );
  });

  it('is left alone where somebody else made it', async () => {
    await ip(net, [
      'link add foreign0 type bridge',
      'link set foreign0 up',
      'addr add 198.51.100.1/24 dev foreign0',
    ]);
    await ip(sandbox, ['link add foreign1 type bridge', 'addr add 10.0.1.77/32 dev eth0']);
    await ip(net, ['link del vxlan0']);
    await eventually(
      'the VXLAN link is back',
      async () => (await run('ip', ['-n', net, 'link', 'show', 'vxlan0'], { allowFailure: true })).code === 0,
    );
    await cluster.converged();
    assert.match((await run('ip', ['-n', net, 'addr', 'show', 'foreign0'])).stdout, /198\.51\.100\.1\/24/);
    assert.match((await run('ip', ['-n', sandbox, 'link', 'show', 'foreign1'])).stdout, /foreign1/);
    assert.match((await run('ip', ['-n', sandbox, 'addr', 'show', 'eth0'])).stdout, /10\.0\.1\.77\/32/);
  });
});

/** Interface numbers, timers and the order of lines change when an object is made anew; nothing else may. */
function normalised(text: string): string {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/^\d+: /, '')
      .replaceAll(/@if\d+/g, '@peer')
      .replaceAll(/ link-netnsid \d+| link-netns \S+/g, '')
      .replaceAll(/qdisc \S+|qlen \d+|mode DEFAULT|group default/g, '')
      .replaceAll(/fe80::\S+/g, 'fe80::')
      .replaceAll(/ (tentative|dynamic|noprefixroute)\b/g, '')
      .replaceAll(/link\/ether \S+ brd/g, (match) =>
        match.includes(' 02:42:') ? match : 'link/ether kernel brd',
      )
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );
  // Entries that the kernel makes for a link's own (random) address.
  const own = /^(33:33|01:00:5e)|vlan \d|master br0 permanent$|^fe80/;
  return lines
    .filter((line) => line !== '' && !own.test(line))
    .sort()
    .join('\n');
}

async function portIn(netns: string): Promise<string> {
  const { stdout } = await run('ip', ['-n', netns, '-br', 'link', 'show', 'type', 'veth']);
  return /^([^@\s]+)/.exec(stdout)?.[1] ?? '';
}

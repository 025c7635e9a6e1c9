/** The way out of overlays over the hosts' gateway bridges, with real traffic. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Answering, ask, startAnswering } from './answering.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';
import { seenBy } from './seen.ts';

const bridge = 'weft_gwbridge';

describe('The gateway bridge', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let answering: Answering | undefined;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    const { host } = cluster.member(0);
    for (const [name, ...args] of [
      ['red'],
      ['vault', '--internal'],
      ['six', '--ipv6'],
      ['lan', '-d', 'bridge'],
    ])
      await host.weft(['network', 'create', ...args, name ?? '']);
  });

  after(() => cluster?.dispose());

  afterEach(async () => {
    if (cluster === undefined) return;
    await answering?.stop();
    answering = undefined;
    const { api } = cluster.member(0);
    for (const { id } of await cluster.endpoints()) await api.call('removeEndpoint', { params: { ref: id } });
    for (const { host } of cluster.members)
      for (const netns of host.sandboxes) await host.removeSandbox(netns);
  });

  const onHost = async (...words: string[]) =>
    (await cluster.member(0).host.exec(words[0] ?? '', words.slice(1))).stdout;
  const inSandbox = async (sandbox: string, ...words: string[]) =>
    (await run('ip', ['-n', sandbox, ...words])).stdout;
  const defaultRoute = async (sandbox: string) =>
    (await inSandbox(sandbox, 'route', 'show', 'default')).trim();
  const outside = () => cluster.member(1).host;
  const connect = (ref: string, sandbox: string) =>
    cluster.member(0).api.call('connect', { params: { ref }, body: { sandbox } });
  const disconnect = (ref: string, sandbox: string) =>
    cluster.member(0).api.call('disconnect', { params: { ref }, body: { ref: sandbox } });
  /** Its address on the bridge: addresses go on after the last. */
  const addressOn = async (sandbox: string) =>
    /inet (192\.168\.2[45][0-9]\.[0-9]+)\/20 /.exec(
      await inSandbox(sandbox, '-o', '-4', 'address', 'show', 'dev', 'eth1'),
    )?.[1] ?? assert.fail(`${sandbox} is on no gateway bridge`);
  const viaGateway = 'default via 192.168.240.1 dev eth1 proto 87';

  it('leads a sandbox of an overlay out, in the name of its host', async () => {
    const { sandbox } = await cluster.attach(0, 'red', 'one');
    assert.match(
      await inSandbox(sandbox, '-o', '-4', 'address', 'show', 'dev', 'eth1'),
      /inet 192\.168\.240\.2\/20 /,
    );
    assert.equal(await defaultRoute(sandbox), viaGateway);
    const { place } = cluster.member(0).host;
    assert.equal(await seenBy(outside(), 'ip', () => pings(sandbox, outside().place.ipv4)), place.ipv4);
    const inspected = await cluster.member(0).api.call('inspectNetwork', { params: { ref: bridge } });
    assert.deepEqual(
      inspected.endpoints.map(({ sandbox: { ref }, addresses, ifname }) => [ref, addresses, ifname]),
      [[sandbox, ['192.168.240.2/20'], 'eth1']],
    );
    const elsewhere = await cluster.member(1).api.call('inspectNetwork', { params: { ref: bridge } });
    assert.deepEqual(elsewhere.endpoints, []);
    await disconnect('red', sandbox);
    await eventually('the bridge is gone', async () => !(await onHost('ip', '-o', 'link')).includes(bridge));
  });

  it('leads no sandbox out whose overlays are internal', async () => {
    const { sandbox } = await cluster.attach(0, 'vault', 'one');
    assert.equal(await defaultRoute(sandbox), '');
    assert.doesNotMatch(await inSandbox(sandbox, '-o', 'link'), /eth1/);
    assert.equal(await pings(sandbox, outside().place.ipv4), false);
  });

  it('lets no sandbox reach another, which the overlay does', async () => {
    const one = await cluster.attach(0, 'red', 'one');
    const two = await cluster.attach(0, 'red', 'two');
    const far = await cluster.attach(1, 'red', 'far');
    assert.ok(await pings(one.sandbox, 'two'));
    assert.ok(await pings(one.sandbox, 'far'));
    assert.equal(await pings(one.sandbox, await addressOn(two.sandbox)), false);
    assert.ok(await pings(one.sandbox, outside().place.ipv4));
    // Each host has the subnet for itself.
    assert.equal(await addressOn(far.sandbox), '192.168.240.2');
  });

  it('gives the default route over to a network with a way out, and takes it back', async () => {
    const { sandbox } = await cluster.attach(0, 'red', 'one');
    await connect('lan', sandbox);
    assert.match(await defaultRoute(sandbox), /^default via 172\.18\.0\.1 dev eth2 proto 87$/);
    assert.doesNotMatch(await inSandbox(sandbox, '-o', 'link'), / eth1@/);
    assert.ok(await pings(sandbox, outside().place.ipv4));
    await disconnect('lan', sandbox);
    await connect('vault', sandbox);
    assert.equal(await defaultRoute(sandbox), viaGateway);
    assert.ok(await pings(sandbox, outside().place.ipv4));
  });

  it('leads IPv6 out where an overlay has it', async () => {
    const { sandbox } = await cluster.attach(0, 'six', 'one');
    const { place } = cluster.member(0).host;
    const seen = await seenBy(outside(), 'ip6', () => pings(sandbox, outside().place.ipv6));
    assert.equal(seen, place.ipv6);
  });

  it('is where published ports of overlays lead', async () => {
    const { host } = cluster.member(0);
    const { place } = host;
    const sandbox = await host.addSandbox('web');
    const other = await cluster.attach(0, 'six', 'other');
    // With it the kernel keeps isolated ports apart before what comes from them is routed: docs/ports.md.
    for (const family of ['iptables', 'ip6tables'])
      await host.exec('sysctl', ['-qw', `net.bridge.bridge-nf-call-${family}=0`], { allowFailure: true });
    answering = await startAnswering(sandbox, 'web', 80);
    const { stdout } = await host.weft([
      'network',
      'connect',
      '-p',
      '8080:80',
      '-p',
      '8080:80/udp',
      'six',
      sandbox,
    ]);
    assert.match(stdout, /0\.0\.0\.0:8080->80\/tcp,\[::\]:8080->80\/tcp/);
    for (const protocol of ['tcp', 'udp'] as const) {
      const from = (netns: string, address: string) => ask(netns, protocol, address, 8080);
      const out = outside().place;
      assert.equal(await from(out.netns, place.ipv4), `web ${out.ipv4}`, protocol);
      assert.equal(await from(out.netns, place.ipv6), `web ${out.ipv6}`, protocol);
      for (const address of [place.ipv4, '127.0.0.1']) {
        assert.equal(await from(place.netns, address), 'web 192.168.240.1', `${protocol} ${address}`);
      }
      for (const netns of [sandbox, other.sandbox])
        assert.equal(await from(netns, place.ipv4), 'web 192.168.240.1', `${protocol} from ${netns}`);
    }
    await connect('lan', sandbox);
    assert.equal(await ask(outside().place.netns, 'tcp', place.ipv4, 8080), `web ${outside().place.ipv4}`);
    await disconnect('six', sandbox);
    assert.equal(await ask(outside().place.netns, 'tcp', place.ipv4, 8080), undefined);
  });

  it('is left as it is by a restart of the daemon', async () => {
    const { sandbox } = await cluster.attach(0, 'red', 'one');
    const shown = async () => [
      await inSandbox(sandbox, '-d', 'link'),
      await inSandbox(sandbox, 'route'),
      await onHost('ip', '-o', 'link'),
      await onHost('bridge', '-d', 'link'),
      (await onHost('bridge', 'fdb')).split('\n').filter((line) => line.endsWith(' static')),
    ];
    const before = await shown();
    const { daemon, api } = cluster.member(0);
    await daemon.stop();
    await daemon.start();
    await eventually('the daemon is at work', async () => (await api.call('status')).phase === 'running');
    const { dataplane } = await api.call('status');
    assert.deepEqual([dataplane.writes, dataplane.pending], [0, 0]);
    assert.deepEqual(await shown(), before);
    assert.ok(await pings(sandbox, outside().place.ipv4));
  });

  it('is repaired when somebody deletes it, its port or its masquerade', async () => {
    const { sandbox } = await cluster.attach(0, 'red', 'one');
    const { api } = cluster.member(0);
    const port = /(veth[0-9a-f]+)@.* master weft_gwbridge /.exec(await onHost('ip', '-o', 'link'))?.[1] ?? '';
    const deletions = [
      ['ip', 'link', 'delete', bridge],
      ['ip', 'link', 'delete', port],
      ['nft', 'delete', 'element', 'inet', 'weft', 'masquerade4', `{ "${bridge}" }`],
      ['nft', 'flush', 'ruleset'],
    ];
    for (const words of deletions) {
      const { repairs } = (await api.call('status')).dataplane;
      await onHost(...words);
      await eventually(`${words.join(' ')} is repaired`, async () => {
        const { dataplane } = await api.call('status');
        return dataplane.repairs > repairs && dataplane.pending === 0;
      });
      const seen = await seenBy(outside(), 'ip', () => pings(sandbox, outside().place.ipv4));
      assert.equal(seen, cluster.member(0).host.place.ipv4, words.join(' '));
    }
    const { repairs } = await api.call('doctor');
    assert.ok(repairs.some(({ text }) => text.includes(bridge)));
  });
});

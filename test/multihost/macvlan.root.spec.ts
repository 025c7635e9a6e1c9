/**
 * Networks on the segment that links of the hosts are plugged into: who reaches whom in each mode, the way out through a
 * gateway that is a machine there, and what becomes of it all when the link of a host goes and comes back.
 *
 * ```
 *   host h1        host h2        outside
 *     lan0           lan0           lan0  (gateway 10.50.0.1, and 198.51.100.1 behind it)
 *       └── segment (bridge) ────────┘
 * ```
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { ip, run } from '../../lab/command.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

const beyond = '198.51.100.1';

describe('Networks on links of the hosts', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let segment: string;
  let outside: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    segment = await cluster.member(0).host.addSandbox('segment');
    outside = await cluster.member(0).host.addSandbox('outside');
    await ip(segment, ['link add br0 type bridge', 'link set br0 up']);
    for (const index of [0, 1]) await plug(cluster.member(index).host.place.netns, `h${index + 1}`);
    await plug(outside, 'outside');
    await ip(outside, [`address add ${beyond}/32 dev lo`]);
    await cluster.converged();
  });

  after(() => cluster?.dispose());

  /** Every test makes its networks and endpoints itself; on one parent there can be one network at a time. */
  afterEach(async () => {
    const { api } = cluster.member(0);
    for (const { id } of (await api.call('listEndpoints')).items)
      await api.call('removeEndpoint', { params: { ref: id } });
    for (const { id, predefined } of (await api.call('listNetworks')).items)
      if (!predefined) await api.call('removeNetwork', { params: { ref: id } });
    await cluster.converged();
    for (const { host } of cluster.members) {
      for (const netns of host.sandboxes)
        if (netns !== segment && netns !== outside) await host.removeSandbox(netns);
    }
  });

  /** A link `lan0` there, plugged into the segment. */
  async function plug(netns: string, port: string): Promise<void> {
    await ip(undefined, [`link add lan0 netns ${netns} type veth peer name ${port} netns ${segment}`]);
    await ip(segment, [`link set ${port} master br0 up`]);
    await ip(netns, ['link set lan0 up']);
  }

  /** What the machine outside is told to be: the gateway of a network. */
  async function beGateway(address: string, link = 'lan0'): Promise<void> {
    await ip(outside, [`address flush dev ${link}`, `address add ${address} dev ${link}`]);
  }

  async function lan(driver: string, ...options: readonly string[]): Promise<void> {
    const words = options.flatMap((option) => ['-o', option]);
    const line = ['network', 'create', '-d', driver, '--subnet', '10.50.0.0/24', ...words, 'lan'];
    await cluster.member(0).host.weft(line);
    await cluster.converged();
  }

  it('bridge: all reach each other on one host and on two, and the world through the gateway out there', async () => {
    await lan('macvlan', 'parent=lan0');
    await beGateway('10.50.0.1/24');
    const one = await cluster.attach(0, 'lan', 'one');
    const two = await cluster.attach(0, 'lan', 'two');
    const far = await cluster.attach(1, 'lan', 'far');
    assert.deepEqual(
      [one, two, far].map(({ endpoint }) => endpoint.addresses[0]),
      ['10.50.0.2/24', '10.50.0.3/24', '10.50.0.4/24'],
    );
    for (const from of [one, two, far]) {
      for (const to of ['10.50.0.2', '10.50.0.3', '10.50.0.4', '10.50.0.1', beyond])
        assert.ok(await pings(from.sandbox, to), `${from.sandbox} reaches ${to}`);
    }
    assert.ok(await pings(one.sandbox, 'far'), 'by name');
    const seen = await run('ip', ['-n', outside, 'neigh', 'show', '10.50.0.4']);
    assert.match(seen.stdout, new RegExp(`lladdr ${far.endpoint.mac}`));
  });

  it('private: those of one host are apart, those of two are not', async () => {
    await lan('macvlan', 'parent=lan0', 'macvlan_mode=private');
    const one = await cluster.attach(0, 'lan', 'one');
    await cluster.attach(0, 'lan', 'two');
    await cluster.attach(1, 'lan', 'far');
    assert.ok(await pings(one.sandbox, '10.50.0.4'));
    assert.ok(!(await pings(one.sandbox, '10.50.0.3')));
  });

  it('vepa: those of one host reach each other by a switch that sends back, and no other', async () => {
    await lan('macvlan', 'parent=lan0', 'macvlan_mode=vepa');
    const one = await cluster.attach(0, 'lan', 'one');
    await cluster.attach(0, 'lan', 'two');
    await cluster.attach(1, 'lan', 'far');
    assert.ok(await pings(one.sandbox, '10.50.0.4'));
    assert.ok(!(await pings(one.sandbox, '10.50.0.3')));
    await run('bridge', ['-n', segment, 'link', 'set', 'dev', 'h1', 'hairpin', 'on']);
    await eventually('the one next door answers by way of the switch', () => pings(one.sandbox, '10.50.0.3'));
    await run('bridge', ['-n', segment, 'link', 'set', 'dev', 'h1', 'hairpin', 'off']);
  });

  it('passthru: one sandbox of each host has the whole link, and a second is refused with nothing kept', async () => {
    await lan('macvlan', 'parent=lan0', 'macvlan_mode=passthru');
    const one = await cluster.attach(0, 'lan', 'one');
    await cluster.attach(1, 'lan', 'far');
    assert.equal(one.endpoint.mac, undefined);
    assert.ok(await pings(one.sandbox, '10.50.0.3'));
    const { host } = cluster.member(0);
    const macs = await Promise.all([macOf(host.place.netns, 'lan0'), macOf(one.sandbox, 'eth0')]);
    assert.equal(macs[0], macs[1]);
    const second = await host.addSandbox('second');
    const result = await host.weft(['network', 'connect', 'lan', second], { allowFailure: true });
    assert.match(result.stderr, /EINVAL.*nothing was kept \(attach-failed\)$/m);
    assert.equal((await cluster.endpoints()).length, 2);
  });

  it('internal: no way out', async () => {
    const { host } = cluster.member(0);
    await host.weft(
      'network create -d macvlan --internal --subnet 10.50.0.0/24 -o parent=lan0 lan'.split(' '),
    );
    await beGateway('10.50.0.1/24');
    const one = await cluster.attach(0, 'lan', 'one');
    assert.ok(await pings(one.sandbox, '10.50.0.1'));
    const routes = await run('ip', ['-n', one.sandbox, 'route', 'show', 'default']);
    assert.equal(routes.stdout, '');
  });

  it('says which parent a host does not have, and keeps nothing', async () => {
    await lan('macvlan', 'parent=wan7');
    const { host } = cluster.member(1);
    const sandbox = await host.addSandbox('lost');
    const result = await host.weft(['network', 'connect', 'lan', sandbox], { allowFailure: true });
    assert.equal(result.code, 1);
    assert.match(
      result.stderr,
      /^weft: Cannot attach .*ENODEV.*no link wan7 in host to be the parent of eth0.*nothing was kept \(attach-failed\)$/m,
    );
    assert.deepEqual(await cluster.endpoints(), []);
  });

  it('comes back by itself: deleted in the sandbox, and with a parent that went and came back', async () => {
    await lan('macvlan', 'parent=lan0');
    await beGateway('10.50.0.1/24');
    const one = await cluster.attach(0, 'lan', 'one');
    const { host, api } = cluster.member(0);
    const isBack = () => pings(one.sandbox, beyond);
    assert.ok(await isBack());
    await ip(one.sandbox, ['link delete eth0']);
    await eventually('the interface is back with its way out', isBack);
    await ip(host.place.netns, ['link delete lan0']);
    await eventually('the doctor tells of the parent', async () => {
      const { failing } = await api.call('doctor');
      return failing.some(({ reason }) => reason.includes('no link lan0 in host'));
    });
    await plug(host.place.netns, 'h1');
    await eventually('the interface is back on the new parent', isBack, 60_000);
    assert.ok(
      (await api.call('doctor')).repairs.some(({ text }) => text.includes('type macvlan mode bridge')),
    );
  });

  it('a restart writes nothing, and takes away what went meanwhile', async () => {
    await lan('macvlan', 'parent=lan0');
    const one = await cluster.attach(0, 'lan', 'one');
    const other = await cluster.attach(0, 'lan', 'other');
    const { daemon, api } = cluster.member(0);
    await daemon.stop();
    assert.ok(await pings(one.sandbox, '10.50.0.3'), 'traffic flows on');
    await daemon.start();
    await cluster.converged();
    assert.equal((await api.call('status')).dataplane.writes, 0);
    await daemon.stop();
    await cluster.member(1).api.call('removeEndpoint', { params: { ref: other.endpoint.id } });
    await daemon.start();
    await eventually('the interface of the removed endpoint is gone', async () => {
      const { stdout } = await run('ip', ['-n', other.sandbox, '-o', 'link', 'show']);
      return !stdout.includes('eth0');
    });
    assert.ok(!(await pings(one.sandbox, '10.50.0.3')));
  });

  for (const [driver, kind, option] of [
    ['macvlan', 'vlan', 'parent=lan0.50'],
    ['macvlan', 'dummy', undefined],
    ['ipvlan', 'ipvlan', 'parent=lan0'],
  ] as const) {
    it(`${driver} ${option ?? 'without a parent'}: works, or says that the kernel has no ${kind} links`, async function () {
      const has = await hasLinkKind(kind);
      await lan(driver, ...(option === undefined ? [] : [option]));
      const { host } = cluster.member(0);
      const sandbox = await host.addSandbox('one');
      const result = await host.weft(['network', 'connect', 'lan', sandbox], { allowFailure: true });
      if (!has) {
        assert.match(
          result.stderr,
          new RegExp(`this kernel makes no ${kind} links: load its module .*\\(attach-failed\\)$`, 'm'),
        );
        assert.deepEqual(await cluster.endpoints(), []);
        skipBecause(this, `this kernel has no ${kind} links; its refusal was seen`);
      }
      assert.equal(result.code, 0, result.stderr);
      const two = await cluster.attach(0, 'lan', 'two');
      assert.ok(await pings(two.sandbox, '10.50.0.2'));
      if (kind === 'dummy') return;
      await cluster.attach(1, 'lan', 'far');
      assert.ok(await pings(two.sandbox, '10.50.0.4'));
    });
  }

  it('parent=lan0.50: the frames on the segment carry the tag, and the link goes with its last user', async function () {
    requireCommand(this, 'tcpdump');
    if (!(await hasLinkKind('vlan'))) skipBecause(this, 'this kernel has no vlan links');
    await lan('macvlan', 'parent=lan0.50');
    const one = await cluster.attach(0, 'lan', 'one');
    await cluster.attach(1, 'lan', 'far');
    const words = ['-n', '-e', '-i', 'h1', '-c', '1', 'vlan 50 and icmp'];
    const seen = run('ip', ['netns', 'exec', segment, 'timeout', '20', 'tcpdump', ...words]);
    await eventually('a tagged frame is seen', async () => {
      await pings(one.sandbox, '10.50.0.3');
      return Promise.race([seen.then(() => true), Promise.resolve(false)]);
    });
    assert.match((await seen).stdout, /vlan 50/);
    await cluster.member(0).host.weft(['endpoint', 'rm', one.endpoint.id]);
    const { host } = cluster.member(0);
    const links = await run('ip', ['-n', host.place.netns, '-o', 'link', 'show']);
    assert.ok(!links.stdout.includes('lan0.50'), links.stdout);
  });

  async function hasLinkKind(kind: string): Promise<boolean> {
    const words = kind === 'dummy' ? ['type', 'dummy'] : ['link', 'lan0', 'type', kind];
    const more = kind === 'vlan' ? ['id', '7'] : [];
    const { netns } = cluster.member(0).host.place;
    const made = await run('ip', ['-n', netns, 'link', 'add', 'probe', ...words, ...more], {
      allowFailure: true,
    });
    if (made.code === 0) await ip(netns, ['link delete probe']);
    return made.code === 0;
  }
});

async function macOf(netns: string, link: string): Promise<string | undefined> {
  const { stdout } = await run('ip', ['-n', netns, '-o', 'link', 'show', 'dev', link]);
  return /link\/ether (\S+)/.exec(stdout)?.[1];
}

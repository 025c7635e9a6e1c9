/** Networks of the bridge driver, with real traffic: what reaches what, in whose name, and what is repaired. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';
import { seenBy } from './seen.ts';

const docker = 'com.docker.network.bridge';

describe('Bridge networks', function () {
  this.timeout(60_000);
  let cluster: Cluster;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
  });

  after(() => cluster?.dispose());

  /** Every case begins and ends without endpoints and networks of its own. */
  afterEach(async () => {
    if (cluster === undefined) return;
    const { api } = cluster.member(0);
    for (const { id } of await cluster.endpoints()) await api.call('removeEndpoint', { params: { ref: id } });
    for (const { id, predefined } of (await api.call('listNetworks')).items) {
      if (!predefined) await api.call('removeNetwork', { params: { ref: id } });
    }
    for (const { host } of cluster.members)
      for (const netns of host.sandboxes) await host.removeSandbox(netns);
  });

  const create = (name: string, ...args: string[]) =>
    cluster.member(0).host.weft(['network', 'create', '-d', 'bridge', ...args, name]);
  const onHost = async (index: number, ...words: string[]) =>
    (await cluster.member(index).host.exec(words[0] ?? '', words.slice(1))).stdout;
  const defaultRoute = async (sandbox: string) =>
    (await run('ip', ['-n', sandbox, 'route', 'show', 'default'])).stdout.trim();
  const outside = () => cluster.member(1).host.place;

  /** Where the other host sees an echo request of the sandbox come from. */
  const seenOutside = (sandbox: string, target: string, family: 'ip' | 'ip6') =>
    seenBy(cluster.member(1).host, family, () => pings(sandbox, target));

  it('lead out in the name of their host, and let neither the world nor another bridge in', async () => {
    await create('bridgered');
    await create('bridgeblue');
    const red = await cluster.attach(0, 'bridgered', 'red');
    const green = await cluster.attach(0, 'bridgered', 'green');
    const blue = await cluster.attach(0, 'bridgeblue', 'blue');
    assert.deepEqual(red.endpoint.addresses, ['172.18.0.2/16']);
    assert.equal(red.endpoint.mac, '02:42:ac:12:00:02');
    assert.deepEqual(blue.endpoint.addresses, ['172.19.0.2/16']);
    assert.ok(await pings(red.sandbox, '172.18.0.3'));
    assert.ok(await pings(red.sandbox, 'green'), 'by name');
    assert.ok(await pings(red.sandbox, '172.18.0.1'), 'its gateway');
    assert.equal(await pings(green.sandbox, '172.19.0.2'), false);
    assert.equal(await pings(blue.sandbox, '172.18.0.2'), false);
    assert.equal(await seenOutside(red.sandbox, outside().ipv4, 'ip'), cluster.member(0).host.place.ipv4);
    await onHost(1, 'ip', 'route', 'add', '172.18.0.0/16', 'via', cluster.member(0).host.place.ipv4);
    assert.equal(await pings(outside().netns, '172.18.0.2'), false, 'from outside');
    await onHost(1, 'ip', 'route', 'del', '172.18.0.0/16');
    assert.equal((await onHost(0, 'sysctl', '-n', 'net.ipv4.ip_forward')).trim(), '1');
  });

  it('lead out with their own addresses where they are not masqueraded, and still let nobody in', async () => {
    const { place } = cluster.member(0).host;
    await create('plain', '--subnet', '172.30.0.0/16', '-o', `${docker}.enable_ip_masquerade=false`);
    const { sandbox } = await cluster.attach(0, 'plain', 'red');
    await onHost(1, 'ip', 'route', 'add', '172.30.0.0/16', 'via', place.ipv4);
    assert.equal(await seenOutside(sandbox, outside().ipv4, 'ip'), '172.30.0.2');
    assert.equal(await pings(outside().netns, '172.30.0.2'), false);
    await onHost(1, 'ip', 'route', 'del', '172.30.0.0/16');
  });

  it('have the MTU, the gateway and the range that were asked for', async () => {
    await create(
      'made',
      ...['--subnet', '172.30.0.0/16', '--gateway', '172.30.0.9', '--ip-range', '172.30.7.0/24'],
      ...['-o', 'com.docker.network.driver.mtu=1400', '-o', `${docker}.name=br-made`],
    );
    const { sandbox, endpoint } = await cluster.attach(0, 'made', 'red');
    assert.deepEqual(endpoint.addresses, ['172.30.7.0/16']);
    assert.match(await defaultRoute(sandbox), /^default via 172\.30\.0\.9 dev eth0 /);
    const links = [
      ...(await onHost(0, 'ip', '-o', 'link', 'show', 'master', 'br-made')).trim().split('\n'),
      await onHost(0, 'ip', '-o', 'link', 'show', 'br-made'),
      (await run('ip', ['-n', sandbox, '-o', 'link', 'show', 'eth0'])).stdout,
    ];
    assert.deepEqual(
      links.map((line) => / mtu (\d+) /.exec(line)?.[1]),
      ['1400', '1400', '1400'],
    );
    assert.ok(await pings(sandbox, outside().ipv4));
  });

  it('lead IPv6 out as well, masqueraded or with its own addresses', async () => {
    await create('six', '--subnet', 'fd00:6::/64');
    await create(
      'open',
      '--subnet',
      'fd00:7::/64',
      '-o',
      `${docker}.gateway_mode_ipv6=nat-unprotected`,
      '-o',
      `${docker}.enable_ip_masquerade=false`,
    );
    const six = await cluster.attach(0, 'six', 'six');
    const open = await cluster.attach(0, 'open', 'open');
    const { place } = cluster.member(0).host;
    for (const prefix of ['fd00:6::/64', 'fd00:7::/64'])
      await onHost(1, 'ip', 'route', 'add', prefix, 'via', place.ipv6);
    assert.equal(await pings(six.sandbox, 'fd00:7::2'), false, 'from another bridge');
    assert.equal(await seenOutside(six.sandbox, outside().ipv6, 'ip6'), place.ipv6);
    assert.equal(await seenOutside(open.sandbox, outside().ipv6, 'ip6'), 'fd00:7::2');
    assert.ok(await pings(outside().netns, 'fd00:7::2'), 'an open one from outside');
    assert.equal(await pings(outside().netns, 'fd00:6::2'), false, 'a masqueraded one from outside');
    for (const prefix of ['fd00:6::/64', 'fd00:7::/64']) await onHost(1, 'ip', 'route', 'del', prefix);
  });

  it('keep neighbours apart without ICC, and everything at home when they are internal', async () => {
    await create('apart', '--ipv6', '-o', `${docker}.enable_icc=false`);
    await create('inner', '--internal', '--subnet', '172.30.0.0/16', '--subnet', 'fd00:30::/64');
    const one = await cluster.attach(0, 'apart', 'one');
    const two = await cluster.attach(0, 'apart', 'two');
    const addressesOf = ({ endpoint }: typeof two) =>
      endpoint.addresses.map((each) => each.split('/')[0] ?? '');
    assert.equal(two.endpoint.addresses.length, 2);
    for (const address of addressesOf(two)) assert.equal(await pings(one.sandbox, address), false, address);
    const red = await cluster.attach(0, 'inner', 'red');
    const blue = await cluster.attach(0, 'inner', 'blue');
    for (const address of addressesOf(blue)) assert.ok(await pings(red.sandbox, address), address);
    for (const [gateway, target] of [
      ['172.30.0.1', outside().ipv4],
      ['fd00:30::1', outside().ipv6],
    ] as const) {
      const family = gateway.includes(':') ? '-6' : '-4';
      assert.ok(await pings(one.sandbox, target), target);
      assert.equal((await run('ip', ['-n', red.sandbox, family, 'route', 'show', 'default'])).stdout, '');
      await run('ip', ['-n', red.sandbox, 'route', 'add', 'default', 'via', gateway]);
      assert.equal(await pings(red.sandbox, target), false, target);
    }
  });

  it('are nothing that the host itself reaches when they are isolated', async () => {
    const mode = (family: number) => ['-o', `${docker}.gateway_mode_ipv${family}=isolated`];
    await create('cell', '--internal', '--ipv6', ...mode(4), ...mode(6), '-o', `${docker}.name=br-cell`);
    const red = await cluster.attach(0, 'cell', 'red');
    const blue = await cluster.attach(0, 'cell', 'blue');
    for (const address of blue.endpoint.addresses.map((each) => each.split('/')[0] ?? '')) {
      assert.ok(await pings(red.sandbox, address), address);
      assert.equal(
        await pings(cluster.member(0).host.place.netns, address),
        false,
        `${address} from the host`,
      );
    }
    assert.equal(await onHost(0, 'ip', '-o', 'address', 'show', 'dev', 'br-cell'), '');
  });

  it('are a bridge of its own on each host, with addresses that are given once', async () => {
    await create('bridgered');
    const here = await cluster.attach(0, 'bridgered', 'here');
    const there = await cluster.attach(1, 'bridgered', 'there');
    assert.deepEqual(
      [here, there].map(({ endpoint }) => endpoint.addresses[0]),
      ['172.18.0.2/16', '172.18.0.3/16'],
    );
    assert.equal(await pings(here.sandbox, '172.18.0.3'), false);
    assert.equal(await pings(here.sandbox, 'there'), false, 'nor is it known by name');
    assert.ok(await pings(there.sandbox, '172.18.0.1'));
  });

  it('adopt a bridge that is there, and leave it behind as it was', async () => {
    const own = '02:00:00:00:00:77';
    await onHost(0, 'ip', 'link', 'add', 'lan0', 'address', own, 'type', 'bridge');
    // Set afterwards: one that it was born with a bridge gives up for that of its ports.
    await onHost(0, 'ip', 'link', 'set', 'lan0', 'mtu', '1400');
    await onHost(0, 'ip', 'address', 'add', '192.0.2.1/24', 'dev', 'lan0');
    const shown = () => onHost(0, 'ip', '-o', 'link', 'show', 'lan0');
    await create('lan', '-o', `${docker}.name=lan0`);
    const { sandbox } = await cluster.attach(0, 'lan', 'red');
    assert.ok(await pings(sandbox, '172.18.0.1'));
    assert.match(await shown(), / mtu 1400 .*weft:adopted:network:/);
    await cluster.member(0).api.call('disconnect', { params: { ref: 'lan' }, body: { ref: 'red' } });
    await eventually('the bridge is let go', async () => !(await shown()).includes('weft:'));
    assert.equal(/ether (\S+)/.exec(await shown())?.[1], own);
    const addresses = await onHost(0, 'ip', '-o', '-4', 'address', 'show', 'dev', 'lan0');
    assert.deepEqual(addresses.match(/inet \S+/g), ['inet 192.0.2.1/24']);
    await onHost(0, 'ip', 'link', 'del', 'lan0');
  });

  it('refuse a name that a link of another kind has, and a bridge that has a network', async () => {
    await onHost(0, 'ip', 'link', 'add', 'taken0', 'type', 'veth', 'peer', 'name', 'peer0');
    await create('taken', '-o', `${docker}.name=taken0`);
    const sandbox = await cluster.member(0).host.addSandbox('red');
    const refused = await cluster
      .member(0)
      .host.weft(['network', 'connect', 'taken', sandbox], { allowFailure: true });
    assert.match(
      refused.stderr,
      /taken0 in host is there already and is no bridge but veth.*\(attach-failed\)$/m,
    );
    const second = await cluster
      .member(0)
      .host.weft(['network', 'create', '-d', 'bridge', '-o', `${docker}.name=taken0`, 'other'], {
        allowFailure: true,
      });
    assert.match(second.stderr, /network 'taken' has the bridge taken0.*\(bridge-taken\)$/m);
    await onHost(0, 'ip', 'link', 'del', 'taken0');
  });

  it('stay clear of what the host has routes to', async () => {
    await onHost(0, 'ip', 'link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'peer0');
    await onHost(0, 'ip', 'address', 'add', '172.18.7.1/24', 'dev', 'other0');
    await onHost(0, 'ip', 'link', 'set', 'other0', 'up');
    await create('bridgered');
    const { endpoint } = await cluster.attach(0, 'bridgered', 'red');
    assert.deepEqual(endpoint.addresses, ['172.19.0.2/16']);
    await onHost(0, 'ip', 'link', 'del', 'other0');
  });

  it('take a subnet that the host has a route to where it is asked for, and warn of it', async () => {
    await onHost(0, 'ip', 'link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'peer0');
    await onHost(0, 'ip', 'address', 'add', '172.30.7.1/24', 'dev', 'other0');
    await onHost(0, 'ip', 'link', 'set', 'other0', 'up');
    const { stderr, stdout } = await create('bridgered', '--subnet', '172.30.0.0/16');
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
    assert.equal(
      stderr,
      "weft: Network 'bridgered' has the subnet 172.30.0.0/16, which overlaps 172.30.7.0/24, to which host 'h1' has a route: there one hides the other; choose another subnet, or leave it\n",
    );
    const { daemon } = cluster.member(0);
    await eventually('the log warns', () =>
      readFileSync(daemon.logPath, 'utf8')
        .split('\n')
        .some(
          (line) => line.includes('overlaps what this host has a route to') && line.includes('172.30.7.0/24'),
        ),
    );
    await onHost(0, 'ip', 'link', 'del', 'other0');
  });

  it('lead out through another machine where that is the gateway, and name interfaces as they are told', async () => {
    await create(
      'routed',
      ...['--subnet', '172.30.0.0/16', '--aux-address', 'DefaultGatewayIPv4=172.30.0.254'],
      ...['--subnet', 'fd00:30::/64', '--aux-address', 'DefaultGatewayIPv6=fd00:30::fe'],
      ...['-o', `${docker}.inhibit_ipv4=true`, '-o', 'com.docker.network.container_iface_prefix=lan'],
      ...['-o', `${docker}.name=br-routed`],
    );
    const { sandbox } = await cluster.attach(0, 'routed', 'red');
    assert.match(await defaultRoute(sandbox), /^default via 172\.30\.0\.254 dev lan0 /);
    const { stdout: ipv6Route } = await run('ip', ['-n', sandbox, '-6', 'route', 'show', 'default']);
    assert.match(ipv6Route, /^default via fd00:30::fe dev lan0 /);
    assert.equal(await onHost(0, 'ip', '-4', '-o', 'address', 'show', 'dev', 'br-routed'), '');
    // The other machine: a namespace that is plugged into the same bridge.
    const router = await cluster.member(0).host.addSandbox('router');
    await onHost(0, ...`ip link add up0 type veth peer name lan0 netns ${router}`.split(' '));
    await onHost(0, ...'ip link set up0 master br-routed up'.split(' '));
    await run('ip', ['-n', router, 'address', 'add', '172.30.0.254/16', 'dev', 'lan0']);
    await run('ip', ['-n', router, 'link', 'set', 'lan0', 'up']);
    await run('ip', ['-n', router, 'address', 'add', '203.0.113.1/32', 'dev', 'lo']);
    assert.ok(await pings(sandbox, '203.0.113.1'), 'what lies behind the other gateway');
    await onHost(0, 'ip', 'link', 'del', 'up0');
  });

  it('give a sandbox of several networks the way out of the highest priority, live', async () => {
    await create('a');
    await create('b');
    await create('c');
    const { sandbox } = await cluster.attach(0, 'b', 'red');
    const { host } = cluster.member(0);
    const connect = (...args: string[]) => host.weft(['network', 'connect', ...args, sandbox]);
    assert.match(await defaultRoute(sandbox), /^default via 172\.19\.0\.1 dev eth0 /);
    await connect('a');
    await eventually('the first name wins', async () =>
      (await defaultRoute(sandbox)).includes('172.18.0.1 dev eth1'),
    );
    await connect('--gw-priority', '10', 'c');
    await eventually('priority wins', async () =>
      (await defaultRoute(sandbox)).includes('172.20.0.1 dev eth2'),
    );
    assert.equal((await defaultRoute(sandbox)).split('\n').length, 1);
    assert.ok(await pings(sandbox, outside().ipv4));
    await host.weft(['network', 'disconnect', 'c', sandbox]);
    assert.match(await defaultRoute(sandbox), /^default via 172\.18\.0\.1 dev eth1 /);
  });

  it('are repaired when the ruleset is flushed, and when a bridge or a member of a set is deleted', async () => {
    await create('bridgered');
    const { sandbox } = await cluster.attach(0, 'bridgered', 'red');
    const { host, api } = cluster.member(0);
    const bridge = `br-${(await cluster.endpoints())[0]?.network.slice(0, 12)}`;
    const repairs = async () => (await api.call('status')).dataplane.repairs;
    const reaches = () => pings(sandbox, outside().ipv4);
    assert.ok(await reaches());
    for (const command of [
      ['nft', 'flush ruleset'],
      ['nft', `delete element inet weft masquerade4 { ${bridge} }`],
      ['ip', 'link', 'del', bridge],
    ]) {
      const before = await repairs();
      await host.exec(command[0] ?? '', command.slice(1));
      await eventually(`${command.join(' ')} is counted`, async () => (await repairs()) > before);
      await eventually(`${command.join(' ')} is repaired`, reaches);
    }
    const doctor = await host.weft(['doctor']);
    assert.match(doctor.stdout, new RegExp(bridge));
    assert.match(doctor.stdout, /masquerade4/);
  });

  it('cannot pass a chain of another firewall that drops, of which the doctor tells', async () => {
    await create('bridgered');
    const { sandbox } = await cluster.attach(0, 'bridgered', 'red');
    const { host } = cluster.member(0);
    assert.doesNotMatch((await host.weft(['doctor'])).stdout, /^Chain /m);
    await host.exec('nft', ['add table inet other']);
    const hook = 'type filter hook forward priority 10; policy drop;';
    await host.exec('nft', [`add chain inet other through { ${hook} }`]);
    try {
      assert.equal(await pings(sandbox, outside().ipv4), false);
      assert.match(
        (await host.weft(['doctor'])).stdout,
        /^Chain through of table inet other drops by its policy /m,
      );
    } finally {
      await host.exec('nft', ['delete table inet other']);
    }
  });

  it('are refused with what is wrong', async () => {
    const refusal = async (...args: string[]) => {
      const { host } = cluster.member(0);
      const result = await host.weft(['network', 'create', '-d', 'bridge', ...args, 'bad'], {
        allowFailure: true,
      });
      assert.equal(result.code, 1, args.join(' '));
      return result.stderr;
    };
    assert.match(
      await refusal('-o', `${docker}.name=much-too-long-a-name`),
      /1 to 15 letters.*\(bad-option\)/,
    );
    assert.match(await refusal('-o', `${docker}.name=a";flush`), /\(bad-option\)/);
    assert.match(
      await refusal('-o', `${docker}.nam=lan`),
      /did you mean com\.docker\.network\.bridge\.name\?.*\(unknown-option\)/,
    );
    assert.match(
      await refusal('-o', 'com.docker.network.driver.mtu=65536'),
      /from 68 to 65535.*\(bad-option\)/,
    );
    assert.match(await refusal('-o', `${docker}.enable_icc=maybe`), /true or false.*\(bad-option\)/);
    assert.match(await refusal('-o', `${docker}.host_binding_ipv4=::1`), /an IPv4 address.*\(bad-option\)/);
    assert.match(
      await refusal('--subnet', '172.18.0.0/16', '--subnet', '172.19.0.0/16'),
      /one subnet of a family.*\(bad-subnet\)/,
    );
    assert.match(await refusal('--address-space', 'tenant'), /address space 'local'.*\(bad-option\)/);
    await create('first', '--subnet', '172.30.0.0/16');
    assert.match(await refusal('--subnet', '172.30.0.0/16'), /overlaps 172\.30\.0\.0\/16.*\(pool-overlap\)/);
  });
});

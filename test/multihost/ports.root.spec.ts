/** Published ports, with real traffic: who is reached from where, and what is refused. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, describe, it } from 'mocha';
import { execIn } from '../../lab/host.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';
import { type Answering, ask, startAnswering, startDatagrams } from './answering.ts';
import { type Cluster, eventually, startCluster } from './cluster.ts';

/** Beside the sources, seen from `dist`. */
const sctpProgram = fileURLToPath(new URL('../../../test/support/sctp-init.py', import.meta.url));
const docker = 'com.docker.network.bridge';

describe('Published ports', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let answering: Answering[] = [];
  let refusals = 0;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
  });

  after(() => cluster?.dispose());

  /** Every case begins and ends without endpoints and networks of its own. */
  afterEach(async () => {
    if (cluster === undefined) return;
    for (const each of answering) await each.stop();
    answering = [];
    const { api } = cluster.member(0);
    for (const { id } of await cluster.endpoints()) await api.call('removeEndpoint', { params: { ref: id } });
    for (const { id, predefined } of (await api.call('listNetworks')).items) {
      if (!predefined) await api.call('removeNetwork', { params: { ref: id } });
    }
    for (const { host } of cluster.members)
      for (const netns of host.sandboxes) await host.removeSandbox(netns);
  });

  const host = () => cluster.member(0).host;
  const here = () => host().place;
  const outside = () => cluster.member(1).host.place;
  const create = (name: string, ...args: string[]) =>
    host().weft(['network', 'create', '-d', 'bridge', ...args, name]);
  const onHost = async (...words: string[]) => (await host().exec(words[0] ?? '', words.slice(1))).stdout;

  /** A sandbox that answers at port 80 with its name, connected with these ports. Returns it, and what the command says. */
  async function publish(name: string, network: string, ...ports: string[]) {
    const sandbox = await host().addSandbox(name);
    answering.push(await startAnswering(sandbox, name, 80));
    const { stdout } = await host().weft([
      ...['network', 'connect', '--name', name, ...ports.flatMap((port) => ['-p', port])],
      ...[network, sandbox],
    ]);
    const [addresses = '', , , , shown = ''] = stdout.trim().split(' ');
    const [ipv4 = '', ipv6 = ''] = addresses.split(',').map((each) => each.split('/')[0] ?? '');
    return { sandbox, ipv4, ipv6, shown };
  }

  /** Who gets the datagrams that are sent to a port, by the flows that the host tracks. */
  const flowsTo = async (port: number) =>
    (await onHost('cat', '/proc/net/nf_conntrack'))
      .split('\n')
      .filter((line) => line.includes(' udp ') && line.includes(` dport=${port} `))
      .map((line) => [...line.matchAll(/src=(\S+)/g)][1]?.[1]);

  for (const bridgesCallFirewalls of [false, true]) {
    const title = bridgesCallFirewalls ? 'with br_netfilter' : 'without br_netfilter';
    it(`are reached from outside, from the host, from localhost, and from where they are, ${title}`, async function () {
      const value = bridgesCallFirewalls ? '1' : '0';
      for (const family of ['iptables', 'ip6tables']) {
        const set = await host().exec('sysctl', ['-qw', `net.bridge.bridge-nf-call-${family}=${value}`], {
          allowFailure: true,
        });
        if (set.code !== 0 && bridgesCallFirewalls) skipBecause(this, 'this kernel has no br_netfilter');
      }
      await create('red', '--subnet', '172.18.0.0/16', '--subnet', 'fd00:6::/64');
      await create('other');
      const web = await publish('web', 'red', '8080:80', '8080:80/udp');
      const { sandbox: sibling } = await publish('sibling', 'red');
      const { sandbox: stranger } = await publish('stranger', 'other');
      assert.equal(
        web.shown,
        '0.0.0.0:8080->80/tcp,[::]:8080->80/tcp,0.0.0.0:8080->80/udp,[::]:8080->80/udp',
      );
      for (const protocol of ['tcp', 'udp'] as const) {
        const from = (netns: string, address: string) => ask(netns, protocol, address, 8080);
        assert.equal(await from(outside().netns, here().ipv4), `web ${outside().ipv4}`);
        assert.equal(await from(outside().netns, here().ipv6), `web ${outside().ipv6}`);
        for (const address of [here().ipv4, '172.18.0.1', '127.0.0.1', '127.1.2.3'])
          assert.equal(await from(here().netns, address), 'web 172.18.0.1', `${protocol} ${address}`);
        for (const address of [here().ipv6, 'fd00:6::1'])
          assert.match(
            (await from(here().netns, address)) ?? '',
            /^web fd00:6::1$/,
            `${protocol} ${address}`,
          );
        for (const netns of [web.sandbox, sibling]) {
          assert.equal(await from(netns, here().ipv4), 'web 172.18.0.1', `hairpin ${protocol} ${netns}`);
          assert.equal(await from(netns, here().ipv6), 'web fd00:6::1', `hairpin ${protocol} ${netns}`);
        }
        assert.equal(await from(stranger, here().ipv4), 'web 172.18.0.1', 'from another bridge');
      }
      assert.equal(await ask(outside().netns, 'tcp', here().ipv4, 80), undefined);
      // At once, so that whoever asks for localhost goes on with 127.0.0.1.
      const loopback = await host().exec('bash', ['-c', 'exec 3<>/dev/tcp/::1/8080'], { allowFailure: true });
      assert.match(loopback.stderr, /Connection refused/);
      await onHost('sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1');
    });
  }

  it('are the own ones of an endpoint where the network is routed, in both families, and no others of it', async () => {
    await create(
      'routed',
      ...['--subnet', '172.30.0.0/16', '--subnet', 'fd00:30::/64'],
      ...['-o', `${docker}.gateway_mode_ipv4=routed`, '-o', `${docker}.gateway_mode_ipv6=routed`],
    );
    const web = await publish('web', 'routed', '8080:80');
    assert.equal(web.shown, '172.30.0.2:80->80/tcp,[fd00:30::2]:80->80/tcp');
    answering.push(await startAnswering(web.sandbox, 'closed', 81));
    const ways = [
      ['172.30.0.0/16', web.ipv4, here().ipv4, outside().ipv4],
      ['fd00:30::/64', web.ipv6, here().ipv6, outside().ipv6],
    ] as const;
    for (const [prefix, own, host, from] of ways) {
      await cluster.member(1).host.exec('ip', ['route', 'add', prefix, 'via', host]);
      assert.equal(await ask(outside().netns, 'tcp', own, 80), `web ${from}`);
      assert.equal(await ask(outside().netns, 'tcp', own, 81), undefined, 'a port that is not published');
      assert.equal(await ask(outside().netns, 'tcp', host, 8080), undefined, 'no port of the host');
      await cluster.member(1).host.exec('ip', ['route', 'del', prefix]);
    }
  });

  it('lead packets of SCTP on as well', async function () {
    requireCommand(this, 'python3');
    await create('red');
    const { sandbox, shown } = await publish('web', 'red', '9000:9/sctp');
    assert.equal(shown, '0.0.0.0:9000->9/sctp');
    const hook = 'type filter hook input priority 0;';
    for (const statement of [
      'add table inet seen',
      `add chain inet seen input { ${hook} }`,
      'add rule inet seen input sctp dport 9 counter',
    ])
      await execIn(sandbox, 'nft', [statement]);
    const packets = async () =>
      /packets (\d+)/.exec((await execIn(sandbox, 'nft', ['list', 'table', 'inet', 'seen'])).stdout)?.[1];
    assert.equal(await packets(), '0');
    await cluster.member(1).host.exec('python3', [sctpProgram, here().ipv4, '9000']);
    await eventually('the packet is there', async () => (await packets()) === '1');
  });

  it('have no process of the host that listens at them', async () => {
    await create('red', '--subnet', '172.18.0.0/16', '--subnet', 'fd00:6::/64');
    await publish('web', 'red', '8080:80', '8080:80/udp', '127.0.0.1:8081:80');
    assert.match((await ask(here().netns, 'tcp', '127.0.0.1', 8081)) ?? '', /^web /);
    assert.equal(await onHost('ss', '-Hltun', 'sport = :8080 or sport = :8081'), '');
  });

  it('are at the address that was asked for, or that the network says', async () => {
    await create('red', '-o', `${docker}.host_binding_ipv4=127.0.0.1`);
    const one = await publish('one', 'red', '8081:80', `${here().ipv4}:8082:80`);
    assert.equal(one.shown, `${here().ipv4}:8082->80/tcp,127.0.0.1:8081->80/tcp`.split(',').sort().join(','));
    assert.match((await ask(here().netns, 'tcp', '127.0.0.1', 8081)) ?? '', /^one /);
    assert.equal(await ask(here().netns, 'tcp', here().ipv4, 8081), undefined);
    assert.equal(await ask(outside().netns, 'tcp', here().ipv4, 8081), undefined);
    assert.match((await ask(outside().netns, 'tcp', here().ipv4, 8082)) ?? '', /^one /);
    assert.equal(await ask(here().netns, 'tcp', '127.0.0.1', 8082), undefined);
  });

  it('are refused where they are taken, by weft or by another process, which are named; the doctor tells of one that comes later', async () => {
    await create('red');
    const refusal = async (...ports: string[]) => {
      const sandbox = await host().addSandbox(`refused${refusals++}`);
      const words = ['network', 'connect', ...ports.flatMap((port) => ['-p', port]), 'red', sandbox];
      const { code, stderr } = await host().weft(words, { allowFailure: true });
      assert.equal(code, 1, stderr);
      return stderr;
    };
    answering.push(await startAnswering(here().netns, 'listener', 8090));
    assert.match(
      await refusal('8090:80'),
      /process 'node \(\d+\)' listens at 0\.0\.0\.0:8090.*\(port-taken\)$/m,
    );
    assert.match(await refusal('8090:80/udp'), /listens at 0\.0\.0\.0:8090.*\(port-taken\)$/m);
    const { shown } = await publish('web', 'red', '8090-8092:80', '80');
    assert.match(shown, /^0\.0\.0\.0:8091->80\/tcp,0\.0\.0\.0:(\d{5})->80\/tcp$/);
    assert.match(
      await refusal('8091:80'),
      /endpoint 'web' of sandbox '\S+web' on network 'red'.*\(port-taken\)$/m,
    );
    assert.match(await refusal('8091-8091:80'), /\(port-taken\)$/m);
    assert.match(
      await refusal('8090-8091:80'),
      /no port of host 'h1' from 8090 to 8091.*\(ports-exhausted\)$/m,
    );
    assert.match(await refusal('70000:80'), /port 70000 is not from 1 to 65535.*\(bad-port\)$/m);
    assert.equal((await host().weft(['doctor'])).code, 0);
    answering.push(await startAnswering(here().netns, 'late', 8091));
    const { code, stdout } = await host().weft(['doctor'], { allowFailure: true });
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^Process node \(\d+\) listens at 0\.0\.0\.0:8091\/tcp, but what comes there goes to endpoint/m,
    );
  });

  it('take along flows of datagrams that never pause, to whoever has the port next', async () => {
    await create('red');
    const first = await publish('first', 'red', '8053:80/udp');
    const flow = startDatagrams(outside().netns, here().ipv4, 8053);
    answering.push(flow);
    const answeredBy = (name: string) =>
      eventually(`${name} answers`, () => flow.answers.at(-1) === `${name} ${outside().ipv4}`);
    await answeredBy('first');
    await host().weft(['network', 'disconnect', 'red', first.sandbox]);
    await publish('second', 'red', '8053:80/udp');
    await answeredBy('second');
  });

  for (const [title, flush] of [
    ['', false],
    [', and the ruleset flushed', true],
  ] as const) {
    it(`take along flows of datagrams when they are taken away while there is no daemon${title}`, async () => {
      await create('red');
      await publish('web', 'red', '8053:80/udp');
      await publish('keeper', 'red');
      const flow = startDatagrams(outside().netns, here().ipv4, 8053);
      answering.push(flow);
      await eventually('web answers', () => flow.answers.at(-1) === `web ${outside().ipv4}`);
      const { daemon } = cluster.member(0);
      await daemon.kill();
      if (flush) await onHost('nft', 'flush', 'ruleset');
      await cluster.member(1).api.call('removeEndpoint', { params: { ref: 'web' } });
      assert.deepEqual(await flowsTo(8053), ['172.18.0.2']);
      await daemon.start();
      await eventually('the host itself gets what is sent to the port', async () => {
        const targets = await flowsTo(8053);
        return targets.length === 1 && targets[0] === here().ipv4;
      });
    });
  }

  it('are as many rules as ever, whatever number there is', async () => {
    await create('red');
    const rules = async () => {
      const { nftables } = JSON.parse(await onHost('nft', '-j', 'list', 'ruleset')) as {
        nftables: readonly object[];
      };
      return nftables.filter((each) => 'rule' in each).length;
    };
    await publish('one', 'red', '20000:80');
    const withOne = await rules();
    const { shown } = await publish('ninetynine', 'red', '20001-20099:80-178');
    assert.equal(shown, '0.0.0.0:20001-20099->80-178/tcp');
    const withHundred = await rules();
    await publish('ninehundred', 'red', '20100-20999:80-979');
    assert.deepEqual([withHundred, await rules()], [withOne, withOne]);
    const elements = await onHost('nft', 'list', 'map', 'inet', 'weft', 'anywhere4');
    assert.equal(elements.match(/tcp \. \d+ :/g)?.length, 1_000);
    for (const [port, name] of [
      [20_000, 'one'],
      [20_001, 'ninetynine'],
      [20_100, 'ninehundred'],
    ] as const)
      assert.equal(await ask(outside().netns, 'tcp', here().ipv4, port), `${name} ${outside().ipv4}`);
  });

  it('are repaired when the ruleset is flushed, and when one of them is deleted', async () => {
    await create('red');
    await publish('web', 'red', '8080:80');
    const reached = async () => (await ask(outside().netns, 'tcp', here().ipv4, 8080)) !== undefined;
    for (const command of ['flush ruleset', 'delete element inet weft anywhere4 { tcp . 8080 }']) {
      await onHost('nft', command);
      await eventually(`${command} is repaired`, reached);
    }
    assert.match((await host().weft(['doctor'])).stdout, /anywhere4 \{ tcp \. 8080 : 172\.18\.0\.2 \. 80 \}/);
  });
});

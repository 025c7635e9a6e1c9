/**
 * Bad input through the whole of weft: one line that says what, why and what to do, a stable code, exit 1, and nothing
 * left half done.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { CommandResult } from '../../lab/command.ts';
import { type Cluster, eventually, startCluster } from './cluster.ts';

describe('What weft refuses', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let sandbox: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    const { host } = cluster.member(0);
    await host.weft(['network', 'create', '--subnet', '10.0.1.0/24', 'red']);
    await host.weft(['network', 'create', '--subnet', '10.0.3.0/30', 'tiny']);
    sandbox = (await cluster.attach(0, 'red', 'one')).sandbox;
    await cluster.attach(0, 'tiny', 'last');
    await host.addSandbox('spare');
    await cluster.converged();
  });

  after(() => cluster?.dispose());

  /** Arguments, with SANDBOX and SPARE for the names that the lab gave; the code; and what the line must speak of. */
  const refusals: readonly (readonly [string, string, RegExp])[] = [
    ['network create -d weave n', 'unknown-driver', /weave.*overlay/],
    ['network create --subnet 10.0.5.0 n', 'bad-subnet', /10\.0\.5\.0/],
    ['network create --subnet 10.0.5.7/24 n', 'bad-subnet', /10\.0\.5\.0\/24/],
    ['network create --subnet 10.0.5.0/24 --gateway 10.0.6.1 n', 'bad-gateway', /10\.0\.6\.1/],
    ['network create --subnet 10.0.5.0/24 --ip-range 10.0.6.0/25 n', 'bad-range', /10\.0\.6\.0\/25/],
    ['network create --subnet 10.0.5.0/24 --aux-address a=10.0.6.1 n', 'bad-aux-address', /10\.0\.6\.1/],
    ['network create --subnet 10.0.0.0/16 n', 'pool-overlap', /10\.0\.1\.0\/24/],
    ['network create red', 'name-taken', /red/],
    ['network create RED', 'name-taken', /red/i],
    ['network create bridge', 'name-reserved', /bridge/],
    ['network create bad/name', 'bad-name', /bad\/name/],
    [
      'network create -o com.docker.network.driver.mtv=1400 n',
      'unknown-option',
      /com\.docker\.network\.driver\.mtu/,
    ],
    ['network create -o com.docker.network.driver.mtu=12 n', 'bad-option', /mtu/],
    ['network rm red', 'network-in-use', /red/],
    ['network rm nothing', 'no-such-network', /nothing/],
    ['network connect nothing SPARE', 'no-such-network', /nothing/],
    ['network connect red nosuchsandbox', 'no-such-sandbox', /nosuchsandbox/],
    ['network connect red ../etc/passwd', 'bad-sandbox', /passwd/],
    ['network connect red /proc/self/ns/net', 'host-sandbox', /host's own/],
    ['network connect host SPARE', 'host-sandbox', /only the host's own network namespace/],
    ['network connect none SANDBOX', 'sandbox-alone', /on network 'red'.*'none' is on no other/],
    ['network create Host', 'name-reserved', /predefined/],
    ['network create -d host n', 'predefined-network', /only one instance of 'host' network is allowed/],
    ['network create -d null n', 'predefined-network', /only one instance of 'null' network is allowed/],
    ['network rm host', 'predefined-network', /pre-defined network and cannot be removed/],
    ['network rm none', 'predefined-network', /pre-defined network and cannot be removed/],
    ['network connect red SANDBOX', 'already-attached', /red/],
    ['network connect --name one red SPARE', 'name-taken', /one/],
    ['network connect --ip 10.0.1.2 red SPARE', 'address-taken', /10\.0\.1\.2/],
    ['network connect --ip 10.0.1.1 red SPARE', 'address-taken', /10\.0\.1\.1/],
    ['network connect --ip 10.7.7.7 red SPARE', 'bad-address', /10\.7\.7\.7/],
    ['network connect --ip 10.7.7.777 red SPARE', 'bad-address', /10\.7\.7\.777/],
    ['network connect --mac-address 01:00:5e:00:00:01 red SPARE', 'bad-mac', /01:00:5e/],
    ['network connect --mac-address 02:42:0a:00:01:02 red SPARE', 'mac-taken', /02:42:0a:00:01:02/],
    ['network connect --ifname lo red SPARE', 'interface-taken', /lo/],
    ['network connect tiny SPARE', 'pool-exhausted', /10\.0\.3\.0\/30/],
    ['network disconnect red SPARE', 'no-such-endpoint', /red/],
    ['endpoint rm nobody', 'no-such-endpoint', /nobody/],
    ['host rm nobody', 'no-such-host', /nobody/],
  ];

  for (const [line, code, about] of refusals) {
    it(`weft ${line}: ${code}`, async () => {
      const { host } = cluster.member(0);
      const names: Record<string, string> = { SANDBOX: sandbox, SPARE: `${cluster.lab.prefix}spare` };
      const args = line.split(' ').map((word) => names[word] ?? word);
      const result = await host.weft(args, { allowFailure: true });
      assertRefused(result, code);
      assert.match(result.stderr, about);
    });
  }

  it('leaves nothing behind of all that', async () => {
    const { api, host } = cluster.member(0);
    assert.deepEqual((await api.call('listNetworks')).items.map(({ name }) => name).sort(), [
      'bridge',
      'host',
      'none',
      'red',
      'tiny',
      'weft_gwbridge',
    ]);
    assert.deepEqual((await cluster.endpoints()).map(({ name }) => name).sort(), ['last', 'one']);
    await host.weft(['network', 'connect', 'red', `${cluster.lab.prefix}spare`]);
    await host.weft(['network', 'disconnect', 'red', `${cluster.lab.prefix}spare`]);
  });

  it('lets exactly one of two hosts have a name that both ask for at once', async () => {
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(
        cluster.members.map(({ host }) =>
          host.weft(['network', 'create', `race${round}`], { allowFailure: true }),
        ),
      );
      assert.deepEqual(results.map(({ code }) => code).sort(), [0, 1]);
      assertRefused(results.find(({ code }) => code === 1) as CommandResult, 'name-taken');
    }
  });

  it('lets an endpoint be removed from any host', async () => {
    await cluster.attach(1, 'red', 'elsewhere');
    await cluster.member(0).host.weft(['endpoint', 'rm', 'elsewhere']);
    await eventually('it is gone on its own host', async () => {
      const { items } = await cluster.member(1).api.call('listEndpoints');
      return !items.some(({ name }) => name === 'elsewhere');
    });
  });

  it('releases the endpoint of a sandbox that was deleted behind its back', async () => {
    const { sandbox: doomed } = await cluster.attach(1, 'red', 'doomed');
    await cluster.member(1).host.removeSandbox(doomed);
    await eventually('no host knows its endpoint any more', async () => {
      return !(await cluster.endpoints()).some(({ name }) => name === 'doomed');
    });
  });

  it('says that no daemon answers, and how to start one', async () => {
    const { host } = cluster.member(0);
    const result = await host.weft(['--socket', '/nonexistent/weft.sock', 'network', 'ls'], {
      allowFailure: true,
    });
    assertRefused(result, 'daemon-unreachable');
    assert.match(result.stderr, /weft daemon|running/);
  });

  it('exits 2 where the command line itself is wrong', async () => {
    const { host } = cluster.member(0);
    for (const args of [['network', 'create'], ['nonsense'], ['network', 'ls', '--format', 'xml']]) {
      const result = await host.weft(args, { allowFailure: true });
      assert.equal(result.code, 2, `weft ${args.join(' ')}: ${result.stderr}`);
      assert.equal(result.stdout, '');
    }
  });
});

function assertRefused(result: CommandResult, code: string): void {
  assert.equal(result.code, 1, `exit status 1, said: ${result.stdout}${result.stderr}`);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, new RegExp(`^weft: .+ \\(${code}\\)\\n$`), 'one line that ends in its code');
}

/** What an interface in a sandbox has beside its addresses, as its user asked for it, on networks of every kind. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { execIn } from '../../lab/host.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

const sysctls = 'com.docker.network.endpoint.sysctls';

describe('Interfaces in sandboxes', function () {
  this.timeout(60_000);
  let cluster: Cluster;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1'] });
    await create('bridge', 'bridged');
    await create('overlay', 'overlaid');
    await create('macvlan', 'stacked', '-o', 'parent=eth0', '--subnet', '192.168.77.0/24');
  });

  after(() => cluster?.dispose());

  afterEach(async () => {
    if (cluster === undefined) return;
    const { api } = cluster.member(0);
    for (const { id } of await cluster.endpoints()) await api.call('removeEndpoint', { params: { ref: id } });
    for (const netns of host().sandboxes) await host().removeSandbox(netns);
  });

  const host = () => cluster.member(0).host;
  const create = (driver: string, name: string, ...args: string[]) =>
    host().weft(['network', 'create', '-d', driver, ...args, name]);
  const connect = (...args: string[]) => host().weft(['network', 'connect', ...args]);
  const read = async (sandbox: string, name: string) =>
    (await execIn(sandbox, 'sysctl', ['-n', name])).stdout.trim();
  const addressesOn = async (sandbox: string, link: string) => {
    const { stdout } = await run('ip', ['-n', sandbox, '-o', 'address', 'show', 'dev', link]);
    return [...stdout.matchAll(/inet6? (\S+)/g)].map(([, address]) => address);
  };

  it('have the settings and link-local addresses that were asked for, on every kind of network', async () => {
    const sandbox = await host().addSandbox('red');
    for (const [at, network] of ['bridged', 'overlaid', 'stacked'].entries()) {
      const link = `eth${at}`;
      const settings = 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.ucast_solicit=5';
      await connect(
        '--driver-opt',
        `${sysctls}=${settings}`,
        '--link-local-ip',
        `169.254.8.${at}`,
        network,
        sandbox,
      );
      assert.equal(await read(sandbox, `net.ipv4.conf.${link}.log_martians`), '1');
      assert.equal(await read(sandbox, `net.ipv4.neigh.${link}.ucast_solicit`), '5');
      assert.ok((await addressesOn(sandbox, link)).includes(`169.254.8.${at}/16`), network);
    }
    assert.equal(
      await read(sandbox, 'net.ipv4.conf.lo.log_martians'),
      '0',
      'and no other interface has them',
    );
  });

  it('reach each other by link-local addresses, live, and lose them with the endpoint', async () => {
    const red = await host().addSandbox('red');
    const blue = await host().addSandbox('blue');
    await connect('--link-local-ip', '169.254.8.8', '--name', 'red', 'bridged', red);
    await connect('--link-local-ip', '169.254.8.9', '--link-local-ip', 'fe80::8', 'bridged', blue);
    assert.ok(await pings(red, '169.254.8.9'));
    assert.ok((await addressesOn(blue, 'eth0')).includes('fe80::8/64'));
    await host().weft(['network', 'disconnect', 'bridged', blue]);
    assert.equal(await pings(red, '169.254.8.9'), false);
  });

  it('are found by their names and aliases, which several may share, until they go', async () => {
    for (const network of ['bridged', 'overlaid']) {
      const [asks, first, second] = await Promise.all(
        ['asks', 'first', 'second'].map((name) => host().addSandbox(`${name}-${network}`)),
      );
      await connect(network, asks ?? '');
      await connect('--name', 'first', '--alias', 'web', network, first ?? '');
      await connect('--name', 'second', '--alias', 'web', network, second ?? '');
      const finds = (name: string) => pings(asks ?? '', name);
      for (const name of ['first', 'web', `web.${network}`]) assert.ok(await finds(name), name);
      await host().weft(['network', 'disconnect', network, 'first']);
      assert.equal(await finds('first'), false);
      assert.ok(await finds('web'), 'the other one that is called so');
      await host().weft(['network', 'disconnect', network, 'second']);
      assert.equal(await finds('web'), false);
    }
  });

  it('have the static routes that were asked for, put back when they are deleted, and lose them with the endpoint', async () => {
    const beyond = '198.51.100.1';
    for (const network of ['bridged', 'overlaid']) {
      const router = await host().addSandbox(`router-${network}`);
      const red = await host().addSandbox(`red-${network}`);
      await run('ip', ['-n', router, 'address', 'add', `${beyond}/32`, 'dev', 'lo']);
      const [via = ''] = (await connect(network, router)).stdout.split('/');
      await connect('--route', `198.51.100.0/24,${via}`, '--route', '203.0.113.7/32', network, red);
      const routes = async () =>
        (await run('ip', ['-n', red, 'route', 'show', 'proto', '87'])).stdout.replaceAll(/ +$/gm, '');
      const wanted = await routes();
      assert.match(wanted, new RegExp(`^198\\.51\\.100\\.0/24 via ${via} dev eth0 metric 1024$`, 'm'));
      assert.match(wanted, /^203\.0\.113\.7 dev eth0 scope link metric 1024$/m);
      assert.ok(await pings(red, beyond), network);
      await run('ip', ['-n', red, 'route', 'del', '198.51.100.0/24']);
      await eventually('the route is back', async () => (await routes()) === wanted);
      assert.match((await host().weft(['doctor'])).stdout, /route replace 198\.51\.100\.0\/24 via/);
      await host().weft(['network', 'disconnect', network, red]);
      assert.equal(await routes(), '');
    }
  });

  it('have a setting that somebody altered repaired, and the doctor tells of it', async () => {
    const { daemon } = cluster.member(0);
    const sandbox = await host().addSandbox('red');
    await connect('--driver-opt', `${sysctls}=net.ipv4.conf.IFNAME.log_martians=1`, 'bridged', sandbox);
    await daemon.stop();
    await execIn(sandbox, 'sysctl', ['-qw', 'net.ipv4.conf.eth0.log_martians=0']);
    await daemon.start();
    const repaired = async () => (await read(sandbox, 'net.ipv4.conf.eth0.log_martians')) === '1';
    await eventually('it is repaired', repaired);
    await eventually('the doctor tells of it', async () => {
      const { stdout } = await host().weft(['doctor']);
      return /altered .*sysctl -qw net\/ipv4\/conf\/eth0\/log_martians=1$/m.test(stdout);
    });
  });

  it('are refused with what is wrong, and nothing of them is kept', async () => {
    const sandbox = await host().addSandbox('red');
    const refusedRoute = await host().weft(
      ['network', 'connect', '--route', '10.9.0.0/16,10.8.0.1', 'bridged', sandbox],
      { allowFailure: true },
    );
    assert.match(
      refusedRoute.stderr,
      /^weft: Cannot attach .* route '10\.9\.0\.0\/16,10\.8\.0\.1' goes by 10\.8\.0\.1, which is no other machine of the endpoint's subnet; .* \(bad-route\)$/m,
    );
    for (const [option, why] of [
      [`${sysctls}=net.ipv4.ip_forward=1`, /must be like net\.ipv4\.conf\.IFNAME\..*\(bad-option\)/],
      [`${sysctls}=net.ipv4.conf.IFNAME.log_martians=$(id)`, /a whole number.*\(bad-option\)/],
      [
        `com.docker.network.endpoint.sysctl=x`,
        /did you mean com\.docker\.network\.endpoint\.sysctls\?.*\(unknown-option\)/,
      ],
      // There is no such setting, which only the kernel knows.
      [`${sysctls}=net.ipv4.conf.IFNAME.no_such=1`, /no_such.*nothing was kept.*\(attach-failed\)/],
    ] as const) {
      const result = await host().weft(['network', 'connect', '--driver-opt', option, 'bridged', sandbox], {
        allowFailure: true,
      });
      assert.equal(result.code, 1, option);
      assert.match(result.stderr, why);
      const { stdout } = await run('ip', ['-n', sandbox, '-o', 'link']);
      assert.equal(stdout.trim().split('\n').length, 1, 'loopback alone');
    }
  });
});

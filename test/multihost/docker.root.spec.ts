/**
 * Debian's dockerd and weft in one namespace: Docker drops what it does not forward itself, and both keep what they have
 * through restarts of either.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { dockerUnavailable, type LabDocker, labImage, startDocker } from '../../lab/docker.ts';
import { skipBecause } from '../support/requirements.ts';
import { type Answering, ask, startAnswering } from './answering.ts';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

describe('weft beside Docker', function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let docker: LabDocker;
  let container: string;
  const answering: Answering[] = [];

  before(async function () {
    const unavailable = dockerUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    cluster = await startCluster(this, { hosts: ['h1', 'h2'], args: ['--accept-in-foreign-chains'] });
    docker = await startDocker(host().place.netns);
    const web = ['sh', '-c', 'echo docker > /index.html; httpd -p 81 -h /; exec httpd -f -p 80 -h /'];
    const options = ['--detach', '--restart', 'always', '--publish', '8080:80'];
    container = (await docker.docker(['run', ...options, labImage, ...web])).stdout.trim();
    await host().weft(['network', 'create', '-d', 'bridge', 'bridgered']);
    const red = await host().addSandbox('red');
    await host().weft(['network', 'connect', '--name', 'red', '-p', '8081:80', 'bridgered', red]);
    await cluster.attach(0, 'bridgered', 'blue');
    answering.push(await startAnswering(red, 'red', 80));
    await host().weft(['network', 'create', '-d', 'overlay', 'overlaid']);
    const green = await host().addSandbox('green');
    await host().weft([
      'network',
      'connect',
      '--name',
      'green',
      '-p',
      '8082:80',
      '-p',
      '8082:80/udp',
      'overlaid',
      green,
    ]);
    answering.push(await startAnswering(green, 'green', 80));
  });

  after(async () => {
    for (const each of answering) await each.stop();
    await docker?.dispose();
    cluster?.dispose();
  });

  const host = () => cluster.member(0).host;
  const outside = () => cluster.member(1).host.place;
  const sandbox = (at: number) => host().sandboxes[at] ?? '';
  const rulesOfWeft = async () => {
    const { stdout } = await host().exec('iptables-nft', ['-S', 'FORWARD']);
    return stdout.split('\n').filter((line) => line.includes('--comment weft'));
  };
  const fetched = async (from: string, url: string): Promise<string> => {
    const wget = ['netns', 'exec', from, 'timeout', '3', 'busybox', 'wget', '-q', '-O', '-', url];
    return (await run('ip', wget, { allowFailure: true })).stdout.trim();
  };
  const dockerReachesOut = async (): Promise<boolean> => {
    const ping = ['exec', container, 'ping', '-c', '1', '-W', '2', outside().ipv4];
    return (await docker.docker(ping, { allowFailure: true })).code === 0;
  };
  /** What of the two works, by name. */
  const working = async (): Promise<string[]> => {
    const all: Record<string, () => Promise<boolean>> = {
      'masquerade of weft': () => pings(sandbox(0), outside().ipv4),
      'neighbours of weft': () => pings(sandbox(0), 'blue'),
      'published port of weft': async () =>
        (await ask(outside().netns, 'tcp', host().place.ipv4, 8081))?.startsWith('red ') === true,
      'published port of an overlay of weft': async () =>
        (await ask(outside().netns, 'tcp', host().place.ipv4, 8082))?.startsWith('green ') === true,
      'published UDP port of an overlay of weft': async () =>
        (await ask(outside().netns, 'udp', host().place.ipv4, 8082))?.startsWith('green ') === true,
      'masquerade of Docker': dockerReachesOut,
      'published port of Docker': async () =>
        (await fetched(outside().netns, `http://${host().place.ipv4}:8080/`)) === 'docker',
    };
    const names: string[] = [];
    for (const [name, works] of Object.entries(all)) if (await works()) names.push(name);
    return names;
  };
  const ofWeft = [
    'masquerade of weft',
    'neighbours of weft',
    'published port of weft',
    'published port of an overlay of weft',
    'published UDP port of an overlay of weft',
  ];
  const everything = [...ofWeft, 'masquerade of Docker', 'published port of Docker'];
  const all = (what: string) =>
    eventually(what, async () => (await working()).length === everything.length, 30_000);

  it('gets its packets through the chain in which Docker drops them', async () => {
    await all('everything works');
    assert.equal((await rulesOfWeft()).length, 1);
    const { stdout } = await host().exec('iptables-nft', ['-S', 'FORWARD']);
    assert.match(stdout, /^-P FORWARD DROP$/m);
    const doctor = await host().weft(['doctor']);
    assert.match(doctor.stdout, /^Chain FORWARD of table ip filter drops .* weft's rule in it accepts/m);
  });

  it("opens none of Docker's containers", async () => {
    const { stdout } = await docker.docker(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', container]);
    const address = stdout.trim();
    assert.equal(await fetched(host().place.netns, `http://${address}:81/`), 'docker', 'from the host');
    assert.equal(await fetched(sandbox(0), `http://${address}:81/`), '', 'a port that is not published');
  });

  it('loses nothing when its own daemon goes and comes', async () => {
    const { daemon } = cluster.member(0);
    for (const end of ['stop', 'kill'] as const) {
      await daemon[end]();
      const without = await working();
      await daemon.start();
      assert.deepEqual(without, everything, 'without the daemon');
      assert.deepEqual(await working(), everything, 'with another');
    }
    assert.equal((await rulesOfWeft()).length, 1);
  });

  it('loses nothing when dockerd goes and comes', async () => {
    for (const end of ['stop', 'kill'] as const) {
      await docker[end]();
      assert.deepEqual(await working(), ofWeft, 'without dockerd');
      await docker.start();
      await all(`everything works after ${end}`);
      await eventually('there is one rule', async () => (await rulesOfWeft()).length === 1);
    }
  });

  it('comes to terms with a chain that another hand empties', async () => {
    const { api } = cluster.member(0);
    const repairs = async () => (await api.call('status')).dataplane.repairs;
    const before = await repairs();
    await host().exec('nft', ['flush chain ip filter FORWARD']);
    await eventually('the rule is back', async () => (await rulesOfWeft()).length === 1);
    assert.ok((await repairs()) > before);
    assert.match((await host().weft(['doctor'])).stdout, /in each chain of others that drops/);
    assert.ok(await pings(sandbox(0), outside().ipv4));
  });

  it('takes its rule out, and says what drops, where its operator does not allow it any more', async () => {
    await cluster.member(0).daemon.stop();
    const daemon = await host().startDaemon({ store: cluster.store, args: ['--bridge', 'none'] });
    await eventually('the rule is gone', async () => (await rulesOfWeft()).length === 0);
    const { stdout } = await host().weft(['doctor']);
    assert.match(stdout, /^Chain FORWARD of table ip filter drops .*--accept-in-foreign-chains\.$/m);
    assert.equal(await pings(sandbox(0), outside().ipv4), false);
    const connect = ['network', 'connect', 'bridge', sandbox(0)];
    const refused = await host().weft(connect, { allowFailure: true });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /--bridge none.*\(network-off\)$/m, "Docker's own subnet is left to Docker");
    await daemon.stop();
  });
});

/** The networks that are there without anyone's making: `host`, whose sandbox is the host itself, and `none`. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Cluster, pings, startCluster } from './cluster.ts';

describe('Predefined networks', function () {
  this.timeout(60_000);
  let cluster: Cluster;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    await cluster.member(0).api.call('createNetwork', {
      body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] },
    });
    await cluster.converged();
  });

  after(() => cluster?.dispose());

  it('are the same on all hosts', async () => {
    const lists = await Promise.all(
      cluster.members.map(async ({ host }) => (await host.weft(['network', 'ls'])).stdout),
    );
    assert.equal(lists[0], lists[1]);
    assert.match(lists[0] ?? '', /^7bcfca90423c +host +host +local$/m);
    assert.match(lists[0] ?? '', /^1cfc0029afee +none +null +local$/m);
  });

  it('`none` gives a sandbox its loopback and nothing else, and takes it off the others', async () => {
    const { sandbox, endpoint } = await cluster.attach(0, 'none', 'lonely');
    assert.deepEqual([endpoint.addresses, endpoint.ifname, endpoint.mac], [[], undefined, undefined]);
    assert.ok(await pings(sandbox, '127.0.0.1'));
    const { stdout } = await run('ip', ['-n', sandbox, '-o', 'link', 'show']);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(': ')[1]),
      ['lo'],
    );
    const { host } = cluster.member(0);
    const other = await host.weft(['network', 'connect', 'red', sandbox], { allowFailure: true });
    assert.match(other.stderr, /\(sandbox-alone\)$/m);
    await host.weft(['network', 'disconnect', 'none', sandbox]);
    await host.weft(['network', 'connect', 'red', sandbox]);
  });

  it("`host` is the host's namespace with all that is in it, and nothing is made or taken away there", async () => {
    const { host } = cluster.member(1);
    const links = async () => (await run('ip', ['-n', host.place.netns, '-o', 'link', 'show'])).stdout;
    const before = await links();
    const line = await host.weft(['network', 'connect', '--name', 'agent', 'host', host.place.netns]);
    assert.equal(line.stdout, '- - - agent,agent.host\n');
    assert.equal(await links(), before);
    const other = await host.weft(['network', 'connect', 'red', host.place.netns], { allowFailure: true });
    assert.match(other.stderr, /the host's own network namespace.*\(host-sandbox\)$/m);
    await cluster.converged();
    const shown = await cluster.member(0).host.weft(['endpoint', 'ls', '--network', 'host']);
    assert.match(shown.stdout, /agent +host +h2 /);
    await host.weft(['network', 'disconnect', 'host', 'agent']);
    assert.equal(await links(), before);
  });
});

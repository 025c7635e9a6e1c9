/** Hosts that fall silent: real daemons that are killed, and a real store that stops, over times of seconds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Client } from '../../api/client.ts';
import type { HostView } from '../../api/schemas/host.ts';
import { type EtcdServer, startEtcd } from '../../lab/etcd.ts';
import { createLab, type Lab, labHindrance } from '../../lab/hosts.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';
import { Cluster, eventually, fdbOf, type Member, pings } from './cluster.ts';

const times = { 'host-grace': '3s', 'host-retention': '20s' };
const waitMs = 60_000;

describe('A host that falls silent', function () {
  this.timeout(180_000);
  let lab: Lab | undefined;
  let etcd: EtcdServer | undefined;
  let cluster: Cluster;
  let web: string;
  let netns: string;

  beforeEach(async function () {
    requireCommand(this, 'etcd');
    const hindrance = await labHindrance();
    if (hindrance !== undefined) skipBecause(this, hindrance);
    lab = await createLab({ hosts: ['h1', 'h2'] });
    const { place } = lab.host('h1');
    etcd = await startEtcd({ netns: place.netns, listenAddress: place.ipv4 });
    const args = Object.entries(times).flatMap(([name, value]) => [`--${name}`, value]);
    const members: Member[] = [];
    for (const host of lab.hosts) {
      const daemon = await host.startDaemon({ store: etcd.url, args });
      members.push({ host, daemon, api: new Client({ socket: host.socket }) });
    }
    cluster = new Cluster(lab, members, etcd.url);
    const body = { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] };
    const { id } = await cluster.member(0).api.call('createNetwork', { body });
    netns = `${cluster.member(0).host.netnsPrefix}${id.slice(0, 10)}`;
    web = (await cluster.attach(0, 'red', 'web')).sandbox;
    await cluster.attach(1, 'red', 'db');
    await cluster.converged();
    assert.match(namesOf(web), /\bdb\b/);
  });

  afterEach(async () => {
    lab?.dispose();
    await etcd?.stop();
    lab = undefined;
    etcd = undefined;
  });

  const h2 = async (): Promise<HostView | undefined> =>
    (await cluster.member(0).api.call('listHosts')).items.find(({ name }) => name === 'h2');

  it('is down while its traffic goes on, is up again with its daemon, and expires at last', async () => {
    const [near, far] = [cluster.member(0), cluster.member(1)];
    await far.daemon.kill();
    await eventually('h2 is down', async () => (await h2())?.state === 'down', waitMs);
    await eventually('its names are gone', () => !/\bdb\b/.test(namesOf(web)));
    assert.equal(await pings(web, '10.0.1.3'), true, 'its sandboxes are reached');
    assert.deepEqual(await fdbOf(netns), [`02:42:0a:00:01:03 ${far.host.place.address}`]);
    assert.match((await near.host.weft(['host', 'ls'])).stdout, /h2 .*down/);
    await far.daemon.start();
    await eventually('h2 is up', async () => (await h2())?.state === 'up', waitMs);
    await eventually('its names are back', () => /\bdb\b/.test(namesOf(web)));
    assert.equal((await h2())?.epoch, 2);
    await far.daemon.kill();
    await eventually('h2 has expired', async () => (await h2()) === undefined, waitMs);
    await eventually('nothing leads to it', async () => (await fdbOf(netns)).length === 0);
    assert.deepEqual(
      (await near.api.call('listEndpoints')).items.map(({ name }) => name),
      ['web'],
    );
    assert.match((await near.host.weft(['log'])).stdout, /host-expire/);
  });

  it('is nobody where it is the store that is gone, for longer than the grace time', async () => {
    const statuses = () => Promise.all(cluster.members.map(({ api }) => api.call('status')));
    const { ordinal } = await cluster.member(0).api.call('status');
    await etcd?.kill('SIGKILL');
    await eventually(
      'nobody has seen the end of the log for three times the grace time',
      async () => (await statuses()).every(({ caughtUpAgoMs }) => (caughtUpAgoMs ?? 0) > 9_000),
      waitMs,
    );
    await etcd?.restart();
    await eventually(
      'both see each other again',
      async () => {
        const lists = await Promise.all(cluster.members.map(({ api }) => api.call('listHosts')));
        const hosts = lists.flatMap(({ items }) => items);
        return hosts.every(({ state, seenAgoMs }) => state === 'up' && seenAgoMs !== undefined);
      },
      waitMs,
    );
    assert.equal((await cluster.member(0).api.call('status')).ordinal, ordinal, 'nobody was judged');
    assert.match(namesOf(web), /\bdb\b/);
  });
});

/** What a sandbox resolves by its hosts file. */
function namesOf(sandbox: string): string {
  return readFileSync(`/etc/netns/${sandbox}/hosts`, 'utf8');
}

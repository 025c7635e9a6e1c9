/** A store that is wiped under a running cluster: nothing of the data plane changes, and one command writes the log back. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { Client } from '../../api/client.ts';
import { type EtcdServer, startEtcd } from '../../lab/etcd.ts';
import { createLab, type Lab, labHindrance } from '../../lab/hosts.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';
import { Cluster, eventually, fdbOf, type Member, neighboursOf } from './cluster.ts';
import { type Pinging, startPinging } from './pinging.ts';

const endpointsPerHost = 10;

describe('A store that is wiped', function () {
  this.timeout(180_000);
  let lab: Lab | undefined;
  let etcd: EtcdServer | undefined;
  let pinging: Pinging | undefined;

  afterEach(async () => {
    await pinging?.stop();
    lab?.dispose();
    await etcd?.stop();
    pinging = undefined;
    lab = undefined;
    etcd = undefined;
  });

  it('is told of, harms nobody, and is written back by one host with every endpoint', async function () {
    requireCommand(this, 'etcd');
    const hindrance = await labHindrance();
    if (hindrance !== undefined) skipBecause(this, hindrance);
    lab = await createLab({ hosts: ['h1', 'h2'] });
    const { place } = lab.host('h1');
    etcd = await startEtcd({ netns: place.netns, listenAddress: place.ipv4 });
    const members: Member[] = [];
    for (const host of lab.hosts) {
      const daemon = await host.startDaemon({ store: etcd.url });
      members.push({ host, daemon, api: new Client({ socket: host.socket }) });
    }
    const cluster = new Cluster(lab, members, etcd.url);
    const { host: h1, api } = cluster.member(0);
    const network = await api.call('createNetwork', {
      body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] },
    });
    const made = [];
    for (let number = 0; number < endpointsPerHost; number += 1) {
      made.push(await cluster.attach(0, 'red', `a${number}`), await cluster.attach(1, 'red', `b${number}`));
    }
    await cluster.converged();
    const [near, far] = [made[0]?.sandbox ?? '', made[1]?.sandbox ?? ''];
    const before = await Promise.all(members.map((member) => standOf(member, network.id)));
    pinging = await startPinging(near, 'b0');

    await etcd.wipe();
    for (const { host, api: each } of members) {
      await eventually(
        'the host notices',
        async () => (await each.call('status')).phase === 'halted',
        30_000,
      );
      const status = await host.weft(['status']);
      assert.match(status.stdout, /Phase: +halted \(.*(?:no log at|holds no log now).*weft store reseed/);
      const doctor = await host.weft(['doctor'], { allowFailure: true });
      assert.equal(doctor.code, 1);
      assert.match(doctor.stdout, /not at work: halted.*weft store reseed/);
    }
    const refused = await h1.weft(['network', 'create', 'blue'], { allowFailure: true });
    assert.equal(refused.code, 1, 'nothing can be changed meanwhile');
    assert.match((await h1.weft(['endpoint', 'ls'])).stdout, /b9/);

    const reseeded = await h1.weft(['store', 'reseed']);
    assert.match(
      reseeded.stdout,
      /: log [0-9a-f]{32} goes on from record \d+ of log [0-9a-f]{32}, written by host h1\n$/,
    );
    await eventually('the hosts are at work again', async () => {
      const states = await Promise.all(members.map((member) => member.api.call('status')));
      return states.every(({ phase }) => phase === 'running');
    });
    await cluster.converged();
    assert.deepEqual(await Promise.all(members.map((member) => standOf(member, network.id))), before);
    await cluster.attach(1, 'red', 'late');
    const { lost, sent } = await pinging.stop();
    pinging = undefined;
    assert.ok(sent > 20, `${sent} were sent`);
    assert.equal(lost, 0, `of ${sent} echo requests`);
    assert.ok(far !== '');
  });
});

/** What a host has in its kernel of the network, how many endpoints it knows, and how often it has written to its kernel. */
async function standOf({ host, api }: Member, network: string) {
  const status = await api.call('status');
  const netns = `${host.netnsPrefix}${network.slice(0, 10)}`;
  const { endpoints, dataplane } = status;
  const [fdb, neighbours] = await Promise.all([fdbOf(netns), neighboursOf(netns)]);
  return { endpoints, writes: dataplane.writes, repairs: dataplane.repairs, fdb, neighbours };
}

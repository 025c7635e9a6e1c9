/**
 * Hosts that fall silent: real daemons that are killed, and real stores that stop, over times of seconds. All of it on etcd;
 * on every other store one life: down, expired, back again, and the store gone in between.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, type Context, describe, it } from 'mocha';
import { Client } from '../../api/client.ts';
import type { HostView } from '../../api/schemas/host.ts';
import { startConsul } from '../../lab/consul.ts';
import { startEtcd } from '../../lab/etcd.ts';
import { createLab, type Lab, labHindrance } from '../../lab/hosts.ts';
import { startZookeeper } from '../../lab/zookeeper.ts';
import { skipBecause } from '../support/requirements.ts';
import { type StoreKind, storeKinds } from '../support/store-kinds.ts';
import { Cluster, eventually, fdbOf, type Member, pings } from './cluster.ts';

const waitMs = 60_000;
/** For so long the store is gone: three times the grace time. */
const lossMs = 9_000;

/** A server that both hosts reach. */
interface Server {
  readonly url: string;
  kill(signal: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Two hosts on a store, each with a sandbox on one overlay: `web` on h1 and `db`, 10.0.1.3, on h2. */
class Pair {
  readonly cluster: Cluster;
  /** Absent for the file store. */
  readonly server: Server | undefined;
  /** The sandbox on h1. */
  readonly web: string;
  readonly #network: string;

  /** Or skips the test with the reason why there can be none. */
  static async start(context: Context, kind: StoreKind, retention: string): Promise<Pair> {
    const hindrance = (await labHindrance()) ?? kind.unavailable;
    if (hindrance !== undefined) skipBecause(context, hindrance);
    const lab = await createLab({ hosts: ['h1', 'h2'] });
    const server = await startServer(lab, kind.name);
    try {
      const store = server?.url ?? `file:${join(lab.folder, 'store')}`;
      const args = ['--host-grace', '3s', '--host-retention', retention];
      const members: Member[] = [];
      for (const host of lab.hosts) {
        const daemon = await host.startDaemon({ store, args });
        members.push({ host, daemon, api: new Client({ socket: host.socket }) });
      }
      const cluster = new Cluster(lab, members, store);
      const body = { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] };
      const { id } = await cluster.member(0).api.call('createNetwork', { body });
      const { sandbox } = await cluster.attach(0, 'red', 'web');
      await cluster.attach(1, 'red', 'db');
      await cluster.converged();
      return new Pair(cluster, server, sandbox, id);
    } catch (error) {
      lab.dispose();
      await server?.stop();
      throw error;
    }
  }

  private constructor(cluster: Cluster, server: Server | undefined, web: string, network: string) {
    this.cluster = cluster;
    this.server = server;
    this.web = web;
    this.#network = network;
  }

  async stop(): Promise<void> {
    this.cluster.dispose();
    await this.server?.stop();
  }

  /** Where a host has the network. */
  netnsOf({ host }: Member): string {
    return `${host.netnsPrefix}${this.#network.slice(0, 10)}`;
  }

  /** What h1 knows of h2. */
  async far(): Promise<HostView | undefined> {
    return (await this.cluster.member(0).api.call('listHosts')).items.find(({ name }) => name === 'h2');
  }

  /** Whether `web` resolves the name of `db`. */
  knowsDb(): boolean {
    return /\bdb\b/.test(readFileSync(`/etc/netns/${this.web}/hosts`, 'utf8'));
  }

  /** Kills the server, has it gone for long, and starts it again: nobody was judged meanwhile. */
  async survivesLossOf(server: Server): Promise<void> {
    const { members } = this.cluster;
    const statuses = () => Promise.all(members.map(({ api }) => api.call('status')));
    const { ordinal } = await this.cluster.member(0).api.call('status');
    await server.kill('SIGKILL');
    await eventually(
      'nobody has seen the end of the log for three times the grace time',
      async () => (await statuses()).every(({ caughtUpAgoMs }) => (caughtUpAgoMs ?? 0) > lossMs),
      waitMs,
    );
    await server.restart();
    await eventually(
      'both see each other again',
      async () => {
        const lists = await Promise.all(members.map(({ api }) => api.call('listHosts')));
        const hosts = lists.flatMap(({ items }) => items);
        return hosts.every(({ state, seenAgoMs }) => state === 'up' && (seenAgoMs ?? lossMs) < lossMs);
      },
      waitMs,
    );
    assert.equal((await this.cluster.member(0).api.call('status')).ordinal, ordinal, 'nobody was judged');
    assert.equal(this.knowsDb(), true);
  }
}

async function startServer({ hosts: [first] }: Lab, name: StoreKind['name']): Promise<Server | undefined> {
  if (name === 'file' || first === undefined) return undefined;
  const start = { etcd: startEtcd, consul: startConsul, zookeeper: startZookeeper }[name];
  return await start({ netns: first.place.netns, listenAddress: first.place.ipv4 });
}

describe('A host that falls silent', function () {
  this.timeout(180_000);
  let pair: Pair | undefined;

  afterEach(async () => {
    await pair?.stop();
    pair = undefined;
  });

  const kindOf = (name: StoreKind['name']): StoreKind => {
    const kind = storeKinds.find((each) => each.name === name);
    assert.ok(kind !== undefined);
    return kind;
  };

  it('is down while its traffic goes on, is up again with its daemon, and expires at last', async function () {
    pair = await Pair.start(this, kindOf('etcd'), '20s');
    const { cluster, web } = pair;
    const h2 = () => pair?.far();
    const [near, far] = [cluster.member(0), cluster.member(1)];
    const netns = pair.netnsOf(near);
    await far.daemon.kill();
    await eventually('h2 is down', async () => (await h2())?.state === 'down', waitMs);
    await eventually('its names are gone', () => pair?.knowsDb() === false);
    assert.equal(await pings(web, '10.0.1.3'), true, 'its sandboxes are reached');
    assert.deepEqual(await fdbOf(netns), [`02:42:0a:00:01:03 ${far.host.place.address}`]);
    assert.match((await near.host.weft(['host', 'ls'])).stdout, /h2 .*down/);
    await far.daemon.start();
    await eventually('h2 is up', async () => (await h2())?.state === 'up', waitMs);
    await eventually('its names are back', () => pair?.knowsDb() === true);
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

  it('is nobody where it is the store that is gone, for longer than the grace time', async function () {
    pair = await Pair.start(this, kindOf('etcd'), '20s');
    assert.ok(pair.server !== undefined);
    await pair.survivesLossOf(pair.server);
  });

  for (const name of ['file', 'consul', 'zookeeper'] as const) {
    it(`is not one that the store kept silent, goes down, expires and comes back, on ${name}`, async function () {
      pair = await Pair.start(this, kindOf(name), '8s');
      const { cluster, server } = pair;
      if (server !== undefined) await pair.survivesLossOf(server);
      const [near, far] = [cluster.member(0), cluster.member(1)];
      const [here, there] = [pair.netnsOf(near), pair.netnsOf(far)];
      assert.ok(existsSync(`/run/netns/${there}`));
      await far.daemon.kill();
      await eventually('its names are gone', () => pair?.knowsDb() === false, waitMs);
      await eventually('h2 has expired', async () => (await pair?.far()) === undefined, waitMs);
      await eventually('nothing leads to it', async () => (await fdbOf(here)).length === 0);
      assert.match(
        (await near.host.weft(['log'])).stdout,
        /host-down[^]*host-expire|host-expire[^]*host-down/,
      );
      await far.daemon.start();
      await eventually('h2 is back', async () => (await pair?.far())?.state === 'up', waitMs);
      assert.equal((await pair.far())?.epoch, 2);
      await eventually('it has taken away what it had', () => !existsSync(`/run/netns/${there}`), waitMs);
      await cluster.converged();
    });
  }
});

/**
 * A running cluster moves from store to store. `npm test` tries two pairs of stores, `npm run test:migration` every ordered
 * pair of the four, one after the other, with one cluster.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { Client } from '../../api/client.ts';
import { run, weftCommand } from '../../lab/command.ts';
import { startConsul } from '../../lab/consul.ts';
import { startEtcd } from '../../lab/etcd.ts';
import { createLab, type Lab, labHindrance } from '../../lab/hosts.ts';
import { startZookeeper } from '../../lab/zookeeper.ts';
import { skipBecause } from '../support/requirements.ts';
import { type StoreKind, storeKinds } from '../support/store-kinds.ts';
import { Cluster, eventually, type Member } from './cluster.ts';
import { type Pinging, startPinging } from './pinging.ts';

type Name = StoreKind['name'];

/** Every ordered pair of two stores once, each move beginning where the one before has ended. */
const everyPair: readonly Name[] = [
  ...(['file', 'etcd', 'file', 'consul', 'file', 'zookeeper', 'etcd'] as const),
  ...(['consul', 'etcd', 'zookeeper', 'consul', 'zookeeper', 'file'] as const),
];
const somePairs: readonly Name[] = ['etcd', 'zookeeper', 'file'];
/** Writes may pause for so long while the cluster moves: looked at where every pair is tried, and nothing else runs. */
const pauseMsMax = 5_000;

describe('A running cluster', function () {
  this.timeout(600_000);
  let lab: Lab | undefined;
  let pinging: Pinging | undefined;
  const servers: { stop(): Promise<void> }[] = [];

  afterEach(async () => {
    await pinging?.stop();
    lab?.dispose();
    for (const server of servers.splice(0)) await server.stop();
    pinging = undefined;
    lab = undefined;
  });

  it('moves from store to store, and neither packets nor requests notice', async function () {
    const isWhole = process.env['WEFT_MIGRATION'] === 'all';
    const course = isWhole ? everyPair : somePairs;
    const hindrance =
      (await labHindrance()) ??
      storeKinds.find(({ name, unavailable }) => course.includes(name) && unavailable !== undefined)
        ?.unavailable;
    if (hindrance !== undefined) skipBecause(this, hindrance);
    lab = await createLab({ hosts: ['h1', 'h2'] });
    const urlOf = await startStores(lab, new Set(course));
    const [first, ...others] = course;
    assert.ok(first !== undefined);
    const members: Member[] = [];
    const store = urlOf(first);
    for (const host of lab.hosts) {
      const daemon = await host.startDaemon({ store });
      members.push({ host, daemon, api: new Client({ socket: host.socket }) });
    }
    const cluster = new Cluster(lab, members, store);
    await members[0]?.api.call('createNetwork', {
      body: { name: 'red', subnets: [{ prefix: '10.0.1.0/24' }] },
    });
    const near = await cluster.attach(0, 'red', 'near');
    await cluster.attach(1, 'red', 'far');
    await cluster.converged();
    const writes = await Promise.all(members.map(writesOf));
    pinging = await startPinging(near.sandbox, 'far');

    let at = first;
    for (const next of others) {
      const writing = new Writing(cluster.member(1).api);
      const moved = await cluster.member(0).host.weft(['store', 'copy', '--to', urlOf(next)]);
      const [, url, logId] = /goes on at (\S+), in log ([0-9a-f]{32})\n$/.exec(moved.stdout) ?? [];
      await eventually(
        `both hosts are on ${next}`,
        async () => {
          const states = await Promise.all(members.map(({ api }) => api.call('status')));
          return states.every(
            ({ phase, store: on }) => phase === 'running' && on.logId === logId && on.url === url,
          );
        },
        30_000,
      );
      const { written, pauseMs } = await writing.stop();
      if (isWhole)
        assert.ok(pauseMs < pauseMsMax, `from ${at} to ${next} writes paused ${Math.round(pauseMs)} ms`);
      await cluster.converged();
      process.stdout.write(
        `    ${at} to ${next}: ${written} requests, longest pause ${Math.round(pauseMs)} ms\n`,
      );
      at = next;
    }
    const { sent, lost } = await pinging.stop();
    pinging = undefined;
    assert.equal(lost, 0, `of ${sent} echo requests`);
    assert.deepEqual(await Promise.all(members.map(writesOf)), writes, 'nothing was written to a kernel');
    await assertReplayed(cluster.member(0));
    const shown = await cluster.member(0).host.weft(['status']);
    assert.match(shown.stdout, /^Configured: .*which the cluster has left/m);

    // A host that was off meanwhile knows from its data directory where to go, and one that is new from the old log.
    const [, second] = members;
    await second?.daemon.kill();
    second?.daemon.launch();
    await eventually(
      'the host that started again is where the cluster is',
      async () => (await statusOrNone(second))?.phase === 'running',
      30_000,
    );
    await cluster.converged();
  });

  /** The servers of the stores, where both hosts reach them; the folder is on the machine that they share. */
  async function startStores(on: Lab, names: ReadonlySet<Name>): Promise<(name: Name) => string> {
    const { place } = on.host('h1');
    const { folder } = on;
    const where = { netns: place.netns, listenAddress: place.ipv4 };
    const urls = new Map<Name, string>([['file', `file:${join(folder, 'stores')}`]]);
    mkdirSync(join(folder, 'stores'), { recursive: true });
    const starts = { etcd: startEtcd, consul: startConsul, zookeeper: startZookeeper } as const;
    for (const [name, start] of Object.entries(starts)) {
      if (!names.has(name as Name)) continue;
      const server = await start(where);
      servers.push(server);
      urls.set(name as Name, server.url);
    }
    let number = 0;
    return (name) => `${urls.get(name)}/weft-${++number}`;
  }
});

/** Requests one after the other: all of them must be answered with success, and none may be lost. */
class Writing {
  readonly #api: Client;
  readonly #running: Promise<void>;
  #isStopped = false;
  #written = 0;
  #pauseMs = 0;

  constructor(api: Client) {
    this.#api = api;
    this.#running = this.#run();
    // Told by `stop`, which comes later.
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<{ readonly written: number; readonly pauseMs: number }> {
    this.#isStopped = true;
    await this.#running;
    return { written: this.#written, pauseMs: this.#pauseMs };
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const began = performance.now();
      const name = `n${this.#written}`;
      await this.#api.call('createNetwork', { body: { name } });
      await this.#api.call('removeNetwork', { params: { ref: name } });
      this.#pauseMs = Math.max(this.#pauseMs, performance.now() - began);
      this.#written += 1;
    }
  }
}

/** A bundle of a log that goes on from another one begins with the state that it goes on from, and is replayed to the same. */
async function assertReplayed({ host, api }: Member): Promise<void> {
  const path = join(host.folder, 'moved.gz');
  await host.weft(['bundle', '-o', path]);
  const { code, stdout, stderr } = await run(weftCommand, ['replay', path], { allowFailure: true });
  assert.equal(code, 0, `${stdout}${stderr}`);
  const { stateHash, dataplane } = await api.call('status');
  assert.match(stdout, /^Records up to \d+ are not in the bundle: /m);
  assert.match(stdout, /log-begin/);
  assert.ok(stdout.includes(`state hash ${stateHash}`), stdout);
  assert.ok(stdout.includes(`The kernel had what the log asks for: ${dataplane.desired} objects.`), stdout);
}

async function writesOf({ api }: Member): Promise<number> {
  return (await api.call('status')).dataplane.writes;
}

async function statusOrNone(member: Member | undefined) {
  return await member?.api.call('status').catch(() => undefined);
}

/** 200 endpoints attached from two hosts at once, eight requests in flight on each. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { EndpointView } from '../../api/schemas/endpoint.ts';
import { ip } from '../../lab/command.ts';
import { type Cluster, eventually, fdbOf, neighboursOf, pings, startCluster } from './cluster.ts';

const endpointsPerHost = 100;
const inFlight = 8;
const pairsTried = 50;

describe('200 endpoints attached from two hosts at once', function () {
  this.timeout(180_000);
  let cluster: Cluster;
  let endpoints: readonly EndpointView[];
  let networkId: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    const network = await cluster.member(0).api.call('createNetwork', {
      body: { name: 'crowd', subnets: [{ prefix: '10.9.0.0/24' }] },
    });
    networkId = network.id;
    await cluster.converged();
    await Promise.all([attachMany(cluster, 0), attachMany(cluster, 1)]);
    await cluster.converged();
    endpoints = await cluster.endpoints();
  });

  after(() => cluster?.dispose());

  it('gives no address and no MAC twice', () => {
    assert.equal(endpoints.length, 2 * endpointsPerHost);
    assert.equal(new Set(endpoints.flatMap(({ addresses }) => addresses)).size, endpoints.length);
    assert.equal(new Set(endpoints.map(({ mac }) => mac)).size, endpoints.length);
  });

  for (const index of [0, 1]) {
    it(`makes the FDB and neighbour tables of host ${index + 1} exactly the desired set`, async () => {
      const { host } = cluster.member(index);
      const other = cluster.member(1 - index).host;
      const remote = endpoints.filter((endpoint) => endpoint.host === other.name);
      const netns = `${host.netnsPrefix}${networkId.slice(0, 10)}`;
      assert.deepEqual(await fdbOf(netns), remote.map(({ mac }) => `${mac} ${other.place.address}`).sort());
      assert.deepEqual(
        await neighboursOf(netns),
        remote
          .flatMap(({ mac, addresses }) => addresses.map((address) => `${address.split('/')[0]} ${mac}`))
          .sort(),
      );
    });
  }

  it(`lets every pair of a sample of ${pairsTried} reach each other`, async () => {
    const pairs = Array.from({ length: pairsTried }, (_, index) => ({
      from: at(endpoints, (index * 37) % endpoints.length),
      to: at(endpoints, (index * 71 + 13) % endpoints.length),
    }));
    for (const { from, to } of pairs) {
      const target = at(to.addresses, 0).split('/')[0] ?? '';
      assert.ok(
        await pings(from.sandbox.ref, target),
        `${from.name} on ${from.host} cannot reach ${to.name} on ${to.host}`,
      );
    }
  });

  it('takes all of them away again, and the tables with them', async () => {
    await Promise.all([0, 1].map((index) => removeAll(cluster, index, endpoints)));
    await cluster.converged();
    for (const { host } of cluster.members) {
      const netns = `${host.netnsPrefix}${networkId.slice(0, 10)}`;
      await eventually(`the namespace ${netns} is gone`, () => isGone(netns));
    }
  });
});

async function attachMany(cluster: Cluster, index: number): Promise<void> {
  const { host } = cluster.member(index);
  const names = Array.from({ length: endpointsPerHost }, (_, number) => `${host.name}e${number}`);
  await inParallel(names, (name) => cluster.attach(index, 'crowd', name));
}

async function removeAll(cluster: Cluster, index: number, endpoints: readonly EndpointView[]): Promise<void> {
  const { host, api } = cluster.member(index);
  const own = endpoints.filter((endpoint) => endpoint.host === host.name);
  await inParallel(own, (endpoint) => api.call('removeEndpoint', { params: { ref: endpoint.id } }));
}

/** Works a list off with `inFlight` at a time. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function isGone(netns: string): Promise<boolean> {
  return ip(netns, ['link show']).then(
    () => false,
    () => true,
  );
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  assert.ok(item !== undefined, `there is no item ${index} of ${items.length}`);
  return item;
}

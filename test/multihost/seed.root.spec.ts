/**
 * The single-host part of "Docker Multi-Host Networking: Overlays to the Rescue" (2015), command for command: the
 * networks that are there, a second bridge, and what reaches what. `docs/first-bridge.md` tells it to people.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { execIn } from '../../lab/host.ts';
import { type Cluster, pings, startCluster } from './cluster.ts';

describe('The walk through one host', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let first: string;
  let second: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['minion0', 'world'] });
  });

  after(() => cluster?.dispose());

  const host = () => cluster.member(0).host;
  const weft = async (...args: string[]) => (await host().weft(args)).stdout;
  const inside = async (sandbox: string, ...words: string[]) =>
    (await execIn(sandbox, words[0] ?? '', words.slice(1))).stdout;
  const rows = (table: string) =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s+/).slice(1, 3).join(' '));

  it('weft network ls: bridge, none and host are there', async () => {
    assert.deepEqual(rows(await weft('network', 'ls')).sort(), [
      'bridge bridge',
      'host host',
      'none null',
      'weft_gwbridge bridge',
    ]);
  });

  it('a first container is on `bridge`, with a link of the host joined to its eth0', async () => {
    first = await host().addSandbox('drunk-noyce');
    await weft('network', 'connect', '--name', 'drunk_noyce', 'bridge', first);
    const link = await inside(first, 'ip', '-o', 'link', 'show', 'eth0');
    const peer = /eth0@if(\d+)/.exec(link)?.[1];
    const links = (await host().exec('ip', ['-o', 'link', 'show', 'master', 'weft0'])).stdout;
    assert.match(links, new RegExp(`^${peer}: veth`, 'm'), 'its other end is plugged into the bridge');
    assert.match((await host().exec('ip', ['link', 'show', 'weft0'])).stdout, /UP,LOWER_UP.* mtu 1500 /);
  });

  it('weft network inspect bridge: its addresses are those that the container shows', async () => {
    const [network] = JSON.parse(await weft('network', 'inspect', 'bridge'));
    assert.deepEqual(
      [network.Name, network.Driver, network.Scope, network.IPAM.Config],
      ['bridge', 'bridge', 'local', [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }]],
    );
    const [container] = Object.values<Record<string, string>>(network.Containers);
    assert.deepEqual(
      [
        container?.['Name'],
        container?.['MacAddress'],
        container?.['IPv4Address'],
        container?.['IPv6Address'],
      ],
      ['drunk_noyce', '02:42:ac:11:00:02', '172.17.0.2/16', ''],
    );
    const shown = await inside(first, 'ip', 'addr', 'show', 'eth0');
    assert.match(shown, /link\/ether 02:42:ac:11:00:02 /);
    assert.match(shown, /inet 172\.17\.0\.2\/16 /);
  });

  it('the world sees it under the address of its host', async () => {
    const world = cluster.member(1).host;
    await world.exec('nft', ['add table ip seen']);
    await world.exec('nft', ['add chain ip seen input { type filter hook input priority 0; }']);
    const counter = `ip saddr ${host().place.ipv4} icmp type echo-request counter`;
    await world.exec('nft', [`add rule ip seen input ${counter}`]);
    assert.ok(await pings(first, world.place.ipv4));
    assert.match((await world.exec('nft', ['list chain ip seen input'])).stdout, /packets [1-9]/);
  });

  it('weft network create -d bridge bridgered: a network more', async () => {
    assert.match(await weft('network', 'create', '-d', 'bridge', 'bridgered'), /^[0-9a-f]{64}\n$/);
    assert.deepEqual(rows(await weft('network', 'ls')).sort(), [
      'bridge bridge',
      'bridgered bridge',
      'host host',
      'none null',
      'weft_gwbridge bridge',
    ]);
  });

  it('a container on it has 172.18.0.2/16, and does not reach the first one', async () => {
    second = await host().addSandbox('second');
    await weft('network', 'connect', 'bridgered', second);
    const shown = await inside(second, 'ip', 'addr', 'show', 'eth0');
    assert.match(shown, /link\/ether 02:42:ac:12:00:02 /);
    assert.match(shown, /inet 172\.18\.0\.2\/16 /);
    assert.equal(await pings(second, '172.17.0.2'), false);
    assert.equal(await pings(first, '172.18.0.2'), false);
    assert.ok(await pings(second, cluster.member(1).host.place.ipv4), 'but the world');
  });
});

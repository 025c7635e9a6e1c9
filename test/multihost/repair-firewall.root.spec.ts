/** The way out and in of bridge networks, taken apart by another hand: what it was is what it is again, and is told of. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { type Cluster, eventually, pings, startCluster } from './cluster.ts';

/** The bound that weft promises, a few times over: it tells an event from an audit, and measures nothing. */
const patienceMs = 5_000;

describe('What weft has in the namespace of its host, deleted or altered by hand', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let sandbox: string;
  let bridge: string;

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1', 'h2'] });
    const { host, api } = cluster.member(0);
    await host.weft(['network', 'create', '-d', 'bridge', '--subnet', 'fd00:9::/64', 'bridgered']);
    sandbox = await host.addSandbox('red');
    await host.weft(['network', 'connect', '-p', '8080:80', 'bridgered', sandbox]);
    const [endpoint] = (await api.call('listEndpoints')).items;
    bridge = `br-${endpoint?.network.slice(0, 12)}`;
  });

  after(() => cluster?.dispose());

  const outside = () => cluster.member(1).host.place;
  const onHost = async (line: readonly string[]) =>
    (await cluster.member(0).host.exec(line[0] ?? '', line.slice(1))).stdout;

  /** What the host's namespace has, without what changes by itself: numbers of links, counters and times. */
  async function snapshot(): Promise<string> {
    const texts: string[] = [await onHost(['nft', '-s', 'list', 'table', 'inet', 'weft'])];
    for (const words of ['-o link show', '-o addr show', 'route show', '-6 route show'])
      texts.push(await onHost(['ip', ...words.split(' ')]));
    texts.push(await onHost(['sysctl', 'net.ipv4.ip_forward', `net.ipv4.conf.${bridge}.route_localnet`]));
    return texts.map(normalised).join('\n--\n');
  }

  const acts: readonly {
    readonly what: string;
    readonly lines: () => readonly string[][];
    readonly text: RegExp;
  }[] = [
    { what: 'the ruleset flushed', lines: () => [['nft', 'flush ruleset']], text: /add table inet weft/ },
    {
      what: 'a member of a masquerade set deleted',
      lines: () => [['nft', `delete element inet weft masquerade4 { ${bridge} }`]],
      text: /masquerade4/,
    },
    {
      what: 'a masquerade set emptied',
      lines: () => [['nft', 'flush set inet weft masquerade6']],
      text: /masquerade6/,
    },
    {
      what: 'a published port deleted',
      lines: () => [['nft', 'delete element inet weft anywhere4 { tcp . 8080 }']],
      text: /anywhere4/,
    },
    {
      what: 'a rule added in front',
      lines: () => [['nft', 'insert rule inet weft forward drop']],
      text: /add table inet weft/,
    },
    {
      what: 'a bridge let in that is not open',
      lines: () => [['nft', `add element inet weft inward4 { ${bridge} }`]],
      text: /inward4/,
    },
    { what: 'the bridge deleted', lines: () => [['ip', 'link', 'del', bridge]], text: /type bridge/ },
    { what: 'the bridge set down', lines: () => [['ip', 'link', 'set', bridge, 'down']], text: /up$/m },
    {
      what: 'the gateway address deleted',
      lines: () => [['ip', 'address', 'del', '172.18.0.1/16', 'dev', bridge]],
      text: /172\.18\.0\.1/,
    },
  ];

  for (const { what, lines, text } of acts) {
    it(`is back at once: ${what}`, async () => {
      const { api } = cluster.member(0);
      const wanted = await snapshot();
      const before = (await api.call('doctor')).repairs.length;
      const { repairs } = (await api.call('status')).dataplane;
      for (const line of lines()) await onHost(line);
      await eventually(
        `everything is as it was after ${what}`,
        async () => (await snapshot()) === wanted,
        patienceMs,
      ).catch(async () => assert.equal(await snapshot(), wanted));
      // What was read is true before it is told, so the count follows.
      await eventually('it is counted', async () => (await api.call('status')).dataplane.repairs > repairs);
      const told = (await api.call('doctor')).repairs.slice(before);
      assert.ok(
        told.some((repair) => text.test(repair.text) && repair.noticed === 'event'),
        JSON.stringify(told),
      );
      await eventually('the world answers again', () => pings(sandbox, outside().ipv4));
    });
  }
});

function normalised(text: string): string {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/^\d+: /, '')
      .replaceAll(/@if\d+/g, '')
      .replaceAll(/ link-netns \S+/g, '')
      .replaceAll(/ (qlen|link-netnsid) \d+/g, ''),
  );
  // Addresses that the kernel gives itself come when they come.
  return lines
    .filter((line) => !/ fe80::\S{5,}/.test(line))
    .sort()
    .join('\n');
}

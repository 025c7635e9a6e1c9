/**
 * Bad input about the outside world, through the command line: each is refused by one line, to the letter, and nothing of it
 * is left in the log, on the host or in a sandbox.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { run } from '../../lab/command.ts';
import { type Answering, startAnswering } from './answering.ts';
import { type Cluster, startCluster } from './cluster.ts';

const bridgeName = 'com.docker.network.bridge.name';
const nameRule = "1 to 15 letters, digits, '_', '.' or '-', beginning with a letter";
const toCreate = "Cannot create network 'bad': ";
const toLan = "Cannot attach 'SPARE' to network 'lan': ";
const create = ['network', 'create', '-d'];

describe('What weft refuses of the outside world', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let spare: string;
  let web: string;
  let listener: Answering | undefined;
  let untouched: readonly string[];

  before(async function () {
    cluster = await startCluster(this, { hosts: ['h1'] });
    await host().weft([...create, 'bridge', '--subnet', '172.30.0.0/16', 'lan']);
    await host().weft([...create, 'macvlan', '--subnet', '10.60.0.0/24', '-o', 'parent=eth0', 'wan']);
    await host().weft([...create, 'bridge', '-o', `${bridgeName}=taken0`, 'foreign']);
    await host().weft([...create, 'macvlan', '--subnet', '10.61.0.0/24', '-o', 'parent=wan7', 'lost']);
    await host().exec('ip', ['link', 'add', 'taken0', 'type', 'veth', 'peer', 'name', 'peer0']);
    web = await host().addSandbox('web');
    await host().weft(['network', 'connect', '--name', 'web', '-p', '8080:80', 'lan', web]);
    spare = await host().addSandbox('spare');
    listener = await startAnswering(host().place.netns, 'listener', 8090);
    untouched = await everything();
  });

  after(async () => {
    await listener?.stop();
    cluster?.dispose();
  });

  const host = () => cluster.member(0).host;
  /** All that a refusal could have left behind. */
  const everything = async () => [
    (await host().weft(['network', 'ls', '--format', 'json'])).stdout,
    (await host().weft(['endpoint', 'ls', '--format', 'json'])).stdout,
    (await host().exec('nft', ['-s', 'list', 'ruleset'])).stdout,
    (await host().exec('ip', ['-o', 'link'])).stdout.replaceAll(/^\d+: /gm, ''),
    (await run('ip', ['-n', spare, '-o', 'link'])).stdout,
  ];
  const connect = (...words: string[]) => ['network', 'connect', ...words];

  const normalised = (text: string): string =>
    text
      .replaceAll(spare, 'SPARE')
      .replaceAll(web, 'WEB')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
      .replaceAll(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC')
      .replaceAll(/\(\d+\)/g, '(PID)');

  /** What is asked for, the words of the command, and the line that comes of it, without what differs from run to run. */
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    [
      'a port out of range',
      connect('-p', '70000:80', 'lan', 'SPARE'),
      `${toLan}'70000:80' cannot be published: port 70000 is not from 1 to 65535; choose another (bad-port)`,
    ],
    [
      'a port of the endpoint out of range',
      connect('-p', '80:0', 'lan', 'SPARE'),
      `${toLan}'80:0' cannot be published: port 0 is not from 1 to 65535; choose another (bad-port)`,
    ],
    [
      'ranges that do not match',
      connect('-p', '8000-8010:80-85', 'lan', 'SPARE'),
      `${toLan}'8000-8010:80-85' cannot be published: 11 ports of the host are to lead to 6 of the endpoint; make both ranges as long (bad-port)`,
    ],
    [
      'a port that weft has given',
      connect('-p', '8080:80', 'lan', 'SPARE'),
      `${toLan}port 8080/tcp of host 'h1' is taken: endpoint 'web' of sandbox 'WEB' on network 'lan' publishes it; choose another port, or leave it to weft (port-taken)`,
    ],
    [
      'a port at which a process listens',
      connect('-p', '8090:80', 'lan', 'SPARE'),
      `${toLan}port 8090/tcp of host 'h1' is taken: process 'node (PID)' listens at 0.0.0.0:8090; choose another port, or leave it to weft (port-taken)`,
    ],
    [
      'a parent that is not there',
      connect('lost', 'SPARE'),
      `Cannot attach 'SPARE': The kernel refused 'ip link add link wan7 name eth0 address MAC netns SPARE type macvlan mode bridge && ip -n SPARE link set dev eth0 alias weft:endpoint:ID up': ENODEV: No such device (no link wan7 in host to be the parent of eth0); nothing was kept (attach-failed)`,
    ],
    [
      'loopback as a parent',
      [...create, 'macvlan', '-o', 'parent=lo', 'bad'],
      `${toCreate}option parent is 'lo' and must be another link than loopback, which is not a valid parent (bad-option)`,
    ],
    [
      'a mode that macvlan has not',
      [...create, 'macvlan', '-o', 'macvlan_mode=bridged', 'bad'],
      `${toCreate}option macvlan_mode is 'bridged' and must be one of bridge, private, vepa, passthru (bad-option)`,
    ],
    [
      'a second network on a parent',
      [...create, 'macvlan', '-o', 'parent=eth0', 'bad'],
      `${toCreate}network 'wan' is already using parent interface 'eth0'; connect to that, or choose another parent (parent-taken)`,
    ],
    [
      'a name of a bridge that is too long',
      [...create, 'bridge', '-o', `${bridgeName}=a123456789012345`, 'bad'],
      `${toCreate}option ${bridgeName} is 'a123456789012345' and must be ${nameRule} (bad-option)`,
    ],
    [
      'a bridge whose name a foreign link has',
      connect('foreign', 'SPARE'),
      `Cannot attach 'SPARE': The kernel refused 'ip link add name taken0 mtu 1500 address MAC type bridge && ip link set dev taken0 alias weft:network:ID up': EEXIST: File exists (taken0 in host is there already and is no bridge but veth); nothing was kept (attach-failed)`,
    ],
    [
      'the removal of a predefined network',
      ['network', 'rm', 'bridge'],
      `Cannot remove network 'bridge': it is a pre-defined network and cannot be removed; remove others (predefined-network)`,
    ],
    [
      'an MTU out of range',
      [...create, 'bridge', '-o', 'com.docker.network.driver.mtu=67', 'bad'],
      `${toCreate}option com.docker.network.driver.mtu is '67' and must be from 68 to 65535 (bad-option)`,
    ],
    [
      'an option that nobody knows',
      [...create, 'bridge', '-o', 'com.docker.network.bridge.enable_ic=true', 'bad'],
      `${toCreate}driver bridge knows no option 'com.docker.network.bridge.enable_ic'; did you mean com.docker.network.bridge.enable_icc? (unknown-option)`,
    ],
    [
      'a label without a key',
      [...create, 'bridge', '--label', '=x', 'bad'],
      '--label needs a key: write --label key=value (usage)',
    ],
    [
      'a name of a bridge that ends a rule',
      [...create, 'bridge', '-o', `${bridgeName}=a" } ; flush`, 'bad'],
      `${toCreate}option ${bridgeName} is 'a" } ; flush' and must be ${nameRule} (bad-option)`,
    ],
    [
      'a name that ends a line',
      connect('--name', 'web\n127.0.0.1 evil', 'lan', 'SPARE'),
      'Malformed request: body.name: has characters that cannot be shown (malformed)',
    ],
    [
      'an alias with a blank in it',
      connect('--alias', 'a b', 'lan', 'SPARE'),
      `${toLan}'a b' is no name for an endpoint: use 1 to 63 letters, digits, '_', '.' or '-', beginning with a letter or digit (bad-name)`,
    ],
    [
      'a name of an interface that is a path',
      connect('--ifname', '../x', 'lan', 'SPARE'),
      `${toLan}'../x' is no interface name; use ${nameRule} (bad-name)`,
    ],
    [
      'a port that ends a rule',
      connect('-p', '80:80/tcp }; flush ruleset', 'lan', 'SPARE'),
      `${toLan}'80:80/tcp }; flush ruleset' cannot be published: 'tcp }; flush ruleset' is no protocol with ports; choose tcp, udp or sctp (bad-port)`,
    ],
    [
      'a parent that is a path',
      [...create, 'macvlan', '-o', 'parent=../eth0', 'bad'],
      `${toCreate}option parent is '../eth0' and must be the name of a link, such as eth0 or eth0.50, of 15 characters at most (bad-option)`,
    ],
  ];

  for (const [what, words, line] of cases) {
    it(what, async () => {
      const args = words.map((word) => (word === 'SPARE' ? spare : word));
      const { code, stdout, stderr } = await host().weft(args, { allowFailure: true });
      assert.equal(normalised(stderr), `weft: ${line}\n`);
      assert.deepEqual([code, stdout], [line.endsWith('(usage)') ? 2 : 1, '']);
      assert.deepEqual(await everything(), untouched, 'nothing of it is left');
    });
  }
});

/** `bin/weft` as users run it, against a daemon's API over a fake control. What it prints is compared to the letter. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { parse } from 'yaml';
import { WeftError } from '../core/errors.ts';
import type { Prefix } from '../core/model/address.ts';
import { ApiFixture } from '../test/support/api-fixture.ts';
import { type Result, runWeft } from '../test/support/run-weft.ts';

/** Of `bridge`, `host` and `none`, as `network ls -q` shows them. */
const predefinedIds = '5db88fb1e4b5\n7bcfca90423c\n1cfc0029afee\n';
/** The last in the order of the names. */
const gatewayId = '1f824d973615\n';

describe('the command line', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await ApiFixture.start();
  });

  afterEach(() => api.stop());

  const weft = (...args: string[]): Promise<Result> => runWeft(args, { WEFT_SOCKET: api.socket });
  /** Runs a command that must succeed in silence on standard error. */
  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await weft(...args);
    assert.deepEqual({ code, err }, { code: 0, err: '' }, args.join(' '));
    return out;
  };
  const createRed = (): Promise<string> => ok('network', 'create', '--subnet', '10.0.1.0/24', 'overlayred');

  it('walks through the seed', async () => {
    const id = (await createRed()).trimEnd();
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(
      await ok('network', 'ls'),
      'NETWORK ID     NAME            DRIVER    SCOPE\n' +
        '5db88fb1e4b5   bridge          bridge    local\n' +
        '7bcfca90423c   host            host      local\n' +
        '1cfc0029afee   none            null      local\n' +
        `${id.slice(0, 12)}   overlayred      overlay   global\n` +
        '1f824d973615   weft_gwbridge   bridge    local\n',
    );
    assert.equal(
      await ok('network', 'connect', '--name', 'web', '--alias', 'www', 'overlayred', 'c1'),
      '10.0.1.2/24 02:42:0a:00:01:02 eth0 web,web.overlayred,www,www.overlayred\n',
    );
    const [endpoint] = (await api.client.call('listEndpoints')).items;
    assert.equal(
      await ok('network', 'inspect', 'overlayred'),
      `[
    {
        "Name": "overlayred",
        "Id": "${id}",
        "Created": "2015-11-23T12:00:01.000Z",
        "Scope": "global",
        "Driver": "overlay",
        "EnableIPv6": false,
        "IPAM": {
            "Driver": "default",
            "Config": [
                {
                    "Subnet": "10.0.1.0/24",
                    "Gateway": "10.0.1.1"
                }
            ]
        },
        "Internal": false,
        "Containers": {
            "${endpoint?.id}": {
                "Name": "web",
                "EndpointID": "${endpoint?.id}",
                "MacAddress": "02:42:0a:00:01:02",
                "IPv4Address": "10.0.1.2/24",
                "IPv6Address": "",
                "Host": "h1",
                "Sandbox": "c1"
            }
        },
        "Options": {},
        "Labels": {},
        "VNI": 256,
        "AddressSpace": "default"
    }
]
`,
    );
    assert.equal(
      await ok('endpoint', 'ls'),
      'ENDPOINT ID    NAME   NETWORK      HOST   SANDBOX   INTERFACE   MAC                 ADDRESSES     PORTS\n' +
        `${endpoint?.id.slice(0, 12)}   web    overlayred   h1     c1        eth0        02:42:0a:00:01:02   10.0.1.2/24   -\n`,
    );
    assert.equal(await ok('network', 'disconnect', 'overlayred', 'c1'), '');
    assert.equal(await ok('network', 'rm', 'overlayred'), 'overlayred\n');
    assert.equal(await ok('network', 'ls', '-q'), predefinedIds + gatewayId);
  });

  it('prints ids alone with -q, whole ones with --no-trunc', async () => {
    const id = (await createRed()).trimEnd();
    assert.equal(await ok('network', 'ls', '-q'), `${predefinedIds}${id.slice(0, 12)}\n${gatewayId}`);
    assert.ok((await ok('network', 'ls', '-q', '--no-trunc')).includes(`\n${id}\n`));
    const endpoint = (await ok('network', 'connect', '-q', 'overlayred', 'c1')).trimEnd();
    assert.match(endpoint, /^[0-9a-f]{64}$/);
    assert.equal(await ok('endpoint', 'ls', '-q', '--no-trunc', '--network', 'overlayred'), `${endpoint}\n`);
    assert.equal(await ok('endpoint', 'rm', endpoint), `${endpoint}\n`);
    assert.equal(await ok('host', 'ls', '-q'), 'h1\n');
  });

  it('passes on all that a network may have', async () => {
    const id = await ok(
      ...['network', 'create', '--driver=overlay', '--ipv6', '--internal', '--address-space', 'tenant'],
      ...['--subnet=10.1.0.0/16', '--subnet', '10.2.0.0/16', '--subnet', 'fd00:1::/64'],
      ...[
        '--gateway',
        '10.2.0.9',
        '--gateway',
        'fd00:1::9',
        '--gateway',
        '10.1.0.1',
        '--ip-range',
        '10.1.8.0/24',
      ],
      ...['--aux-address', 'router=10.2.0.5', '--aux-address', 'nas=10.1.0.5'],
      ...['-o', 'com.docker.network.driver.mtu=1400', '--label', 'a=b=c', '--label', 'flag', 'wide'],
    );
    const wide = await api.client.call('inspectNetwork', { params: { ref: id.trimEnd() } });
    assert.deepEqual(wide.subnets, [
      {
        prefix: '10.1.0.0/16',
        gateway: '10.1.0.1',
        range: '10.1.8.0/24',
        aux: [{ name: 'nas', address: '10.1.0.5' }],
      },
      { prefix: '10.2.0.0/16', gateway: '10.2.0.9', aux: [{ name: 'router', address: '10.2.0.5' }] },
      { prefix: 'fd00:1::/64', gateway: 'fd00:1::9', aux: [] },
    ]);
    assert.deepEqual([wide.ipv6, wide.internal, wide.space], [true, true, 'tenant']);
    assert.deepEqual(wide.options, { 'com.docker.network.driver.mtu': '1400' });
    assert.deepEqual(wide.labels, { a: 'b=c', flag: '' });
    const shown = JSON.parse(await ok('network', 'inspect', 'wide'))[0];
    assert.deepEqual(shown.IPAM.Config[0], {
      Subnet: '10.1.0.0/16',
      IPRange: '10.1.8.0/24',
      Gateway: '10.1.0.1',
      AuxiliaryAddresses: { nas: '10.1.0.5' },
    });
  });

  it('passes on all that an endpoint may have', async () => {
    await ok('network', 'create', '--ipv6', '--subnet', '10.0.1.0/24', '--subnet', 'fd00:1::/64', 'red');
    const line = await ok(
      ...['network', 'connect', '--name', 'db', '--alias', 'a1', '--alias', 'a2', '--ip', '10.0.1.77'],
      ...[
        '--ip6',
        'fd00:1::77',
        '--mac-address',
        '02:00:00:00:00:77',
        '--ifname',
        'net7',
        'red',
        '/run/netns/c7',
      ],
    );
    assert.equal(line, '10.0.1.77/24,fd00:1::77/64 02:00:00:00:00:77 net7 db,db.red,a1,a1.red,a2,a2.red\n');
    const json = JSON.parse(await ok('endpoint', 'inspect', 'red/db'));
    assert.equal(json[0].sandbox.ref, '/run/netns/c7');
  });

  it('keeps the fields of connect in their places where there is nothing to say', async () => {
    assert.equal(await ok('network', 'connect', 'none', 'c1'), '- - - -\n');
  });

  it('prints JSON and YAML of anything', async () => {
    await createRed();
    const commands = [['network', 'ls'], ['endpoint', 'ls'], ['host', 'ls'], ['status'], ['log'], ['doctor']];
    for (const command of commands) {
      const json = JSON.parse(await ok('--format', 'json', ...command));
      assert.deepEqual(parse(await ok(...command, '--format', 'yaml')), json, command.join(' '));
    }
    assert.equal(JSON.parse(await ok('network', 'ls', '--format=json'))[3].name, 'overlayred');
    assert.match(
      await ok('network', 'inspect', 'overlayred', '--format', 'yaml'),
      /^- Name: overlayred\n {2}Id: /,
    );
    assert.equal(
      JSON.parse(await ok('--format', 'json', 'network', 'connect', 'overlayred', 'c1')).ifname,
      'eth0',
    );
  });

  it('shows hosts', async () => {
    api.control.join('h2', '192.168.2.200');
    assert.equal(
      await ok('host', 'ls'),
      'HOST   ADDRESS         STATE   SEEN    ORDINAL   MTU    EPOCH   ENDPOINTS   VERSION\n' +
        'h1 *   192.168.2.15    up      never             1500   1       0           0.1.0\n' +
        'h2     192.168.2.200   up      never             1500   1       0           0.1.0\n',
    );
    const account = {
      address: '192.168.2.200',
      version: '0.1.0',
      phase: 'running' as const,
      ordinal: 2,
      marks: [],
    };
    api.control.sights.set('h2', { seenAgoMs: 41_000, isSilent: true, account, daemons: 1 });
    assert.match(await ok('host', 'ls'), /^h2 +192\.168\.2\.200 +silent +41 s ago +2 +1500 /m);
    api.control.takeDown('h2');
    assert.match(await ok('host', 'ls'), /^h2 +192\.168\.2\.200 +down +41 s ago /m);
    assert.match(await ok('status'), /^Hosts: +2, of them down: h2$/m);
    const { code, out } = await weft('doctor');
    assert.equal(code, 1);
    assert.match(out, /^Host h2 is down, last seen 41 s ago\.$/m);
    const [inspected] = JSON.parse(await ok('host', 'inspect', 'h2'));
    assert.deepEqual(
      [inspected.address, inspected.state, inspected.seenAgoMs],
      ['192.168.2.200', 'down', 41_000],
    );
    assert.equal(await ok('host', 'rm', 'h2'), 'h2\n');
  });

  it('writes a log back, over one that is named, and from a host that is behind, only as it is told', async () => {
    const discard = 'd'.repeat(32);
    const done = /: log [0-9a-f]{32} goes on from record \d+ of log [0-9a-f]{32}, written by host h1\n$/;
    assert.match(await ok('store', 'reseed'), done);
    assert.match(await ok('store', 'reseed', '--force', '--discard-log', discard), done);
    assert.deepEqual(api.control.reseedRequests, [{ force: false }, { force: true, discard }]);
    const { code, err } = await weft('store', 'reseed', '--discard-log', 'everything');
    assert.equal(code, 2);
    assert.match(err, /\(usage\)\n$/);
    assert.equal(api.control.reseedRequests.length, 2);
  });

  it('shows hosts that need attention though they are up', async () => {
    api.control.join('h2', '192.168.2.200');
    const account = {
      address: '192.168.2.200',
      version: '0.1.0',
      phase: 'halted' as const,
      ordinal: 2,
      marks: [],
    };
    api.control.sights.set('h2', { isSilent: false, account, daemons: 2, partedAt: 7 });
    const { code, out: report } = await weft('doctor');
    assert.equal(code, 1);
    assert.match(report, /^Host h2 is not at work: halted\.$/m);
    assert.match(report, /^Host h2 is run by 2 daemons at once: stop all but one\.$/m);
    assert.match(report, /^Host h2 has other hashes at record 7: make a bundle on both\.$/m);
  });

  it('shows the status', async () => {
    const { recordHash, stateHash } = api.control.state;
    assert.equal(
      await ok('status'),
      `Host:        h1 at 192.168.2.15, epoch 1
Version:     0.1.0
Phase:       running
Store:       memory:: reachable
Log:         ${'b'.repeat(32)}
Ordinal:     1, at the end of the log
Record hash: ${recordHash}
State hash:  ${stateHash}
Hosts:       1
Networks:    4
Endpoints:   0
Kernel:      12 objects, 0 pending, audited 1 min ago
Writes:      34 since the daemon started, of drift repaired: 5
`,
    );
    api.control.health = { reachable: false, reason: 'connection refused' };
    const lost = await ok('status');
    assert.match(lost, /^Store: {7}memory:: unreachable \(connection refused\)$/m);
    assert.match(lost, /^Ordinal: {5}1, behind the end of the log; was at the end 1 s ago$/m);
  });

  it('shows the newest snapshot that is known in the status', async () => {
    await api.control.makeSnapshot(new AbortController().signal);
    await createRed();
    assert.match(await ok('status'), /^Snapshot: {4}of ordinal 1, 1 record behind it$/m);
  });

  it('shows what is in the store, and makes a snapshot', async () => {
    const made = await ok('store', 'snapshot');
    const id = /^Snapshot of ordinal 1: 1 chunk, [\d.]+ KiB, id ([0-9a-f]{32})\n$/.exec(made)?.[1] ?? made;
    await createRed();
    await ok('network', 'create', 'blue');
    const later = JSON.parse(await ok('--format', 'json', 'store', 'snapshot')) as {
      id: string;
      bytes: number;
    };
    await ok('network', 'create', 'green');
    api.control.badSnapshots = [{ id: 'f'.repeat(32) as never, ordinal: 0, records: 4, fault: 'it is odd' }];
    const bytes = api.control.made[0]?.bytes ?? 0;
    const [first, second] = [id, later.id].map((each) => each.slice(-12));
    assert.equal(
      await ok('store', 'status'),
      `Store:     memory:: reachable
Log:       ${'b'.repeat(32)}
Ordinal:   4, at the end of the log
Snapshots: 2 in the store, 1 that cannot be used
Newest:    of ordinal 3, 1 record in 1 entry behind it
Oldest:    of ordinal 1, 3 records in 3 entries behind it
Next:      at ordinal 2051, in 2047 records: turn of host h1, which this is

SNAPSHOT       ORDINAL   BEHIND   HOST   WHEN                       SIZE      USABLE
${second}   3         1        h1     2015-11-23T12:00:00.000Z   ${(later.bytes / 1_024).toFixed(1)} KiB   yes
${first}   1         3        h1     2015-11-23T12:00:00.000Z   ${(bytes / 1_024).toFixed(1)} KiB   yes
ffffffffffff   0         4        -      -                          -         it is odd
`,
    );
    assert.equal(api.control.checked, false);
    const document = JSON.parse(await ok('--format', 'json', 'store', 'status', '--check')) as {
      newest: number;
    };
    assert.deepEqual([document.newest, api.control.checked], [3, true]);
    assert.match(await ok('--format', 'yaml', 'store', 'status'), /^newest: 3$/m);
  });

  it('shows what is known of the store when it is down', async () => {
    await ok('store', 'snapshot');
    api.control.health = { reachable: false, reason: 'connection refused' };
    const text = await ok('store', 'status');
    assert.match(text, /^Store: {5}memory:: unreachable \(connection refused\)$/m);
    assert.match(
      text,
      /^Snapshots: not known \(it is silent\); the newest that this host knows is of ordinal 1$/m,
    );
    assert.doesNotMatch(text, /SNAPSHOT/);
  });

  it('says on one line why no snapshot was made', async () => {
    for (const code of ['not-ready', 'store-unreachable', 'bad-snapshot'] as const) {
      api.control.before = async () => {
        throw new WeftError(code, 'Cannot make a snapshot: so it is');
      };
      assert.deepEqual(await weft('store', 'snapshot'), {
        code: 1,
        out: '',
        err: `weft: Cannot make a snapshot: so it is (${code})\n`,
      });
    }
  });

  it('says which records the log of a host lacks that went on from a snapshot', async () => {
    for (const name of ['red', 'blue', 'green', 'grey']) await ok('network', 'create', name);
    const gaps = async (...args: string[]) => {
      const { code, err } = await weft('log', ...args);
      assert.equal(code, 0);
      return err.replaceAll(
        / not known on this host: it came later, or its archive does not have (it|them)/g,
        '',
      );
    };
    assert.equal(await gaps(), '');
    api.control.forget(3, 4);
    assert.equal(await gaps(), 'weft: records 3 to 4 are\n');
    assert.equal(await gaps('-n', '1'), '');
    assert.equal(await gaps('-n', '2'), 'weft: records 3 to 4 are\n');
    assert.equal(await gaps('--after', '3'), 'weft: record 4 is\n');
    assert.equal(await gaps('--all'), 'weft: records 3 to 4 are\n');
    api.control.forget(1, 2);
    assert.equal(await gaps(), 'weft: records 1 to 4 are\n');
    api.control.forget(5, 5);
    assert.equal(await gaps(), 'weft: records 1 to 5 are\n');
    assert.equal(await gaps('--after', '5'), '');
  });

  it('shows the log', async () => {
    await createRed();
    await ok('network', 'connect', '--name', 'web', 'overlayred', 'c1');
    await weft('network', 'rm', 'overlayred');
    const [network] = (await api.client.call('listNetworks')).items;
    const [endpoint] = (await api.client.call('listEndpoints')).items;
    const short = network?.id.slice(0, 12);
    const rows = (await ok('log')).split('\n').map((line) => line.split(/ {3,}/));
    const refusal = (await api.control.history({ limit: 1 }))[0]?.outcome;
    assert.ok(refusal?.accepted === false);
    assert.deepEqual(rows, [
      ['ORDINAL', 'WHEN', 'HOST', 'WHO', 'WHAT', 'OUTCOME'],
      ['1', '2015-11-23T12:00:00.000Z', 'h1', 'weft', 'host-join 192.168.2.15 0.1.0', 'host h1'],
      [
        '2',
        '2015-11-23T12:00:01.000Z',
        'h1',
        'uid:1000',
        'network-create overlayred overlay 10.0.1.0/24',
        `network ${short}`,
      ],
      [
        '3',
        '2015-11-23T12:00:02.000Z',
        'h1',
        'uid:1000',
        `endpoint-create web c1 on ${short}`,
        `endpoint ${endpoint?.id.slice(0, 12)} ${endpoint?.addresses[0]}`,
      ],
      [
        '4',
        '2015-11-23T12:00:03.000Z',
        'h1',
        'uid:1000',
        `network-remove ${short}`,
        `network-in-use: ${refusal.message}`,
      ],
      [''],
    ]);
    const ordinals = async (...args: string[]) =>
      JSON.parse(await ok('--format', 'json', 'log', ...args)).map(
        (item: { ordinal: number }) => item.ordinal,
      );
    assert.deepEqual(await ordinals('-n', '2'), [3, 4]);
    assert.deepEqual(await ordinals('--after', '3'), [4]);
    assert.deepEqual(await ordinals('--after', '1', '-n', '2'), [3, 4]);
    assert.deepEqual(await ordinals('--all'), [1, 2, 3, 4]);
    assert.deepEqual(await ordinals('--all', '--after', '4'), []);
    assert.deepEqual(await ordinals('--since', '2015-11-23T12:00:02Z'), [3, 4]);
    assert.deepEqual(await ordinals('--since', '1s'), []);
    assert.equal(await ok('log', '--all'), await ok('log'));
    assert.equal(await ok('--format', 'json', 'log', '--all'), await ok('--format', 'json', 'log'));
    assert.equal(await ok('--format', 'yaml', 'log', '--all'), await ok('--format', 'yaml', 'log'));
  });

  it('shows what is wrong, with exit status 1', async () => {
    const archive = 'The archive has no record.\n\n';
    assert.equal(await ok('doctor'), `No kernel object fails.\n\n${archive}No drift was repaired.\n`);
    const object = { kind: 'netns' as const, ns: 'net:weft-1' as never };
    api.control.doctorReport = {
      ...api.control.doctorReport,
      repairs: [
        { at: 1_448_280_000_000, object, found: 'missing', text: 'ip netns add weft-1', noticed: 'event' },
      ],
      failing: [{ object, text: 'ip netns add weft-1', reason: 'EPERM: not permitted', attempts: 3 }],
    };
    api.control.health = { reachable: false, reason: 'refused' };
    assert.deepEqual(await weft('doctor'), {
      code: 1,
      out:
        'The store is not reachable (refused).\n\n' +
        'NAMESPACE    ATTEMPTS   FAILING OBJECT        REASON\n' +
        'net:weft-1   3          ip netns add weft-1   EPERM: not permitted\n\n' +
        archive +
        'WHEN                       NAMESPACE    FOUND     NOTICED BY   REPAIRED OBJECT\n' +
        '2015-11-23T12:00:00.000Z   net:weft-1   missing   event        ip netns add weft-1\n',
      err: '',
    });
  });

  it('shows chains of other firewalls that may drop what is forwarded, which only their owners can judge', async () => {
    const chain = { family: 'ip', table: 'filter', chain: 'FORWARD', by: 'policy', accepts: false } as const;
    const last = { family: 'inet', table: 'x', chain: 'y', by: 'rule', accepts: true } as const;
    const far = { ...chain, by: 'rule', via: 'DOCKER-USER' } as const;
    api.control.doctorReport = { ...api.control.doctorReport, droppingChains: [chain, last, far] };
    const { code, out } = await weft('doctor');
    assert.equal(code, 0);
    assert.deepEqual(out.split('\n\n')[1]?.split('\n'), [
      'Chain FORWARD of table ip filter drops by its policy what is forwarded and none of its rules accepts: ' +
        'let it accept what comes from and goes to the bridges of weft, or run `weft daemon` with ' +
        '--accept-in-foreign-chains.',
      'Chain y of table inet x drops by a rule for all what is forwarded and none of its rules accepts; ' +
        "weft's rule in it accepts what weft lets pass.",
      'Chain FORWARD of table ip filter drops by a rule for all, in chain DOCKER-USER that it leads to, what is forwarded ' +
        'and none of its rules accepts: let it accept what comes from and goes to the bridges of weft.',
    ]);
    api.control.doctorReport = { ...api.control.doctorReport, firewallsFault: 'EPERM' };
    assert.match(await ok('doctor'), /^Other firewalls could not be looked at: EPERM\.$/m);
  });

  it('connects with options of the endpoint and link-local addresses, and shows them', async () => {
    await createRed();
    const sysctls = 'com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1';
    const options = ['--driver-opt', sysctls, '--link-local-ip', '169.254.8.8'];
    await ok('network', 'connect', '--name', 'web', ...options, 'overlayred', 'c1');
    const [endpoint] = JSON.parse(await ok('endpoint', 'inspect', 'web'));
    assert.deepEqual(endpoint.linkLocal, ['169.254.8.8/16']);
    assert.deepEqual(endpoint.sysctls, [{ name: 'net/ipv4/conf/eth0/log_martians', value: '1' }]);
    const { code, err } = await weft('network', 'connect', '--driver-opt', 'x', 'overlayred', 'c2');
    assert.equal(code, 1);
    assert.match(err, /knows no option 'x'; did you mean .*\(unknown-option\)/);
  });

  it('shows what ails the archive, with exit status 1', async () => {
    const spans = [
      { first: 3, last: 7 },
      { first: 10, last: 12 },
    ];
    const archive = { spans, bytes: 2_048, damage: ['x is damaged'], waiting: 1, lost: 2, fault: 'no room' };
    api.control.doctorReport = { ...api.control.doctorReport, archive };
    const { code, out } = await weft('doctor');
    assert.equal(code, 1);
    assert.deepEqual(out.split('\n\n')[1]?.split('\n'), [
      'The archive has records 3 to 12, 2.0 KiB.',
      'It lacks 8 to 9.',
      '2 records could not be archived since the daemon started.',
      'It cannot be written: no room; 1 record wait.',
      'x is damaged.',
    ]);
  });

  it('says how old a list is when the store is not reachable', async () => {
    api.control.health = { reachable: false };
    const { code, out, err } = await weft('network', 'ls', '-q');
    assert.deepEqual([code, out], [0, predefinedIds + gatewayId]);
    assert.equal(
      err,
      "weft: the store is not reachable: this is the state at ordinal 1; 'weft status' says more\n",
    );
  });

  it('goes on after a failure among several, and exits with 1', async () => {
    await createRed();
    const removed = await weft('network', 'rm', 'nothing', 'overlayred', 'neither');
    assert.deepEqual(removed, {
      code: 1,
      out: 'overlayred\n',
      err: "weft: No network is named 'nothing' (no-such-network)\nweft: No network is named 'neither' (no-such-network)\n",
    });
    const shown = await weft('host', 'inspect', 'h1', 'h9');
    assert.equal(shown.code, 1);
    assert.deepEqual(
      JSON.parse(shown.out).map(({ name }: { name: string }) => name),
      ['h1'],
    );
    assert.match(shown.err, /^weft: No host is named 'h9'.*\(no-such-host\)\n$/);
  });

  it('says what the daemon refuses on one line, with its code and exit status 1', async () => {
    await createRed();
    const { code, out, err } = await weft('network', 'create', 'overlayred');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^weft: [^\n]+ \(name-taken\)\n$/);
    api.control.before = () => Promise.reject(new WeftError('store-unreachable', 'two\nlines \u001b[2J'));
    assert.equal(
      (await weft('network', 'create', 'x')).err,
      'weft: two\\u000alines \\u001b[2J (store-unreachable)\n',
    );
  });

  it('lists the networks and endpoints that filters ask for', async () => {
    await createRed();
    await ok('network', 'create', '-d', 'macvlan', '-o', 'parent=eth1', '--label', 'team=a', 'lan');
    await ok('network', 'connect', '--name', 'web', 'lan', 'c1');
    await ok('network', 'connect', '--name', 'db', 'overlayred', 'c1');
    const names = async (...filters: string[]): Promise<string> => {
      const words = filters.flatMap((filter) => ['--filter', filter]);
      const list = JSON.parse(await ok('--format', 'json', 'network', 'ls', ...words)) as { name: string }[];
      return list.map(({ name }) => name).join(' ');
    };
    assert.equal(await names('driver=macvlan'), 'lan');
    assert.equal(await names('driver=macvlan', 'driver=null'), 'lan none');
    assert.equal(await names('label=team=a'), 'lan');
    assert.equal(await names('label=team=b'), '');
    assert.equal(await names('name=lay'), 'overlayred');
    assert.equal(await names('id=7bcfca90'), 'host');
    assert.equal(await names('scope=local'), 'bridge host none weft_gwbridge');
    assert.equal(await names('type=custom'), 'lan overlayred');
    assert.equal(await names('type=builtin', 'driver=host'), 'host');
    assert.equal(await names('dangling=true'), '');
    await ok('network', 'disconnect', 'lan', 'web');
    assert.equal(await names('dangling=true'), 'lan');
    assert.equal(await names('dangling=false'), 'bridge host none overlayred weft_gwbridge');
    await ok('network', 'connect', '--name', 'web', 'lan', 'c1');
    const count = async (filter: string): Promise<number> =>
      (await ok('endpoint', 'ls', '-q', '--filter', filter)).split('\n').length - 1;
    for (const filter of ['name=web', 'network=lan', 'driver=macvlan', 'label=team', 'name=db'])
      assert.equal(await count(filter), 1, filter);
    for (const filter of ['host=h1', 'sandbox=c1']) assert.equal(await count(filter), 2, filter);
    assert.equal(await count('host=h2'), 0);
  });

  it('plans the same by --dry-run, each of several changes, and nothing that cannot be foreseen', async () => {
    await createRed();
    await ok('network', 'create', '--subnet', '10.0.2.0/24', 'overlayblue');
    const before = (await api.client.call('status')).ordinal;
    const changes = [
      ['network', 'create', 'green'],
      ['network', 'rm', 'overlayred', 'overlayblue'],
      ['network', 'connect', 'overlayred', 'c1'],
      ['network', 'prune'],
    ];
    for (const words of changes) {
      const planned = await ok('plan', ...words);
      assert.match(planned, /would be accepted/, words.join(' '));
      assert.equal(await ok(...words, '--dry-run'), planned);
    }
    assert.equal((await ok('network', 'prune', '--dry-run')).match(/would be accepted/g)?.length, 2);
    for (const words of [['store', 'snapshot'], ['store', 'reseed'], ['daemon']]) {
      const { code, err } = await weft('plan', ...words);
      assert.equal(code, 2, words.join(' '));
      assert.match(err, /cannot be planned \(usage\)/);
    }
    assert.equal((await api.client.call('status')).ordinal, before);
  });

  it('plans a change and makes none', async () => {
    await createRed();
    const { ordinal } = api.control.state;
    const text = await ok('plan', 'network', 'create', 'blue');
    assert.match(
      text,
      /^# Record 3 would be accepted: network [0-9a-f]{12}\n# Nothing was changed\. Ids, .* provisional\.\n\n# On h1: nothing\n$/,
    );
    const json = JSON.parse(await ok('--format', 'json', 'plan', 'network', 'rm', 'overlayred'));
    assert.deepEqual(
      [json.ordinal, json.subject.type, json.hosts],
      [3, 'network', [{ host: 'h1', commands: [] }]],
    );
    const refused = await weft('plan', 'network', 'create', 'overlayred');
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.err, /\(name-taken\)\n$/);
    const idle = await weft('plan', 'network', 'ls', '-q');
    assert.match(idle.err, /this command changes nothing/);
    assert.equal(api.control.state.ordinal, ordinal);
  });

  it('warns of a subnet that the host has a route to, and prints the id all the same', async () => {
    api.control.overlaps = [{ subnet: '10.0.1.0/24' as Prefix, route: '10.0.0.0/8' as Prefix }];
    const { code, out, err } = await weft('network', 'create', '--subnet', '10.0.1.0/24', 'red');
    assert.equal(code, 0);
    assert.match(out, /^[0-9a-f]{64}\n$/);
    assert.match(
      err,
      /^weft: Network 'red' has the subnet 10\.0\.1\.0\/24, which overlaps 10\.0\.0\.0\/8, .*\n$/,
    );
  });

  it('shows nothing of others that a terminal would obey', async () => {
    await createRed();
    await ok('network', 'create', '--label', 'x=\u001b[31mred', 'blue');
    assert.doesNotMatch(await ok('network', 'ls', '--format', 'yaml'), /\u001b/);
    assert.doesNotMatch(await ok('network', 'inspect', 'blue'), /\u001b/);
  });

  it('says that no daemon is there', async () => {
    const { code, out, err } = await runWeft(['network', 'ls'], { WEFT_SOCKET: '/nonexistent/weft.sock' });
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /^weft: Cannot reach the daemon at \/nonexistent\/weft\.sock: .*weft daemon.* \(daemon-unreachable\)\n$/,
    );
  });

  it('takes --socket over WEFT_SOCKET, before or after the verb', async () => {
    for (const args of [
      ['--socket', api.socket, 'host', 'ls', '-q'],
      ['host', 'ls', '-q', '--socket', api.socket],
    ]) {
      assert.equal((await runWeft(args, { WEFT_SOCKET: '/nonexistent' })).out, 'h1\n');
    }
  });
});

describe('a command line that is wrong', () => {
  const misuses: readonly (readonly [readonly string[], RegExp])[] = [
    [['network', 'create'], /missing required argument 'name': see 'weft network create --help'/],
    [['network', 'frob'], /unknown command 'frob': see 'weft network --help'/],
    [['nonsense'], /unknown command 'nonsense': see 'weft --help'/],
    [['network', 'lst'], /unknown command 'lst' \(Did you mean one of list, ls\?\)/],
    [['network', 'ls', '--frob'], /unknown option '--frob': see 'weft network ls --help'/],
    [['network', 'ls', 'extra'], /too many arguments/],
    [['network', 'create', '--subnet'], /argument missing/],
    [['status', '--format', 'xml'], /Allowed choices are table, json, yaml: see 'weft status --help'/],
    [['network', 'create', '--gateway', '10.0.0.1', 'red'], /--gateway needs a --subnet/],
    [
      [
        'network',
        'create',
        '--subnet',
        '10.0.0.0/24',
        '--gateway',
        '10.0.0.1',
        '--gateway',
        '10.0.0.2',
        'red',
      ],
      /two of --gateway belong to the subnet 10\.0\.0\.0\/24/,
    ],
    [
      ['network', 'create', '--subnet', '10.0.0.0/24', '--aux-address', '10.0.0.5', 'red'],
      /--aux-address name=ip/,
    ],
    [['network', 'create', '--label', '=x', 'red'], /--label needs a key/],
    [['network', 'create', '--opt', 'a=1', '--opt', 'a=2', 'red'], /--opt "a" is given twice/],
    [['network', 'ls', '--filter', 'dirver=x'], /no filter "dirver": did you mean driver\?/],
    [['network', 'ls', '--filter', 'type=own'], /type="own" is none of builtin, custom/],
    [['network', 'ls', '--filter', 'label='], /label needs a key/],
    [['network', 'prune', '--filter', 'until=noon'], /until "noon" is no time/],
    [['network', 'prune', '--filter', 'driver=overlay'], /no filter "driver"/],
    [['endpoint', 'ls', '--filter', 'name'], /has no key and value/],
    [['plan'], /weft plan takes a command that changes something/],
    [['plan', 'network', 'frob'], /unknown command 'frob': see 'weft network --help'/],
    [['log', '-n', 'x'], /--number "x" is no whole number/],
    [['log', '-n', '3', '--all'], /--number goes with neither --all nor --since/],
    [['log', '--since', 'noon'], /--since "noon" is no time/],
    [['store', 'copy'], /required option '--to <url>' not specified: see 'weft store copy --help'/],
    [['store', 'copy', '--to', ''], /--to names no store: give the URL of an empty one/],
    [['store', 'export'], /missing required argument 'file'/],
    [
      ['store', 'reseed', '--discard-log', 'old'],
      /--discard-log "old" is no id of a log: give its 32 digits/,
    ],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ];
  for (const [args, message] of misuses) {
    it(`exits with 2 and says what to do: weft ${args.join(' ')}`, async () => {
      const { code, out, err } = await runWeft(args, {});
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, message);
      assert.match(err, /^weft: [^\n]+ \(usage\)\n$/);
    });
  }

  it('exits with 2 and help where a verb is missing', async () => {
    const { code, err } = await runWeft(['network'], {});
    assert.equal(code, 2);
    assert.match(err, /^Usage: weft network /);
  });
});

describe('help and version', () => {
  it('need no daemon', async () => {
    assert.deepEqual(await runWeft(['--version'], {}), { code: 0, out: 'weft 0.1.0\n', err: '' });
    for (const args of [
      ['--help'],
      ['network', '--help'],
      ['network', 'create', '--help'],
      ['daemon', '--help'],
    ]) {
      const { code, out, err } = await runWeft(args, {});
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, /^Usage: weft /);
    }
  });

  it('list every verb at the top', async () => {
    const { out } = await runWeft(['--help'], {});
    for (const verb of [
      'network',
      'endpoint',
      'host',
      'store',
      'status',
      'log',
      'doctor',
      'daemon',
      'completion',
    ]) {
      assert.match(out, new RegExp(`^ {2}${verb} `, 'm'));
    }
  });
});

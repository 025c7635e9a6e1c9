import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { defaultAddress } from './default-address.ts';
import { loadConfiguration } from './load.ts';

describe('the configuration', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-config-'));
  });

  after(() => rm(folder, { recursive: true, force: true }));

  const file = async (text: string): Promise<string> => {
    const path = join(folder, 'weft.yaml');
    await writeFile(path, text);
    return path;
  };
  const refuses = (loading: Promise<unknown>, why: RegExp): Promise<void> => {
    return assert.rejects(loading, (error) => {
      assert.ok(isWeftError(error, 'bad-configuration'), String(error));
      assert.match(error.message, why);
      return true;
    });
  };

  it('has a default for everything but the address', async () => {
    assert.deepEqual(await loadConfiguration({ flags: { advertise: '192.168.2.15' } }), {
      store: 'file:/var/lib/weft/log',
      host: hostname(),
      advertise: '192.168.2.15',
      dataDir: '/var/lib/weft',
      socket: '/run/weft/weft.sock',
      netnsPrefix: 'weft-',
      acceptInForeignChains: false,
      acceptForeignVteps: false,
      hasDefaultBridge: true,
      archiveMib: 1_024,
      hostGraceMs: 30_000,
      hostRetentionMs: 86_400_000,
      logLevel: 'info',
      secrets: {},
      stores: [],
    });
  });

  it('takes relative paths on the command line from here', async () => {
    const flags = { advertise: '192.168.2.15', 'data-dir': 'data', socket: './weft.sock' };
    const { dataDir, socket } = await loadConfiguration({ flags });
    assert.deepEqual([dataDir, socket], [resolve('data'), resolve('weft.sock')]);
  });

  it('takes a switch as true or false, from the file also as a text', async () => {
    for (const text of ['true', '"true"']) {
      const path = await file(`advertise: 10.0.0.1\naccept-in-foreign-chains: ${text}\n`);
      assert.equal((await loadConfiguration({ flags: {}, file: path })).acceptInForeignChains, true);
    }
    const flags = { advertise: '10.0.0.1', 'accept-in-foreign-chains': 'perhaps' };
    await refuses(loadConfiguration({ flags }), /accept-in-foreign-chains/);
    const strangers = { advertise: '10.0.0.1', 'accept-foreign-vteps': 'true' };
    assert.equal((await loadConfiguration({ flags: strangers })).acceptForeignVteps, true);
    const without = { advertise: '10.0.0.1', bridge: 'none' };
    assert.equal((await loadConfiguration({ flags: without })).hasDefaultBridge, false);
    await refuses(loadConfiguration({ flags: { ...without, bridge: 'br0' } }), /can only be none/);
  });

  it('takes the command line over the file, and the file over the defaults', async () => {
    const path = await file('store: "memory:"\nhost: h1\nadvertise: 10.0.0.1\nlog-level: debug\n');
    const loaded = await loadConfiguration({ flags: { host: 'h2' }, file: path });
    assert.equal(loaded.store, 'memory:');
    assert.equal(loaded.host, 'h2');
    assert.equal(loaded.advertise, '10.0.0.1');
    assert.equal(loaded.logLevel, 'debug');
  });

  it('has the credentials of the store in the file alone, and those as files', async () => {
    const path = await file(
      'advertise: 10.0.0.1\ntls-ca-file: /a\ntls-cert-file: /b\ntls-key-file: /c\nuser: weft\npassword-file: /d\ntoken-file: /e\n',
    );
    assert.deepEqual((await loadConfiguration({ flags: {}, file: path })).secrets, {
      tls: { caFile: '/a', certFile: '/b', keyFile: '/c' },
      auth: { user: 'weft', passwordFile: '/d' },
      tokenFile: '/e',
    });
    await refuses(loadConfiguration({ flags: { user: 'weft' } }), /options: unknown member "user"/);
  });

  it('takes times with their units', async () => {
    const path = await file('advertise: 10.0.0.1\nhost-grace: 2m\nhost-retention: 7d\n');
    const { hostGraceMs, hostRetentionMs } = await loadConfiguration({
      flags: { 'host-grace': '10s' },
      file: path,
    });
    assert.deepEqual([hostGraceMs, hostRetentionMs], [10_000, 7 * 86_400_000]);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['stoer: "memory:"', /weft\.yaml: unknown member "stoer"/],
    ['password: secret', /unknown member "password"/],
    ['advertise: 10.0.0.1\nhost-grace: 30', /host-grace: is no text|host-grace/],
    ['advertise: 10.0.0.1\nhost-grace: 30 s', /host-grace '30 s' is no time from 3s to 365d/],
    ['advertise: 10.0.0.1\nhost-grace: 2s', /host-grace '2s' is no time/],
    ['advertise: 10.0.0.1\nhost-retention: 366d', /host-retention '366d' is no time/],
    ['advertise: 10.0.0.1\nhost-grace: 2m\nhost-retention: 1m', /host-retention is shorter than host-grace/],
    ['- a\n- b', /expected object, received array/],
    ['store: [', /cannot read .*weft\.yaml/],
    ['store: 1', /store: expected string, received number/],
    ['data-dir: relative', /data-dir: is no absolute path/],
    ['log-level: loud', /log-level: is none of debug, info/],
    ['advertise: 10.0.0.1\ntls-cert-file: /b', /go together/],
    ['advertise: 10.0.0.1\nuser: weft', /go together/],
  ];
  for (const [text, why] of wrong) {
    it(`refuses a file with ${JSON.stringify(text)}`, async () => {
      await refuses(loadConfiguration({ flags: {}, file: await file(text) }), why);
    });
  }

  it('refuses a file that is not there', async () => {
    await refuses(
      loadConfiguration({ flags: {}, file: join(folder, 'none.yaml') }),
      /cannot read .*none\.yaml/,
    );
  });

  const wrongFlags: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ advertise: '10.0.0' }, /'10\.0\.0' is no IP address/],
    [{ advertise: '10.0.0.1', host: 'a b' }, /'a b' is no host name/],
    [{ advertise: '10.0.0.1', host: '' }, /'' is no host name/],
    [{ advertise: '10.0.0.1', 'netns-prefix': '../x' }, /'\.\.\/x' is no namespace prefix/],
    [{ advertise: '10.0.0.1', 'netns-prefix': 'x'.repeat(33) }, /no namespace prefix/],
    [{ advertise: '10.0.0.1', 'data-dir': '' }, /data-dir: is no absolute path/],
    [{ advertise: '10.0.0.1', 'log-level': 'trace' }, /log-level/],
  ];
  for (const [flags, why] of wrongFlags) {
    it(`refuses ${JSON.stringify(flags)}`, () => refuses(loadConfiguration({ flags }), why));
  }
});

describe('the address of a host where none is given', () => {
  // As /proc/net/route has it: a header, then hexadecimal columns; eth0 has the default route.
  const header = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
  const route = (link: string, destination: string, mask: string): string => {
    return `${link}\t${destination}\t0102A8C0\t0003\t0\t0\t0\t${mask}\t0\t0\t0\n`;
  };
  const address = (routes: string, addresses: Record<string, string[]>): Promise<string> => {
    return defaultAddress({ routes: async () => routes, addresses: (link) => addresses[link] ?? [] });
  };
  const connected = route('eth1', '0000000A', '000000FF');

  it('is that of the link with the default route', async () => {
    const routes = header + route('eth0', '00000000', '00000000') + connected;
    assert.equal(await address(routes, { eth0: ['192.168.2.15'], eth1: ['10.0.0.1'] }), '192.168.2.15');
  });

  it('must be given when there is doubt', async () => {
    const two = header + route('eth0', '00000000', '00000000') + route('eth1', '00000000', '00000000');
    const doubts = [
      address(header + connected, { eth1: ['10.0.0.1'] }),
      address('', {}),
      address(header + route('eth0', '00000000', '00000000'), { eth0: ['192.168.2.15', '192.168.2.16'] }),
      address(two, { eth0: ['192.168.2.15'], eth1: ['10.0.0.1'] }),
    ];
    for (const doubt of doubts) {
      await assert.rejects(
        doubt,
        (error) => isWeftError(error, 'bad-configuration') && /--advertise/.test(error.message),
      );
    }
  });

  it('is no half of a split default route', async () => {
    const split = header + route('tun0', '00000000', '00000080') + route('eth0', '00000000', '00000000');
    assert.equal(await address(split, { eth0: ['192.168.2.15'], tun0: ['10.8.0.2'] }), '192.168.2.15');
  });
});

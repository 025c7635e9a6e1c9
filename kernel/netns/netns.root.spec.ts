/**
 * Namespaces on the real machine: that every shell sees what weft makes, also from a process in a mount namespace of its
 * own, that no name is mixed up and no namespace kept alive, and that the process never stays where it looked.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import { type Namespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { HostsFile } from '../../core/dataplane/object.ts';
import { isWeftError } from '../../core/errors.ts';
import { address, networkNamespace, testNetwork } from '../../test/contract/kernel-bench.ts';
import { command, type LinuxBench, nameOf, openLinuxBench } from '../../test/support/linux-bench.ts';
import { peerUid } from '../peer-credentials.ts';

/** What runs under `ip netns exec`: makes a namespace with a bridge and prints what it sees itself. */
const inside = `
  const { LinuxKernel } = await import(process.argv[1]);
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
  const clock = { wallMs: Date.now, monotonicMs: () => performance.now(), sleep: async () => {} };
  const kernel = new LinuxKernel({ netnsPrefix: process.argv[2] }, { logger, clock });
  const ns = 'net:' + process.argv[2] + '0123456789';
  const bridge = { kind: 'link', ns, name: 'br0', owner: 'network:x', up: true, type: { type: 'bridge' } };
  const directory = process.cwd();
  const results = await kernel.apply([{ op: 'set', object: { kind: 'netns', ns } }, { op: 'set', object: bridge }]);
  const kinds = (await kernel.dump(ns)).map((object) => object.kind + ' ' + (object.name ?? ''));
  const fs = await import('node:fs');
  const own = fs.readlinkSync('/proc/self/ns/net');
  const mounts = fs.readlinkSync('/proc/self/ns/mnt');
  const same = directory === process.cwd() && fs.existsSync('/proc/self/ns/net');
  console.log(JSON.stringify({ results, kinds, own, mounts, same, sandbox: await identity(process.argv[3]) }));
  async function identity(ref) { return (await kernel.inspectSandbox(ref)).identity; }
  if (process.argv[4] === 'remove') await kernel.apply([{ op: 'delete', object: { kind: 'netns', ns } }]);
  await kernel.close();
`;
/** Waits for events, and ends in the middle of it. */
const watching = `
  const { LinuxKernel } = await import(process.argv[1]);
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
  const kernel = new LinuxKernel({ netnsPrefix: process.argv[2] }, { logger, clock: { sleep: async () => {} } });
  await kernel.follow(new Set(['host']));
  void kernel.watch(new AbortController().signal)[Symbol.asyncIterator]().next();
  setTimeout(() => {
    if (process.argv[3] === 'exit') process.exit(0);
    throw new Error('a defect');
  }, 50);
`;
const kernelModule = new URL('../linux-kernel.js', import.meta.url).href;

describe('namespaces of the real machine', () => {
  let bench: LinuxBench;
  const home = readlinkSync('/proc/self/ns/net');
  beforeEach(async function () {
    bench = await openLinuxBench(this);
  });
  afterEach(async () => {
    assert.equal(readlinkSync('/proc/self/ns/net'), home, 'the process is where it was');
    await bench?.close();
  });

  async function runInside(host: string, sandbox: string, remove = false): Promise<Inside> {
    const prefix = `${bench.prefix}x-`;
    const words = [
      '--input-type=module',
      '-e',
      inside,
      kernelModule,
      prefix,
      sandbox,
      remove ? 'remove' : 'keep',
    ];
    return JSON.parse(await command(['ip', 'netns', 'exec', host, process.execPath, ...words])) as Inside;
  }

  it('made under `ip netns exec`, a namespace is seen by every shell, and by its maker', async () => {
    const host = await bench.addSandbox();
    const sandbox = await bench.addSandbox();
    const name = `${bench.prefix}x-0123456789`;
    const told = await runInside(host, sandbox);
    assert.deepEqual(told.results, [{ ok: true }, { ok: true }]);
    assert.deepEqual(told.kinds, ['netns ', 'link lo', 'link br0']);
    assert.notEqual(told.own, home, 'it ran in another network namespace');
    assert.notEqual(told.mounts, readlinkSync('/proc/self/ns/mnt'), 'and in another mount namespace');
    assert.ok(told.same, 'whose root and working directory it has kept');
    assert.ok((await command(['ip', 'netns', 'list'])).includes(name));
    const links = await command(['ip', 'netns', 'exec', name, 'ip', 'link', 'show', 'br0']);
    assert.match(links, /alias weft:network:x/);
    assert.equal(told.sandbox, (await bench.kernel.inspectSandbox(sandbox)).identity);
    // What another life made it finds and removes, for everyone.
    await runInside(host, sandbox, true);
    assert.ok(!(await command(['ip', 'netns', 'list'])).includes(name));
    assert.ok(!existsSync(`/run/netns/${name}`));
  });

  it('the names are those of `ip netns`, made and removed with nothing left over', async () => {
    const { netns } = testNetwork(bench);
    await bench.kernel.apply([{ op: 'set', object: netns }]);
    assert.deepEqual(await bench.kernel.namespaces(), [netns.ns]);
    assert.equal(statSync(`/run/netns/${nameOf(netns.ns)}`).dev !== statSync('/run/netns').dev, true);
    await bench.kernel.apply([{ op: 'delete', object: netns }]);
    assert.ok(!existsSync(`/run/netns/${nameOf(netns.ns)}`));
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(nameOf(netns.ns)));
  });

  it('a name without a namespace on it, left by a crash, is used', async () => {
    const { netns } = testNetwork(bench);
    writeFileSync(`/run/netns/${nameOf(netns.ns)}`, '');
    assert.deepEqual(await bench.kernel.namespaces(), []);
    const results = await bench.kernel.apply([{ op: 'set', object: netns }]);
    assert.deepEqual(results, [{ ok: true }]);
    assert.deepEqual(await bench.kernel.namespaces(), [netns.ns]);
  });

  it('names that are not weft’s are not made or removed', async () => {
    const sandbox = await bench.addSandbox();
    for (const name of [sandbox, `${bench.prefix}x`, '../etc', `${bench.netnsPrefix}a/b`]) {
      const object = { kind: 'netns', ns: `net:${name}` as Namespace } as const;
      for (const op of ['set', 'delete'] as const) {
        const [result] = await bench.kernel.apply([{ op, object }]);
        assert.equal(result?.ok, false, `${op} ${name}`);
      }
    }
    assert.ok(existsSync(`/run/netns/${sandbox}`));
  });

  it('sandboxes are opened by name, path and process, and are one', async () => {
    const name = await bench.addSandbox();
    const child = spawn('ip', ['netns', 'exec', name, 'sleep', '60'], { stdio: 'ignore' });
    try {
      await until(() => readlinkSync(`/proc/${child.pid}/ns/net`) !== home);
      const refs = [
        name,
        `/run/netns/${name}`,
        `/var/run/netns/${name}`,
        `pid:${child.pid}`,
        `/proc/${child.pid}/ns/net`,
      ];
      const found = await Promise.all(refs.map((ref) => bench.kernel.inspectSandbox(ref)));
      assert.deepEqual(new Set(found.map(({ identity }) => identity)).size, 1);
      assert.match(found[0]?.identity ?? '', /^[0-9a-f-]{36}:[0-9]+$/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('links, pipes, other kinds of namespaces and the host’s own are refused', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-refs-'));
    try {
      const sandbox = await bench.addSandbox();
      symlinkSync(`/run/netns/${sandbox}`, join(directory, 'link'));
      await command(['mkfifo', join(directory, 'pipe')]);
      for (const [ref, code] of [
        [join(directory, 'link'), 'bad-sandbox'],
        [join(directory, 'pipe'), 'bad-sandbox'],
        [directory, 'bad-sandbox'],
        ['/proc/self/ns/mnt', 'bad-sandbox'],
        ['/proc/self/ns/net', 'host-sandbox'],
        [`pid:${process.pid}`, 'host-sandbox'],
        ['pid:4194305', 'no-such-sandbox'],
        [join(directory, 'none'), 'no-such-sandbox'],
      ] as const) {
        await assert.rejects(bench.kernel.inspectSandbox(ref), (error) => isWeftError(error, code), ref);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('a followed sandbox is let go of when its name or its process goes', async () => {
    const name = await bench.addSandbox();
    const other = await bench.addSandbox();
    const child = spawn('ip', ['netns', 'exec', other, 'sleep', '60'], { stdio: 'ignore' });
    await until(() => readlinkSync(`/proc/${child.pid}/ns/net`) !== home);
    const byPid = sandboxNamespace(`pid:${child.pid}`);
    const watch = listen(bench, [sandboxNamespace(name), byPid]);
    await bench.removeSandbox(name);
    await watch.until((event) => event.type === 'namespace-gone' && event.ns === sandboxNamespace(name));
    child.kill('SIGKILL');
    await watch.until((event) => event.type === 'namespace-gone' && event.ns === byPid);
    await watch.close();
  });

  it('hosts files: written in place, the user’s bytes kept, changes by hand told', async () => {
    const name = await bench.addSandbox();
    const ns = sandboxNamespace(name);
    const directory = join(bench.hostsDir, name);
    const file = join(directory, 'hosts');
    mkdirSync(directory);
    const users = Buffer.from('127.0.0.1 localhost\n10.9.9.9 caf\xe9', 'latin1');
    writeFileSync(file, users);
    const { ino } = statSync(file);
    const object: HostsFile = {
      kind: 'hosts',
      ns,
      entries: [{ address: address('10.0.1.2'), names: ['web'] }],
    };
    const watch = listen(bench, [ns]);
    assert.deepEqual(await bench.kernel.apply([{ op: 'set', object }]), [{ ok: true }]);
    assert.equal(statSync(file).ino, ino, 'the file that is mounted elsewhere is the one that is written');
    assert.match(readFileSync(file, 'latin1'), new RegExp(`\n# ${bench.prefix} begin: written by weft`));
    await watch.until((event) => event.type === 'present' && event.object.kind === 'hosts');
    writeFileSync(file, users);
    await watch.until((event) => event.type === 'absent' && event.object.kind === 'hosts');
    await watch.close();
    await bench.kernel.apply([{ op: 'set', object }]);
    await bench.kernel.apply([{ op: 'delete', object }]);
    assert.deepEqual(readFileSync(file), users);
    assert.deepEqual(readdirSync(directory), ['hosts']);
  });

  it('hosts files that weft made go with their block, and links are not followed', async () => {
    const name = await bench.addSandbox();
    const ns = sandboxNamespace(name);
    const object: HostsFile = {
      kind: 'hosts',
      ns,
      entries: [{ address: address('10.0.1.2'), names: ['web'] }],
    };
    await bench.kernel.apply([{ op: 'set', object }]);
    const text = readFileSync(join(bench.hostsDir, name, 'hosts'), 'utf8');
    assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
    assert.match(text, /^10\.0\.1\.2\tweb$/m);
    await bench.kernel.apply([{ op: 'delete', object }]);
    assert.deepEqual(readdirSync(bench.hostsDir), []);
    mkdirSync(join(bench.hostsDir, name));
    symlinkSync('/etc/hostname', join(bench.hostsDir, name, 'hosts'));
    const before = readFileSync('/etc/hostname');
    const [result] = await bench.kernel.apply([{ op: 'set', object }]);
    assert.equal(result?.ok, false);
    assert.deepEqual(readFileSync('/etc/hostname'), before);
    const nameless = { ...object, ns: sandboxNamespace(`/proc/${process.pid}/ns/net`) };
    assert.deepEqual(await bench.kernel.apply([{ op: 'set', object: nameless }]), [{ ok: true }]);
  });

  it('a storm that the sockets cannot hold ends in `stale`, and then in order', async () => {
    const network = testNetwork(bench);
    await bench.kernel.apply(network.all.map((object) => ({ op: 'set', object })));
    const watch = listen(bench, [network.ns]);
    const storm = Array.from({ length: 60_000 }, (_, at) => ({
      op: 'set' as const,
      object: {
        kind: 'fdb' as const,
        ns: network.ns,
        link: 'vxlan0',
        mac: `02:42:00:${hex(at >> 16)}:${hex((at >> 8) & 255)}:${hex(at & 255)}` as never,
        remote: address('192.0.2.1'),
      },
    }));
    // Nobody listens meanwhile: events are pulled.
    await bench.kernel.apply(storm);
    await watch.until((event) => event.type === 'stale' && event.ns === network.ns);
    await bench.alterLinkByHand({ ...network.bridge, mtu: 1300 });
    await watch.until(
      (event) => event.type === 'present' && event.object.kind === 'link' && event.object.mtu === 1300,
    );
    await watch.close();
  });

  it('a process that watches can exit, and die of an error', async () => {
    const words = ['--input-type=module', '-e', watching, kernelModule, bench.prefix];
    await command([process.execPath, ...words, 'exit']);
    await assert.rejects(command([process.execPath, ...words, 'throw']), /a defect/);
  });

  it('sysctls cannot be used to get at other files', async () => {
    const network = testNetwork(bench);
    await bench.kernel.apply([{ op: 'set', object: network.netns }]);
    for (const name of ['../self/comm', 'net/../kernel/hostname', 'kernel/hostname', 'net//x']) {
      const object = { kind: 'sysctl', ns: networkNamespace(bench, 'a'), name, value: 'x' } as const;
      const [result] = await bench.kernel.apply([{ op: 'set', object }]);
      assert.ok(result?.ok === false && result.reason.startsWith('EINVAL'), name);
      assert.deepEqual(
        await bench.kernel.dump(object.ns, { kinds: new Set(['sysctl']), sysctls: [name] }),
        [],
      );
    }
  });

  it('the user at the other end of a socket is told', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-peer-'));
    const server = createServer().listen(join(directory, 'socket'));
    try {
      const client = createConnection(join(directory, 'socket'));
      const [connection] = (await once(server, 'connection')) as [Socket];
      const { fd } = (connection as unknown as { _handle: { fd: number } })._handle;
      assert.equal(peerUid(fd), process.geteuid?.());
      client.destroy();
      connection.destroy();
    } finally {
      server.close();
      rmSync(directory, { recursive: true });
    }
  });
});

interface Inside {
  readonly results: readonly unknown[];
  readonly kinds: readonly string[];
  readonly own: string;
  readonly mounts: string;
  readonly same: boolean;
  readonly sandbox: string;
}

function listen(
  bench: LinuxBench,
  namespaces: readonly Namespace[],
): { until(says: (event: KernelEvent) => boolean): Promise<void>; close(): Promise<void> } {
  const controller = new AbortController();
  void bench.kernel.follow(new Set(namespaces));
  const events = bench.kernel.watch(controller.signal)[Symbol.asyncIterator]();
  return {
    async until(says) {
      for (;;) {
        const next = await events.next();
        assert.ok(next.done !== true, 'the watch goes on');
        if (says(next.value)) return;
      }
    },
    async close() {
      controller.abort();
      await events.return?.();
    },
  };
}

/** The test's time limit bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/**
 * How fast the kernel is programmed and read: forwarding entries in batches of 100 against `bridge -batch` (C), attaching
 * a veth pair with its address, and dumping 10,000 entries. Needs root; makes two namespaces of its own and removes them.
 *
 * Both sides write the same entries into the same link, in turns, and the best round of each counts: what disturbs a
 * round makes it slower, never faster. The process start of `bridge` is measured by itself and taken off its time.
 *
 * node dist/benchmarks/fdb.bench.js [entries] [rounds]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../adapters/system/clock.ts';
import { connectedRouteOf } from '../core/dataplane/connected.ts';
import type { Operation, OperationResult } from '../core/dataplane/kernel.ts';
import { ownedNamespace, sandboxNamespace } from '../core/dataplane/namespace.ts';
import type { Address, FdbEntry, KernelObject, Link } from '../core/dataplane/object.ts';
import type { InterfaceAddress, IpAddress } from '../core/model/address.ts';
import { macFromBytes } from '../core/model/mac.ts';
import type { Logger } from '../core/ports/logger.ts';
import { LinuxKernel } from '../kernel/linux-kernel.ts';

const entriesCount = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 7);
const batch = 100;
const attaches = Math.max(1, Math.min(100, Math.floor(entriesCount / 100)));

const tag = `wb${process.pid}`;
const name = `${tag}-0123456789`;
const sandbox = `${tag}s`;
const ns = ownedNamespace(name);
const directory = mkdtempSync(join(tmpdir(), tag));

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const kernel = new LinuxKernel({ netnsPrefix: `${tag}-` }, { logger: quiet, clock: new SystemClock() });

function link(linkName: string, type: Link['type'], more: Partial<Link> = {}): Link {
  return { kind: 'link', ns, name: linkName, owner: `network:${tag}`, up: true, mtu: 1450, type, ...more };
}

const local = '127.0.0.1' as IpAddress;
const vni = 9_000_000 + (process.pid % 1_000_000);
const base: KernelObject[] = [
  { kind: 'netns', ns },
  link('br0', { type: 'bridge' }),
  link(
    'vxlan0',
    { type: 'vxlan', vni, local, port: 4789 },
    {
      master: 'br0',
      port: { learning: false, flood: true },
    },
  ),
];
const entries = Array.from({ length: entriesCount }, (_, at): FdbEntry => {
  const mac = macFromBytes([0x02, 0x42, (at >> 24) & 255, (at >> 16) & 255, (at >> 8) & 255, at & 255]);
  return { kind: 'fdb', ns, link: 'vxlan0', mac, remote: `192.0.2.${1 + (at % 250)}` as IpAddress };
});

function check(results: readonly OperationResult[]): void {
  const failed = results.find((result) => !result.ok);
  if (failed?.ok === false) throw new Error(failed.reason);
}

async function apply(op: Operation['op'], objects: readonly KernelObject[]): Promise<void> {
  check(await kernel.apply(objects.map((object) => ({ op, object }))));
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function clearEntries(): Promise<void> {
  await apply('delete', entries);
  const left = await kernel.dump(ns, { kinds: new Set(['fdb']) });
  if (left.length > 0) throw new Error(`${left.length} entries are left`);
}

async function requireEntries(): Promise<void> {
  const found = await kernel.dump(ns, { kinds: new Set(['fdb']) });
  if (found.length !== entriesCount) throw new Error(`${found.length} of ${entriesCount} entries are there`);
}

async function weftRound(): Promise<number> {
  const operations = entries.map((object): Operation => ({ op: 'set', object }));
  const ms = await timed(async () => {
    for (let at = 0; at < operations.length; at += batch) {
      check(await kernel.apply(operations.slice(at, at + batch)));
    }
  });
  await requireEntries();
  await clearEntries();
  return ms;
}

const batchFile = join(directory, 'batch');
const emptyFile = join(directory, 'empty');

async function bridgeRound(): Promise<number> {
  const runBatch = (file: string): void => {
    execFileSync('bridge', ['-n', name, '-batch', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  const startMs = await timed(() => runBatch(emptyFile));
  const ms = await timed(() => runBatch(batchFile));
  await requireEntries();
  await clearEntries();
  return Math.max(ms - startMs, 0.001);
}

async function attachRound(): Promise<number> {
  const ms: number[] = [];
  for (let at = 0; at < attaches; at++) {
    const outer = { ns, name: `v${at}` };
    const inner = { ns: sandboxNamespace(sandbox), name: `e${at}` };
    const own: Address = {
      kind: 'address',
      ns: inner.ns,
      link: inner.name,
      address: `10.${at}.0.2/24` as InterfaceAddress,
    };
    const port = { master: 'br0', port: { learning: false, flood: false } };
    const objects: KernelObject[] = [
      link(outer.name, { type: 'veth', peer: inner }, port),
      link(inner.name, { type: 'veth', peer: outer }, { ns: inner.ns }),
      own,
      connectedRouteOf(own) as KernelObject,
    ];
    ms.push(await timed(() => apply('set', objects)));
  }
  ms.sort((a, b) => a - b);
  return ms[Math.floor(ms.length / 2)] ?? 0;
}

async function dumpRound(): Promise<number> {
  await apply('set', entries);
  const ms = await timed(async () => {
    await kernel.dump(ns, { kinds: new Set(['fdb']) });
  });
  await clearEntries();
  return ms;
}

function print(what: string, value: number, unit: string): void {
  process.stdout.write(`${what.padEnd(58)} ${value.toFixed(value < 10 ? 2 : 0).padStart(10)} ${unit}\n`);
}

async function main(): Promise<void> {
  execFileSync('ip', ['netns', 'add', sandbox]);
  writeFileSync(emptyFile, '');
  writeFileSync(
    batchFile,
    entries.map((one) => `fdb replace ${one.mac} dev vxlan0 dst ${one.remote} self permanent\n`).join(''),
  );
  await apply('set', base);
  const best = {
    weft: Number.POSITIVE_INFINITY,
    bridge: Number.POSITIVE_INFINITY,
    dump: Number.POSITIVE_INFINITY,
  };
  for (let round = 0; round < rounds; round++) {
    best.weft = Math.min(best.weft, await weftRound());
    best.bridge = Math.min(best.bridge, await bridgeRound());
    best.dump = Math.min(best.dump, await dumpRound());
  }
  print(`forwarding entries, weft, batches of ${batch}`, (entriesCount / best.weft) * 1000, '/s');
  print('forwarding entries, bridge -batch', (entriesCount / best.bridge) * 1000, '/s');
  // With few entries the process start of `bridge` is all that is measured.
  if (entriesCount >= 5000) print('ratio (target 1.5)', best.bridge / best.weft, '×');
  print(`dump of ${entriesCount} forwarding entries`, best.dump, 'ms');
  print(`attach: veth pair, address and route (median of ${attaches})`, (await attachRound()) * 1000, 'µs');
}

try {
  await main();
} finally {
  await kernel.apply([{ op: 'delete', object: { kind: 'netns', ns } }]);
  await kernel.close();
  execFileSync('ip', ['netns', 'delete', sandbox]);
  rmSync(directory, { recursive: true });
}

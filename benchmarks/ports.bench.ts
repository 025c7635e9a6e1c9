/**
 * What one more published port costs beside 10 and beside 1,000: the kernel's part, which is one transaction of nftables and
 * a look at tracked flows, and the fold's. Needs root; makes a namespace of its own that stands for the host.
 *
 * Both sizes are taken in turns, and their medians compared.
 *
 * node dist/benchmarks/ports.bench.js [rounds]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../adapters/system/clock.ts';
import type { Operation } from '../core/dataplane/kernel.ts';
import { hostNamespace } from '../core/dataplane/namespace.ts';
import type { KernelObject, NftElement } from '../core/dataplane/object.ts';
import { apply } from '../core/fold/apply.ts';
import type { State } from '../core/fold/state.ts';
import { encodeRecord } from '../core/log/record-codec.ts';
import type { Logger } from '../core/ports/logger.ts';
import { LinuxKernel } from '../kernel/linux-kernel.ts';
import { accepted, Ledger, subnet } from '../test/support/ledger.ts';

const rounds = Number(process.argv[2] ?? 200);
const sizes = [10, 1_000] as const;
const firstPort = 20_000;

const name = `wb${process.pid}h`;
const directory = mkdtempSync(join(tmpdir(), name));
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** Port number `at` of the host. */
function port(at: number): NftElement {
  const key = ['tcp', String(firstPort + at)];
  return { kind: 'nft-element', ns: hostNamespace, set: 'anywhere4', key, value: ['172.18.0.2', '80'] };
}

async function carryOut(kernel: LinuxKernel, op: Operation['op'], objects: readonly KernelObject[]) {
  const results = await kernel.apply(objects.map((object) => ({ op, object })));
  const failed = results.find((result) => !result.ok);
  if (failed?.ok === false) throw new Error(failed.reason);
}

/** Milliseconds that one more takes, by the number of those that are there. */
async function kernelTimes(kernel: LinuxKernel): Promise<Map<number, number[]>> {
  const times = new Map<number, number[]>(sizes.map((size) => [size, []]));
  let present = 0;
  await carryOut(kernel, 'set', [{ kind: 'nft-table', ns: hostNamespace, intact: true }]);
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      if (present > size) await carryOut(kernel, 'delete', range(size, present));
      else if (present < size) await carryOut(kernel, 'set', range(present, size));
      present = size;
      const start = performance.now();
      await carryOut(kernel, 'set', [port(size)]);
      times.get(size)?.push(performance.now() - start);
      await carryOut(kernel, 'delete', [port(size)]);
    }
  }
  return times;
}

function range(from: number, to: number): NftElement[] {
  return Array.from({ length: to - from }, (_, at) => port(from + at));
}

function foldTimes(): Map<number, number[]> {
  const states = sizes.map((size) => {
    const ledger = new Ledger('h1');
    accepted(
      ledger.network('h1', 'red', { driver: 'bridge', space: 'local', subnets: [subnet('172.18.0.0/16')] }),
    );
    for (let at = 0; at < size; at++)
      accepted(ledger.attach('h1', 'red', { ports: [`${firstPort + at}:80`] }));
    return { size, state: ledger.state, line: nextLine(ledger, size) };
  });
  const times = new Map<number, number[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { size, state, line } of states) times.get(size)?.push(timeOf(state, line));
  }
  return times;
}

function nextLine(ledger: Ledger, size: number): Uint8Array {
  const network = ledger.networkNamed('red').id;
  const sandbox = { ref: 'next', identity: 'boot-next' };
  const ports = [`${firstPort + size}:80`];
  return encodeRecord(
    ledger.draft('h1', 'endpoint-create', { network, sandbox, ports, aliases: [], avoid: [] }),
  );
}

function timeOf(state: State, line: Uint8Array): number {
  const start = performance.now();
  const applied = apply(state, line);
  const ms = performance.now() - start;
  if (applied.halted || !applied.outcome.accepted) throw new Error(JSON.stringify(applied));
  return ms;
}

function report(what: string, times: ReadonlyMap<number, readonly number[]>): void {
  const medians = sizes.map((size) => median(times.get(size) ?? []));
  for (const [at, size] of sizes.entries())
    process.stdout.write(`${what}, one more beside ${size}: ${((medians[at] ?? 0) * 1000).toFixed(0)} µs\n`);
  process.stdout.write(
    `${what}, ratio (target at most 1.5): ${((medians[1] ?? 0) / (medians[0] ?? 1)).toFixed(2)}\n`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

execFileSync('ip', ['netns', 'add', name]);
const kernel = new LinuxKernel(
  { netnsPrefix: `${name}-`, hostNetns: `/run/netns/${name}`, hostsDir: directory },
  { logger: quiet, clock: new SystemClock() },
);
try {
  report('kernel', await kernelTimes(kernel));
  report('fold', foldTimes());
} finally {
  await kernel.close();
  execFileSync('ip', ['netns', 'delete', name]);
  rmSync(directory, { recursive: true });
}

/**
 * What the way out costs whom it is for: an attach to an overlay with the gateway bridge, and with one published port,
 * beside an attach to an internal overlay, which has neither. First as a user waits for it, with a daemon on a file store;
 * then the kernel's part of it alone, beside `ip`, `bridge` and `nft` doing the same, one command after the other, without
 * the time that their processes take to start. Needs root; makes namespaces of its own.
 *
 * All are taken in turns. Of attaches the medians are compared, and of the kernel's part the best rounds: what disturbs a
 * round makes it slower, never faster.
 *
 * node dist/benchmarks/gateway.bench.js [rounds]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../adapters/system/clock.ts';
import { Client } from '../api/client.ts';
import type { Operation } from '../core/dataplane/kernel.ts';
import { keyOf } from '../core/dataplane/key.ts';
import { operationText } from '../core/dataplane/text.ts';
import { DesiredState } from '../core/desired/desired-state.ts';
import type { State } from '../core/fold/state.ts';
import type { Logger } from '../core/ports/logger.ts';
import { ActualState } from '../core/reconcile/actual-state.ts';
import { planFor } from '../core/reconcile/plan.ts';
import { drivers } from '../drivers/index.ts';
import { LinuxKernel } from '../kernel/linux-kernel.ts';
import { createLab, labHindrance } from '../lab/hosts.ts';
import { accepted, Ledger } from '../test/support/ledger.ts';

const rounds = Number(process.argv[2] ?? 50);
const ways = ['internal', 'with the gateway bridge', 'with it and a port'] as const;
type Way = (typeof ways)[number];
/** Enters a namespace without the mounts that `ip netns exec` makes. */
const enter = ['nsenter'] as const;

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

const hindrance = await labHindrance();
if (hindrance !== undefined) process.stdout.write(`skipped: ${hindrance}\n`);
else {
  await measureAttaches();
  await measureKernel();
}

function newTimes<T extends string>(names: readonly T[]): Record<T, number[]> {
  return Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<T, number[]>;
}

async function measureAttaches(): Promise<void> {
  using lab = await createLab({ hosts: ['here'] });
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has a host');
  await host.startDaemon({ store: `file:${lab.folder}/log` });
  const api = new Client({ socket: host.socket });
  const connect = (ref: string, sandbox: string, ports: readonly string[] = []) =>
    api.call('connect', { params: { ref }, body: { sandbox, ports: [...ports] } });
  for (const [name, internal] of [
    ['out', false],
    ['in', true],
  ] as const) {
    await api.call('createNetwork', { body: { name, internal } });
    // What a network needs on the host is there for all rounds.
    await connect(name, await host.addSandbox(`keeper-${name}`));
  }
  const sandbox = await host.addSandbox('box');
  const attach: Record<Way, () => ReturnType<typeof connect>> = {
    internal: () => connect('in', sandbox),
    'with the gateway bridge': () => connect('out', sandbox),
    'with it and a port': () => connect('out', sandbox, ['8080:80']),
  };
  const times = newTimes(ways);
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      const start = performance.now();
      const { id } = await attach[way]();
      times[way].push(performance.now() - start);
      await api.call('removeEndpoint', { params: { ref: id } });
    }
  }
  report('attach by a daemon', times, 'internal', median);
}

/** The operations of an attach, and those that take it back. */
interface Step {
  readonly there: readonly Operation[];
  readonly back: readonly Operation[];
}

async function measureKernel(): Promise<void> {
  const tag = `wb${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), tag));
  const namespaces = [`${tag}h`, `${tag}keeper`, `${tag}box`];
  for (const name of namespaces) execFileSync('ip', ['netns', 'add', name]);
  const kernel = new LinuxKernel(
    { netnsPrefix: `${tag}-`, hostNetns: `/run/netns/${tag}h`, hostsDir: directory },
    { logger: quiet, clock: new SystemClock() },
  );
  try {
    await measureSteps(kernel, tag);
  } finally {
    await kernel.close();
    const owned = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).match(/^\S+/gm) ?? [];
    for (const name of owned.filter((each) => each.startsWith(tag)))
      execFileSync('ip', ['netns', 'delete', name]);
    rmSync(directory, { recursive: true });
  }
}

async function measureSteps(kernel: LinuxKernel, tag: string): Promise<void> {
  const ledger = new Ledger('h1');
  accepted(ledger.join('h1', { address: '192.168.2.1', gatewaySubnet: '192.168.240.0/20' }));
  const sandbox = (name: string) => ({ ref: `${tag}${name}`, identity: name });
  for (const [name, internal] of [
    ['out', false],
    ['in', true],
  ] as const) {
    accepted(ledger.network('h1', name, { internal }));
    accepted(ledger.attach('h1', name, { sandbox: sandbox('keeper') }));
  }
  await carryOut(kernel, operations(undefined, ledger.state, tag));
  const stepOf = (network: string, ports?: string[]): Step => {
    const before = ledger.state;
    const wishes = { sandbox: sandbox('box'), ...(ports === undefined ? {} : { ports }) };
    const folded = accepted(ledger.attach('h1', network, wishes));
    const after = ledger.state;
    const [change] = folded.changes;
    if (change?.type !== 'endpoint-added') throw new Error('the attach made no endpoint');
    accepted(ledger.detach('h1', change.endpoint.id));
    return { there: operations(before, after, tag), back: operations(after, before, tag) };
  };
  const steps: Record<Way, Step> = {
    internal: stepOf('in'),
    'with the gateway bridge': stepOf('out'),
    'with it and a port': stepOf('out', ['8080:80']),
  };
  const byHand = 'by ip, bridge and nft';
  const times = newTimes([...ways, byHand]);
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      times[way].push(await timeOf(() => carryOut(kernel, steps[way].there)));
      await carryOut(kernel, steps[way].back);
    }
    const commands = commandsOf(steps['with it and a port'].there);
    starts.push(await timeOf(async () => commands.forEach(([file]) => runOnHost(tag, [file, '-V']))));
    times[byHand].push(await timeOf(async () => commands.forEach((words) => runOnHost(tag, words))));
    await carryOut(kernel, steps['with it and a port'].back);
  }
  const started = best(starts);
  times[byHand] = times[byHand].map((ms) => ms - started);
  report("the kernel's part", times, byHand, best);
}

/** What leads from one state to another on the host; from nothing where there is none. */
function operations(before: State | undefined, after: State, tag: string): readonly Operation[] {
  const compiled = (state: State): DesiredState => {
    const desired = new DesiredState(drivers, { host: 'h1', netnsPrefix: `${tag}-` });
    desired.load(state);
    return desired;
  };
  const actual = new ActualState();
  const old = before === undefined ? undefined : compiled(before);
  const keys = new Set<string>();
  for (const desired of [old, compiled(after)]) {
    for (const ns of desired?.namespaces() ?? []) {
      for (const [key, object] of desired?.inNamespace(ns) ?? []) {
        keys.add(key);
        if (desired === old) actual.set(keyOf(object), object);
      }
    }
  }
  return planFor(
    keys,
    compiled(after),
    actual,
    () => [],
    () => true,
  ).operations;
}

async function carryOut(kernel: LinuxKernel, list: readonly Operation[]): Promise<void> {
  const results = await kernel.apply(list);
  const failed = results.findIndex((result) => !result.ok);
  const fault = results[failed];
  const operation = list[failed];
  if (fault?.ok === false && operation !== undefined)
    throw new Error(`${operationText(operation)}: ${fault.reason}`);
}

/** Comments are what no command does, as hosts files. */
function commandsOf(list: readonly Operation[]): (readonly [string, ...string[]])[] {
  return list
    .flatMap((operation) => operationText(operation).split(' && '))
    .filter((line) => !line.startsWith('#'))
    .map((line) => [...line.matchAll(/'([^']*)'|\S+/g)].map(([whole, quoted]) => quoted ?? whole))
    .map(([file = '', ...words]) => [file, ...words] as const);
}

function runOnHost(tag: string, words: readonly string[]): void {
  const [file, ...rest] = [...enter, `--net=/run/netns/${tag}h`, ...words];
  execFileSync(file, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function timeOf(act: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function report<T extends string>(
  what: string,
  times: Record<T, readonly number[]>,
  beside: T,
  ofAll: (values: readonly number[]) => number,
): void {
  const base = ofAll(times[beside]);
  for (const [name, list] of Object.entries<readonly number[]>(times)) {
    const ms = ofAll(list);
    process.stdout.write(
      `${what}, ${name}: ${ms.toFixed(1)} ms, ${(ms / base).toFixed(2)} times ${beside}\n`,
    );
  }
}

function best(values: readonly number[]): number {
  return Math.min(...values);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

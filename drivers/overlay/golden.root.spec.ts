/**
 * The commands of the goldens, run on two real hosts made of network namespaces: what a reviewer reads there is what
 * carries packets. Shows that every pair of endpoints reaches each other, that nothing is learned, and that what no
 * table knows does not get to the underlay.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { toCommands } from '../../core/dataplane/text.ts';
import { addressOf, familyOf, type InterfaceAddress } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import { compileCase, type OverlayCase, overlayCases, viewOf } from '../../test/support/overlay-cases.ts';
import { requireCommand, requireRoot } from '../../test/support/requirements.ts';
import { overlayDriver } from './driver.ts';

const run = promisify(execFile);
const unique = `wt${process.pid}`;

describe('overlay goldens on a real kernel', () => {
  before(function () {
    requireRoot(this);
    for (const command of ['ip', 'bridge', 'ping', 'sysctl', 'nsenter']) requireCommand(this, command);
  });
  beforeEach(removeAll);
  afterEach(removeAll);

  for (const each of overlayCases) {
    it(each.name, async () => {
      const given = withUniqueSandboxes(each);
      await makeUnderlay(given);
      for (const { sandbox } of given.endpoints) await run('ip', ['netns', 'add', sandbox.ref]);
      for (const host of given.hosts) await runCommands(given, host);
      for (const from of given.endpoints) {
        for (const to of given.endpoints) for (const address of to.addresses) await ping(from, address);
      }
      for (const host of given.hosts) await assertNothingLearned(given, host);
      await assertUnknownStaysHome(given);
    });
  }
});

function withUniqueSandboxes(given: OverlayCase): OverlayCase {
  const endpoints = given.endpoints.map((endpoint) => ({
    ...endpoint,
    sandbox: { ...endpoint.sandbox, ref: `${unique}-${endpoint.sandbox.ref}` },
  }));
  return { ...given, endpoints };
}

function hostNetns(host: Host): string {
  return `${unique}-${host.name}`;
}

/** Both hosts have their overlay namespaces on one machine, so their prefixes must differ. */
function prefixOf(host: Host): string {
  return `${unique}-${host.name}-`;
}

function overlayNetns(given: OverlayCase, host: Host): string {
  return `${prefixOf(host)}${given.network.id.slice(0, 10)}`;
}

async function makeUnderlay({ hosts }: OverlayCase): Promise<void> {
  const [a, b] = hosts;
  assert.ok(a !== undefined && b !== undefined && hosts.length === 2, 'the case has two hosts');
  for (const host of hosts) await run('ip', ['netns', 'add', hostNetns(host)]);
  const peer = ['peer', 'name', 'underlay', 'netns', hostNetns(b)];
  await run('ip', ['-n', hostNetns(a), 'link', 'add', 'underlay', 'type', 'veth', ...peer]);
  for (const host of hosts) {
    const length = familyOf(host.address) === 4 ? 24 : 64;
    const options = familyOf(host.address) === 6 ? ['nodad'] : [];
    const ip = ['-n', hostNetns(host)];
    await run('ip', [...ip, 'address', 'add', `${host.address}/${length}`, 'dev', 'underlay', ...options]);
    await run('ip', [...ip, 'link', 'set', 'underlay', 'up']);
  }
}

async function runCommands(given: OverlayCase, host: Host): Promise<void> {
  const view = viewOf(given, host, prefixOf(host));
  for (const command of compileCase(overlayDriver, given, view).flatMap(toCommands)) {
    // Not `ip netns exec`: in the mount namespace that it makes, new names of namespaces would be lost.
    await run('nsenter', [`--net=/run/netns/${hostNetns(host)}`, ...wordsOf(command)]);
  }
}

/** As a shell takes them apart. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

async function ping(from: Endpoint, address: InterfaceAddress): Promise<void> {
  const words = ['ping', '-c', '1', '-W', '5', '-q', addressOf(address)];
  await run('ip', ['netns', 'exec', from.sandbox.ref, ...words]);
}

async function assertNothingLearned(given: OverlayCase, host: Host): Promise<void> {
  const netns = overlayNetns(given, host);
  const local = given.endpoints.filter((endpoint) => endpoint.host === host.name).length;
  const fdb = (await run('bridge', ['-n', netns, 'fdb', 'show'])).stdout.trim().split('\n');
  // The bridge's own and its ports' addresses, and those of their multicast groups, are permanent and no one's choice.
  const dynamic = fdb.filter((line) => !/\b(permanent|static)\b/.test(line));
  assert.deepEqual(dynamic, []);
  assert.equal(fdb.filter((line) => line.endsWith(' static')).length, local);
  assert.equal(fdb.filter((line) => line.includes(' dst ')).length, given.endpoints.length - local);
  const neighbours = (await run('ip', ['-n', netns, 'neigh', 'show', 'dev', 'vxlan0'])).stdout
    .trim()
    .split('\n');
  assert.deepEqual(
    neighbours.filter((line) => !line.trim().endsWith('PERMANENT')),
    [],
  );
}

/** Broadcasts, and asking for an address that nobody has. */
async function assertUnknownStaysHome(given: OverlayCase): Promise<void> {
  const [host] = given.hosts;
  const from = given.endpoints.find((endpoint) => endpoint.host === host?.name);
  const [address] = from?.addresses ?? [];
  assert.ok(host !== undefined && from !== undefined && address !== undefined);
  const [nobody, everybody] =
    familyOf(address) === 4 ? ['10.0.1.99', '224.0.0.1'] : ['fd00:1::99', 'ff02::1%eth0'];
  const before = await sentByVxlan(given, host);
  const pings = ['netns', 'exec', from.sandbox.ref, 'ping', '-c', '1', '-W', '1'];
  await assert.rejects(run('ip', [...pings, nobody]));
  // Answered on the host or not at all; what matters is where it goes.
  await Promise.allSettled([run('ip', [...pings, everybody])]);
  assert.equal(await sentByVxlan(given, host), before);
}

/** Packets that vxlan0 has put on the underlay. */
async function sentByVxlan(given: OverlayCase, host: Host): Promise<number> {
  const netns = overlayNetns(given, host);
  const { stdout } = await run('ip', [
    'netns',
    'exec',
    netns,
    'cat',
    '/sys/class/net/vxlan0/statistics/tx_packets',
  ]);
  const count = Number(stdout.trim());
  assert.ok(count > 0, 'the pings before were counted');
  return count;
}

async function removeAll(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list']);
  const names = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of names) if (name.startsWith(`${unique}-`)) await run('ip', ['netns', 'delete', name]);
}

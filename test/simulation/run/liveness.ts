/** All faults are healed: everything must come right within a bound of virtual time, and then stay as it is. */
import { downHostsMax } from '../../../core/fold/host.ts';
import type { State } from '../../../core/fold/state.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { Clients } from '../clients/clients.ts';
import { differencesOf } from '../monitors/differences.ts';
import type { Truth } from '../monitors/truth.ts';
import { Violation } from '../monitors/violation.ts';
import { wayOutFaults } from '../monitors/way-out.ts';
import { strangerFaults, wireFaults } from '../monitors/wire.ts';
import { lateMsMax } from '../store/wire.ts';
import type { Life, SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';
import { actInCalm, type Matter } from './calm.ts';

/** Audit, longest pause between attempts, late requests and a request's own deadline, one after the other, and drift. */
const settleMsMax = 200_000;
const lookMs = 1_000;
/** An audit of the slowest clock, and everything else that a host does at rest but for looking after the log. */
const restMs = 35_000;
/** Two audits, and a look at whether a snapshot is due: long, so few lives have it. */
const longRestMs = 75_000;
const longRests = 0.2;

export interface Cluster {
  readonly world: World;
  readonly hosts: readonly SimHost[];
  readonly clients: Clients;
  readonly truth: Truth;
}

/** Waits until nothing is left to do, asks one more thing of each host, and sees that all are then at rest. */
export async function settle(cluster: Cluster): Promise<void> {
  const { world, hosts, clients } = cluster;
  const beganAtMs = world.nowMs;
  await untilSettled(cluster);
  world.tally.add('virtual:settle-ms', Math.round(world.nowMs - beganAtMs));
  // Requests that are still on their way from before may land until then, and remove a host that has its last word.
  await world.scheduler.runUntil(beganAtMs + lateMsMax);
  await untilSettled(cluster);
  await world.drive(Promise.all(hosts.map((host) => clients.lastWord(host))), 30_000);
  await untilSettled(cluster);
  await actInCalm(cluster, openMatter);
  await rest(cluster);
}

/** @throws Violation where it does not come about */
export async function untilSettled(cluster: Cluster): Promise<void> {
  const { world } = cluster;
  const endMs = world.nowMs + settleMsMax;
  for (;;) {
    await world.scheduler.runUntil(world.nowMs + lookMs);
    for (const host of cluster.hosts) host.reviveIfRemoved();
    const open = await openMatter(cluster);
    if (open === undefined) return;
    if (world.nowMs > endMs)
      throw new Violation(open.invariant, `after ${settleMsMax} ms of health: ${open.seen}`);
  }
}

/** The first thing found that is not yet as it should be. */
async function openMatter({ world, hosts, clients, truth }: Cluster): Promise<Matter | undefined> {
  const [name] = clients.unanswered();
  if (name !== undefined) return { invariant: 'I39', seen: `${name} has no answer` };
  for (const host of hosts) {
    const matter =
      host.life === undefined
        ? fateOpenOf(host.name, world, truth.state)
        : await openOf(world, host, host.life, truth);
    if (matter !== undefined) return matter;
  }
  return undefined;
}

/** What the others have still to say of a host that is dead. */
function fateOpenOf(name: string, { plan }: World, state: State): Matter | undefined {
  const host = state.hosts.get(name);
  if (host === undefined || plan.graceMs > settleMsMax) return undefined;
  const isOpen = host.isDown ? plan.retentionMs < settleMsMax : state.downHosts.size < downHostsMax(state);
  if (!isOpen) return undefined;
  return {
    invariant: 'I39',
    seen: `${name}, which is dead, ${host.isDown ? 'has not expired' : 'is not down'}`,
  };
}

async function openOf(world: World, host: SimHost, life: Life, truth: Truth): Promise<Matter | undefined> {
  const { state } = life.controller;
  const say = (invariant: string, seen: string) => ({ invariant, seen: `${life.process.name} ${seen}` });
  if (state.ordinal !== truth.state.ordinal)
    return say('I39', `is at ${state.ordinal} of ${truth.state.ordinal}`);
  if (life.phase !== 'running') return say('I39', `is ${life.phase}`);
  if (state.hosts.get(host.name)?.isDown !== false)
    return say('I39', 'works, and is no living host of the cluster');
  const outdated = await outdatedOf(host, state);
  if (outdated !== undefined) return say('I14', outdated);
  const [difference] = differencesOf(host.machine, host.name, state);
  if (difference !== undefined) return say('I29/I33/I34', difference);
  const inventory = host.machine.inventory();
  const [fault] = wireFaults(inventory, host.name, state);
  if (fault !== undefined) return say('I34', fault);
  const [stranger] = strangerFaults(inventory, host.name, state);
  if (stranger !== undefined) return say('I37', stranger);
  const [stuck] = wayOutFaults(inventory, host.name, state);
  if (stuck !== undefined) return say('I46', stuck);
  const { dataplane, caughtUp } = await world.drive(life.controller.status(cancelScope().signal), 10_000);
  if (caughtUp !== true) return say('I39', 'does not know that it is at the end of the log');
  if (dataplane.pending > 0) return say('I29', `has ${dataplane.pending} objects pending`);
  return undefined;
}

/** An endpoint whose sandbox is no more, or another one by now. */
async function outdatedOf(host: SimHost, state: State): Promise<string | undefined> {
  for (const { host: name, id, sandbox } of state.endpoints.values()) {
    if (name !== host.name) continue;
    const identity = await host.identityOf(sandbox.ref);
    if (identity !== sandbox.identity)
      return `has endpoint ${id.slice(0, 12)} in ${sandbox.ref}, a former one`;
  }
  return undefined;
}

/** Nothing is done where nothing is to do. */
async function rest({ world, hosts, truth }: Cluster): Promise<void> {
  const living = hosts.filter(({ life }) => life !== undefined);
  const { ordinal } = truth.state;
  const before = living.map(({ machine }) => machine.operations);
  const isLong = world.chance('rest').happens(longRests);
  if (isLong) world.met('long rest');
  await world.scheduler.runUntil(world.nowMs + (isLong ? longRestMs : restMs));
  living.forEach(({ name, machine }, index) => {
    const writes = machine.operations - (before[index] ?? 0);
    if (writes > 0) throw new Violation('I31', `${name} made ${writes} writes while nothing was to do`);
    world.checked('I31 at rest');
  });
  if (truth.state.ordinal !== ordinal)
    throw new Violation('I31', 'records were written while nothing was to do');
  for (const { life } of living) {
    const state = life?.controller.state;
    if (state?.stateHash !== truth.state.stateHash) throw new Violation('I9', 'hosts at rest differ');
    world.checked('I9 at rest');
  }
  for (const invariant of ['I29', 'I33', 'I34', 'I37', 'I39', 'I46']) world.checked(invariant);
}

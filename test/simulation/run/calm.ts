/**
 * What must go quickly where nothing is wrong, because kernels and stores tell of changes: what comes and goes is in
 * every kernel within moments, and so is what others undo, which counts as a repair. Audits would find most of it
 * too, much later.
 */
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import { type Clients, lastNetworkOf } from '../clients/clients.ts';
import { Violation } from '../monitors/violation.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';

/** For the slowest store and the slowest kernel; much less than an audit's interval. */
const promptMsMax = 5_000;

export interface CalmCluster {
  readonly world: World;
  readonly hosts: readonly SimHost[];
  readonly clients: Clients;
}

type OpenMatters<C> = (cluster: C) => Promise<{ readonly invariant: string; readonly seen: string }[]>;

/** @param openMatters what is not yet as it should be */
export async function actInCalm<C extends CalmCluster>(
  cluster: C,
  openMatters: OpenMatters<C>,
): Promise<void> {
  const { world, hosts, clients } = cluster;
  const living = hosts.filter(({ life }) => life !== undefined);
  const [first] = living;
  const last = living.at(-1);
  if (first === undefined || last === undefined) return;
  world.isCalm = true;
  const attached = await promptly(
    world,
    'attachments',
    Promise.all(living.map((host) => clients.attachCalmly(host, lastNetworkOf(world, first)))),
  );
  // What two networks of a sandbox share must stay when one of them goes.
  if (last !== first)
    await promptly(world, 'another', clients.attachCalmly(last, lastNetworkOf(world, last)));
  await comesRight(cluster, openMatters, 'I29', 'an attachment');
  if (world.chance('calm').happens(0.3)) await comesBackElsewhere(cluster, last, openMatters);
  const endpoint = attached.at(-1);
  if (endpoint !== undefined) await promptly(world, 'a removal', clients.detachCalmly(last, endpoint));
  await comesRight(cluster, openMatters, 'I33', 'a removal');
  world.isCalm = false;
  await areMended(cluster, living, openMatters);
}

/** A host's machine gets another address and MTU; everybody has to send there, and nothing larger. */
async function comesBackElsewhere<C extends CalmCluster>(
  cluster: C,
  host: SimHost,
  openMatters: OpenMatters<C>,
): Promise<void> {
  const { world } = cluster;
  const chance = world.chance('calm move');
  await promptly(world, 'a stop', host.stop());
  host.move(chance.pick([2, 3]), chance.pick([1_400, 1_500]));
  host.start();
  await world.scheduler.runUntil(world.nowMs + promptMsMax);
  await comesRight(cluster, openMatters, 'I29', 'a host came back elsewhere');
  world.met('host comes back elsewhere');
}

async function areMended<C extends CalmCluster>(
  cluster: C,
  living: readonly SimHost[],
  openMatters: OpenMatters<C>,
): Promise<void> {
  const { world } = cluster;
  const before = await repairsOf(world, living);
  const touched = living.map(({ foreign }) => foreign.disturb());
  await comesRight(cluster, openMatters, 'I30', 'a change by hand');
  const after = await repairsOf(world, living);
  living.forEach(({ name }, index) => {
    if (touched[index] === true && after[index] === before[index])
      throw new Violation('I30', `${name} has mended its kernel and not counted it`);
  });
}

/** Within moments everything is as it should be. */
async function comesRight<C extends CalmCluster>(
  cluster: C,
  openMatters: OpenMatters<C>,
  invariant: string,
  after: string,
): Promise<void> {
  const { world } = cluster;
  await world.scheduler.runUntil(world.nowMs + promptMsMax);
  const [open] = await openMatters(cluster);
  if (open !== undefined)
    throw new Violation(invariant, `${promptMsMax} ms after ${after}: ${open.seen} (${open.invariant})`);
  world.checked(`${invariant} promptly`);
}

async function promptly<T>(world: World, what: string, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const note = (): void => {
    isDone = true;
  };
  promise.then(note, note);
  await world.scheduler.runUntil(world.nowMs + promptMsMax, () => isDone);
  if (!isDone) throw new Violation('I39', `${what} took more than ${promptMsMax} ms, and nothing is wrong`);
  return await promise;
}

async function repairsOf(world: World, living: readonly SimHost[]): Promise<number[]> {
  const counts: number[] = [];
  for (const { life } of living) {
    if (life === undefined) continue;
    const status = await world.drive(life.controller.status(cancelScope().signal), promptMsMax);
    counts.push(status.dataplane.repairs);
  }
  return counts;
}

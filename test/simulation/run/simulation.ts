/**
 * The life of one cluster, from one integer: production controllers over virtual time, a model store and model kernels,
 * with everything going wrong that its plan allows.
 *
 * Phases: *safety*, in which faults happen and invariants must hold after every step; *liveness*, in which all faults are
 * healed, but for hosts that stay dead, and everything must come right within a bound and then be at rest; *audit*, in
 * which a fresh replica folds the log from its beginning; and an *ending* in which the store is lost, and nobody may
 * touch a kernel because of it.
 *
 * Two runs of one seed are the same, step by step: `digest` says so.
 */
import { Clients } from '../clients/clients.ts';
import { RequestMonitor } from '../monitors/request-monitor.ts';
import { Truth } from '../monitors/truth.ts';
import { Violation } from '../monitors/violation.ts';
import { isForeign, isOfHost, isOfLog, isRequest } from '../scenario/intervention.ts';
import { Script } from '../scenario/script.ts';
import { Stores } from '../store/stores.ts';
import type { StoreStyle } from '../store/traps.ts';
import { type Plan, planOf, settingOf } from '../world/plan.ts';
import { Scribbler } from '../world/scribbler.ts';
import { SimHost } from '../world/sim-host.ts';
import type { Trace } from '../world/trace.ts';
import { Troubles } from '../world/troubles.ts';
import { World } from '../world/world.ts';
import { audit } from './audit.ts';
import { lose } from './ending.ts';
import { settle } from './liveness.ts';
import { moveInCalm } from './moving.ts';
import { reseed } from './reseeding.ts';

export interface Result {
  readonly seed: number;
  readonly steps: number;
  readonly records: number;
  readonly virtualMs: number;
  readonly digest: string;
  readonly counts: readonly (readonly [string, number])[];
}

/** What a life is begun with. */
export interface Origin {
  readonly seed: number;
  readonly plan: Plan;
  readonly script: Script;
}

/** All is drawn by chance. @param style of the store, where it is not to be drawn */
export function fromSeed(seed: number, style?: StoreStyle): Origin {
  return { seed, plan: planOf(seed, style), script: new Script() };
}

/** Lives it. @throws Violation, or whatever a defect of the code under test throws */
export async function simulate({ seed, plan, script }: Origin, trace: Trace): Promise<Result> {
  const world = new World(seed, plan, trace, script);
  const unheard = (error: unknown): void => {
    world.fail(new Violation('I40', `a defect: ${error instanceof Error ? error.stack : String(error)}`));
  };
  process.on('unhandledRejection', unheard);
  process.on('uncaughtException', unheard);
  try {
    return await live(world);
  } finally {
    process.off('unhandledRejection', unheard);
    process.off('uncaughtException', unheard);
  }
}

async function live(world: World): Promise<Result> {
  world.note('setting', JSON.stringify(settingOf(world.plan)));
  const requests = new RequestMonitor(world, () => truth);
  const truth: Truth = new Truth(world, (step) => requests.take(step));
  const store = new Stores(world, {
    take: (entry) => {
      // What others write into a store that was lost is no part of this cluster's log.
      if (world.phase !== 'ending') truth.take(entry);
      return truth.state.course.next?.url;
    },
    takeStray: (entry) => truth.takeStray(entry),
  });
  const hosts = Array.from({ length: world.plan.hosts }, (_, index) => {
    return new SimHost(world, store, truth, index + 1);
  });
  const clients = new Clients(world, hosts, requests);
  const troubles = new Troubles(world, store, hosts);
  const scribbler = new Scribbler(world, store, truth);
  play({ world, hosts, clients, troubles, scribbler });
  for (const host of hosts) host.foreign.begin();
  clients.begin();
  troubles.begin();
  scribbler.begin();
  await world.scheduler.runUntil(world.plan.safetyMs);
  const dead = new Set(hosts.filter(({ name }) => world.plan.dead.includes(name)));
  if (dead.size > 0) world.met('hosts stay dead');
  enter(world, 'liveness');
  await troubles.heal(dead);
  await settle({ world, hosts, clients, truth });
  for (const { foreign } of hosts) foreign.check();
  await moveInCalm({ world, hosts, clients, truth }, store);
  enter(world, 'audit');
  await audit(world, store, truth);
  enter(world, 'ending');
  await lose(world, store, hosts);
  if (store.length > 0 || world.plan.ending === 'wiped') {
    enter(world, 'reseed');
    if (await reseed(world, store, hosts)) await settle({ world, hosts, clients, truth });
  }
  await new Promise((resolve) => setTimeout(resolve));
  await world.scheduler.runUntil(world.nowMs);
  return {
    seed: world.seed,
    steps: world.scheduler.steps,
    records: truth.steps.length,
    virtualMs: world.nowMs,
    digest: world.trace.digest,
    counts: [...world.tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

interface Cast {
  readonly world: World;
  readonly hosts: readonly SimHost[];
  readonly clients: Clients;
  readonly troubles: Troubles;
  readonly scribbler: Scribbler;
}

/** What is written comes at its moment. */
function play({ world, hosts, clients, troubles, scribbler }: Cast): void {
  for (const intervention of world.script.timed) {
    const { atMs, who } = intervention;
    const host = hosts.find(({ name }) => name === who);
    const anyHost = host ?? hosts[0];
    world.scheduler.first(atMs, () => {
      if (!world.isFaulty) return;
      if (isRequest(intervention)) clients.perform(who, intervention.doing);
      else if (isOfLog(intervention)) scribbler.perform(intervention.doing);
      else if (isForeign(intervention)) host?.foreign.perform(intervention.doing);
      else if (isOfHost(intervention) && anyHost !== undefined) troubles.perform(anyHost, intervention.doing);
    });
  }
}

function enter(world: World, phase: World['phase']): void {
  world.phase = phase;
  world.note('phase', phase);
  world.met(`phase ${phase}`);
}

/**
 * What must go quickly where nothing is wrong, because kernels and stores tell of changes: what comes and goes is in
 * every kernel within moments, and so is what others undo, which counts as a repair. Audits would find most of it
 * too, much later.
 */
import { keyOf } from '../../../core/dataplane/key.ts';
import type { KernelObject, Link } from '../../../core/dataplane/object.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import { snapshotsKept } from '../../../core/snapshot/defaults.ts';
import { type Clients, lastNetworkOf } from '../clients/clients.ts';
import { Violation } from '../monitors/violation.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';

/** For the slowest store and the slowest kernel; much less than an audit's interval. */
const promptMsMax = 5_000;
const lookMs = 1_000;
/** Of lives in which anything but repairs is asked of calm hosts: that costs as much as all the faults before it. */
const calmLives = 0.6;
/** Of those, that go through one thing more; each costs what a tenth of a life does or more, and thousands are lived. */
const calmRarity = 0.1;
/** Address of the second endpoint of a network, behind its prefix, its gateway and the first. */
const secondEndpoint = 3;
/** Many round trips, one after the other. */
const snapshotMsMax = 60_000;
const alteredMtu = 1_300;
/** So long a host may be away for the sake of its expiry; lives whose hosts are more patient see none. */
const expiryMsMax = 60_000;
/** For a store that was given up meanwhile: its longest pause, and a join. */
const comebackMsMax = 20_000;
/** From when it can be looked at until it is: an audit's interval. */
const blindMsMax = 40_000;

export interface CalmCluster {
  readonly world: World;
  readonly hosts: readonly SimHost[];
  readonly clients: Clients;
}

/** Something that is not as it should be. */
export interface Matter {
  readonly invariant: string;
  readonly seen: string;
}
type OpenMatter<C> = (cluster: C) => Promise<Matter | undefined>;

/** @param openMatter the first thing found that is not yet as it should be; undefined where there is none */
export async function actInCalm<C extends CalmCluster>(cluster: C, openMatter: OpenMatter<C>): Promise<void> {
  const { world, hosts } = cluster;
  const living = hosts.filter(({ life }) => life !== undefined);
  const [first] = living;
  const last = living.at(-1);
  if (first === undefined || last === undefined) return;
  if (world.chance('calm life').happens(calmLives)) await comeAndGo(cluster, first, last, living, openMatter);
  if (last !== first && world.chance('calm expiry').happens(0.8))
    await comesBackExpired(cluster, first, last, openMatter);
  await areMended(cluster, living, openMatter);
}

/** What is attached is there within moments, and what is removed is gone, also where something else comes between. */
async function comeAndGo<C extends CalmCluster>(
  cluster: C,
  first: SimHost,
  last: SimHost,
  living: readonly SimHost[],
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world, clients } = cluster;
  world.isCalm = true;
  const mac = world.chance('calm MAC').happens(calmRarity) ? derivedLater(world, first) : undefined;
  const attach = (host: SimHost) => clients.attachCalmly(host, lastNetworkOf(world, first), mac);
  const early = mac === undefined ? [] : [await promptly(world, 'an attachment', attach(first))];
  const others = early.length === 0 ? living : living.slice(1);
  const attachAll = others.map((host) => clients.attachCalmly(host, lastNetworkOf(world, first)));
  const attached = [...early, ...(await promptly(world, 'attachments', Promise.all(attachAll)))];
  // What two networks of a sandbox share must stay when one of them goes.
  if (last !== first)
    await promptly(world, 'another', clients.attachCalmly(last, lastNetworkOf(world, last)));
  await comesRight(cluster, openMatter, 'I29', 'an attachment');
  if (world.chance('calm').happens(0.3)) await comesBackElsewhere(cluster, last, openMatter);
  if (world.chance('calm restart').happens(calmRarity)) await comesBackHalfBlind(cluster, last, openMatter);
  const endpoint = attached.at(-1);
  if (endpoint !== undefined) await promptly(world, 'a removal', clients.detachCalmly(last, endpoint));
  await comesRight(cluster, openMatter, 'I33', 'a removal');
  world.isCalm = false;
  if (endpoint !== undefined && world.chance('calm loss').happens(calmRarity))
    await losesWhileItWaits(cluster, last, openMatter);
  if (last !== first && world.chance('calm leap').happens(calmRarity))
    await leaps(cluster, first, last, openMatter);
}

/** The MAC address that weft would derive for the second endpoint of the host's last network, which the first asks for. */
function derivedLater(world: World, host: SimHost): string | undefined {
  const networks = [...(host.life?.controller.state.networks.values() ?? [])];
  const prefix = networks.find(({ name }) => name === lastNetworkOf(world, host))?.subnets[0]?.prefix;
  const bytes = prefix?.split('/')[0]?.split('.').map(Number) ?? [];
  if (bytes.length !== 4) return undefined;
  bytes[3] = (bytes[3] ?? 0) + secondEndpoint;
  return `02:42:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}

/** A host's machine gets another address and MTU; everybody has to send there, and nothing larger. */
async function comesBackElsewhere<C extends CalmCluster>(
  cluster: C,
  host: SimHost,
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world } = cluster;
  const chance = world.chance('calm move');
  await promptly(world, 'a stop', host.stop());
  host.move(chance.pick([2, 3]), chance.pick([1_400, 1_500]));
  host.start();
  await world.scheduler.runUntil(world.nowMs + promptMsMax);
  await comesRight(cluster, openMatter, 'I29', 'a host came back elsewhere');
  world.met('host comes back elsewhere');
}

/**
 * One namespace cannot be looked at when a daemon comes back. Where all is in order it stays as it is; where one end of
 * a pair was altered meanwhile it is mended, and not made anew because its other end cannot be seen.
 */
async function comesBackHalfBlind<C extends CalmCluster>(
  cluster: C,
  host: SimHost,
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world } = cluster;
  const { machine } = host;
  const chance = world.chance('calm restart hides');
  const pairs = machine.objects().filter(isPortOfBridge);
  if (pairs.length === 0) return;
  const pair = chance.pick(pairs);
  await promptly(world, 'a stop', host.stop());
  const isAltered = chance.happens(0.5);
  if (isAltered) machine.alterByHand({ ...pair, mtu: alteredMtu });
  const before = machine.operations;
  const { kernel } = host.start();
  kernel.hide(isAltered ? pair.type.peer.ns : chance.pick([pair.ns, pair.type.peer.ns]));
  await world.scheduler.runUntil(world.nowMs + promptMsMax);
  kernel.hide(undefined);
  await stillOpen(cluster, openMatter, blindMsMax);
  await comesRight(cluster, openMatter, 'I29', 'a host came back half blind');
  const writes = machine.operations - before;
  const needed = isAltered ? 1 : 0;
  if (writes > needed)
    throw new Violation('I36', `${host.name} made ${writes} writes to a kernel that needed ${needed}`);
  world.met('host comes back half blind');
}

/** A host is away, or asleep, until the others have given it up: it joins anew, and nothing is left of its former life. */
async function comesBackExpired<C extends CalmCluster>(
  cluster: C,
  observer: SimHost,
  host: SimHost,
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world } = cluster;
  const awayMsMax = 3 * (world.plan.graceMs + world.plan.retentionMs);
  if (awayMsMax > expiryMsMax) return;
  const sleeper = world.chance('calm sleep').happens(0.7) ? host.life?.process : undefined;
  if (sleeper === undefined) await promptly(world, 'a stop', host.stop());
  else sleeper.pause();
  const isKnown = (): boolean => observer.life?.controller.state.hosts.has(host.name) === true;
  for (const endMs = world.nowMs + awayMsMax; isKnown() && world.nowMs < endMs; )
    await world.scheduler.runUntil(world.nowMs + lookMs);
  if (sleeper === undefined) host.start();
  else sleeper.resume();
  const open = await stillOpen(cluster, openMatter, comebackMsMax);
  if (open !== undefined)
    throw new Violation(
      'I39',
      `${comebackMsMax} ms after ${host.name} came back: ${open.seen} (${open.invariant})`,
    );
}

type Pair = Link & { readonly type: Extract<Link['type'], { type: 'veth' }> };

function isPortOfBridge(object: KernelObject): object is Pair {
  return object.kind === 'link' && object.type.type === 'veth' && object.ns.startsWith('net:');
}

/**
 * A host sleeps while another one goes on, until the log is trimmed beyond it: it has to go on from a snapshot. Where the
 * archive of the other one takes nothing, nothing is to be trimmed.
 */
async function leaps<C extends CalmCluster>(
  cluster: C,
  awake: SimHost,
  asleep: SimHost,
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world, clients } = cluster;
  const sleeper = asleep.life?.process;
  const { controller } = awake.life ?? {};
  if (sleeper === undefined || controller === undefined) return;
  world.note(sleeper.name, 'is paused');
  sleeper.pause();
  const isFull = world.chance('calm archive').happens(0.4);
  if (isFull) awake.archive.fault = 'no room is left on its disk';
  // Of which the sleeper is to hear by the snapshot alone.
  await promptly(world, 'an attachment', clients.attachCalmly(awake, lastNetworkOf(world, asleep)));
  for (let count = 1; count <= snapshotsKept; count += 1) {
    await promptly(world, 'a network', clients.lastWord(awake, `${lastNetworkOf(world, awake)}-${count}`));
    await world.drive(controller.makeSnapshot(cancelScope().signal), snapshotMsMax);
  }
  awake.archive.fault = undefined;
  if (isFull) world.met('archive full');
  sleeper.resume();
  await world.scheduler.runUntil(world.nowMs + promptMsMax);
  await comesRight(cluster, openMatter, 'I29', 'a host leapt to a snapshot');
}

/**
 * Of an attachment one part is refused at first, and another that was in order goes just before the second attempt: the
 * answer is to wait for both.
 */
async function losesWhileItWaits<C extends CalmCluster>(
  cluster: C,
  host: SimHost,
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world, hosts, clients } = cluster;
  const network = hosts.find(({ life }) => life !== undefined);
  if (network === undefined || host.life === undefined) return;
  const { kernel } = host.life;
  const { machine } = host;
  const addresses = () =>
    machine
      .objects()
      .filter(isAddressOfSandbox)
      .map((object) => ({ object, key: keyOf(object) }));
  const before = new Set(addresses().map(({ key }) => key));
  const loseOne = (): void => {
    const lost = addresses().find(({ key }) => !before.has(key));
    if (lost === undefined) return;
    machine.deleteByHand(lost.object);
    world.note(host.name, `loses ${lost.key}`);
    world.met('lost while another part is waited for');
  };
  kernel.refuseOnce(({ op, object }) => {
    const isLast = op !== 'delete' && object.kind === 'fdb' && object.remote === undefined;
    if (isLast) kernel.onNextBatch(loseOne);
    return isLast;
  });
  await promptly(world, 'an attachment', clients.attachCalmly(host, lastNetworkOf(world, network)));
  await comesRight(cluster, openMatter, 'I29', 'an attachment that lost a part');
}

function isAddressOfSandbox({ kind, ns }: KernelObject): boolean {
  return kind === 'address' && ns.startsWith('sandbox:');
}

async function areMended<C extends CalmCluster>(
  cluster: C,
  living: readonly SimHost[],
  openMatter: OpenMatter<C>,
): Promise<void> {
  const { world } = cluster;
  const before = await repairsOf(world, living);
  const touched = living.map(({ foreign }) => foreign.disturb());
  await comesRight(cluster, openMatter, 'I30', 'a change by hand');
  const after = await repairsOf(world, living);
  living.forEach(({ name }, index) => {
    if (touched[index] === true && after[index] === before[index])
      throw new Violation('I30', `${name} has mended its kernel and not counted it`);
  });
}

/** Within moments everything is as it should be. */
async function comesRight<C extends CalmCluster>(
  cluster: C,
  openMatter: OpenMatter<C>,
  invariant: string,
  after: string,
): Promise<void> {
  const { world } = cluster;
  const open = await stillOpen(cluster, openMatter, promptMsMax);
  if (open !== undefined)
    throw new Violation(invariant, `${promptMsMax} ms after ${after}: ${open.seen} (${open.invariant})`);
  world.checked(`${invariant} promptly`);
}

/** What is not as it should be after all of that time; undefined as soon as there is nothing. */
async function stillOpen<C extends CalmCluster>(
  cluster: C,
  openMatter: OpenMatter<C>,
  msMax: number,
): Promise<Matter | undefined> {
  const { world } = cluster;
  const endMs = world.nowMs + msMax;
  for (;;) {
    await world.scheduler.runUntil(Math.min(endMs, world.nowMs + lookMs));
    const open = await openMatter(cluster);
    if (open === undefined || world.nowMs >= endMs) return open;
  }
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

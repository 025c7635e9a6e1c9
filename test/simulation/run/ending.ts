/**
 * The store is wiped, or an old backup is restored, or someone runs a newer weft: every host must find out, and leave its
 * kernel as it is.
 */
import { keyOf } from '../../../core/dataplane/key.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import { encodeEntry } from '../../../core/log/entry.ts';
import { recordVersion } from '../../../core/log/record.ts';
import type { EntryId } from '../../../core/model/ids.ts';
import { QuietLogger } from '../../support/quiet-logger.ts';
import { Violation } from '../monitors/violation.ts';
import { Link } from '../store/link.ts';
import type { Stores } from '../store/stores.ts';
import type { Chance } from '../world/chance.ts';
import { Process } from '../world/process.ts';
import { ProcessClock } from '../world/process-clock.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';

/** By then every host has noticed, whatever it was waiting for. */
const noticeMsMax = 70_000;
const lookMs = 1_000;
/** More than an audit's interval, whatever the clock. */
const frozenMs = 40_000;
const strangeAppendMsMax = 30_000;

export async function lose(world: World, store: Stores, hosts: readonly SimHost[]): Promise<void> {
  const { ending, restored } = world.plan;
  if (ending === 'none' || store.length < 2) return;
  const chance = world.chance('ending');
  const invariant = ending === 'newer-record' ? 'I22' : 'I6';
  const before = hosts.map(({ machine }) => inventoryOf(machine));
  const what = ending === 'rolled-back' ? `restored ${restored}` : ending;
  world.note('store', `is ${what}`);
  if (ending === 'wiped') await wipe(world, store, chance);
  else if (ending === 'rolled-back') await restore(world, store, hosts, chance);
  else await writeOn(world, store, chance, [encodeEntry([newerRecord(chance)])]);
  world.met(`store ${what}`);
  world.met(`${store.style} store ${ending}`);
  await untilNoticed(world, hosts);
  hosts.forEach(({ name, machine, life }, index) => {
    if (inventoryOf(machine) !== before[index]) throw new Violation('I43', `${name} changed its kernel`);
    if (life !== undefined && life.phase !== 'halted') {
      throw new Violation(invariant, `${name} did not notice that its store is ${what}: it is ${life.phase}`);
    }
    world.checked('I43');
    world.checked(invariant);
  });
  // Frozen is frozen: also what others do to the data plane stays as it is now.
  for (const { foreign } of hosts) foreign.disturb();
  const disturbed = hosts.map(({ machine }) => inventoryOf(machine));
  await world.scheduler.runUntil(world.nowMs + frozenMs);
  hosts.forEach(({ name, machine }, index) => {
    if (inventoryOf(machine) !== disturbed[index]) throw new Violation('I43', `${name} repairs its kernel`);
    world.checked('I43 frozen');
  });
}

/** What a host does to its kernel after it has noticed would show later, while it is frozen. */
async function untilNoticed(world: World, hosts: readonly SimHost[]): Promise<void> {
  const endMs = world.nowMs + noticeMsMax;
  const isUnaware = ({ life }: SimHost): boolean => life !== undefined && life.phase !== 'halted';
  while (world.nowMs < endMs && hosts.some(isUnaware))
    await world.scheduler.runUntil(Math.min(endMs, world.nowMs + lookMs));
}

/** Of a version that this one cannot know. Its content may be anything that fits the frame. */
function newerRecord(chance: Chance): Uint8Array {
  return Buffer.from(JSON.stringify({ v: recordVersion + 1, id: chance.hex(16), means: ['anything'] }));
}

/** A directory that is gone may be one that is not mounted, for which a daemon waits; another log in it is not. */
async function wipe(world: World, store: Stores, chance: Chance): Promise<void> {
  store.wipe();
  if (store.style === 'file' || chance.happens(0.5)) await writeOn(world, store, chance, []);
}

/** An old backup comes back, and somebody may write on from there before the hosts look again, or while they do. */
async function restore(
  world: World,
  store: Stores,
  hosts: readonly SimHost[],
  chance: Chance,
): Promise<void> {
  const { length } = store;
  const kept = 1 + Math.floor(world.plan.kept * (length - 1));
  const extra = {
    shorter: chance.below(length - kept),
    'as-long': length - kept,
    longer: length - kept + 1 + chance.below(5),
  };
  const isUnseen = chance.happens(0.5);
  if (isUnseen) for (const { life } of hosts) life?.process.pause();
  store.restore(kept);
  const others = Array.from({ length: extra[world.plan.restored] }, () => Buffer.from('{}'));
  await writeOn(world, store, chance, others);
  for (const { life } of hosts) life?.process.resume();
}

/** Appends as someone else's weft that was led to this store would. */
async function writeOn(
  world: World,
  store: Stores,
  chance: Chance,
  entries: readonly Uint8Array[],
): Promise<void> {
  const process = new Process('stranger', world.scheduler);
  const clock = new ProcessClock(world.scheduler, process, { rate: 1, wallOffsetMs: 0 });
  const link = new Link(world, 'stranger', () => undefined);
  const log = store.connect({ link, process, clock, random: chance, logger: new QuietLogger() });
  const { signal } = cancelScope();
  await world.drive(log.open(signal), strangeAppendMsMax);
  for (const bytes of entries) {
    const draft = { id: chance.hex(16) as EntryId, base: 0, bytes };
    await world.drive(log.append(draft, signal), strangeAppendMsMax);
  }
  await world.drive(log.close(), strangeAppendMsMax);
}

function inventoryOf(machine: SimHost['machine']): string {
  return machine
    .inventory()
    .map((object) => `${keyOf(object)} ${JSON.stringify(object)}`)
    .sort()
    .join('\n');
}

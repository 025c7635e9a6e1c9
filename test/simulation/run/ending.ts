/**
 * The store is wiped, or an old backup is restored, or someone runs a newer weft: every host must find out, and leave its
 * kernel as it is.
 */
import { keyOf } from '../../../core/dataplane/key.ts';
import { encodeEntry } from '../../../core/log/entry.ts';
import { recordVersion } from '../../../core/log/record.ts';
import type { EntryId } from '../../../core/model/ids.ts';
import { Violation } from '../monitors/violation.ts';
import type { ModelStore } from '../store/model-store.ts';
import type { Chance } from '../world/chance.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';

const watchMs = 70_000;
/** More than an audit's interval, whatever the clock. */
const frozenMs = 40_000;

export async function lose(world: World, store: ModelStore, hosts: readonly SimHost[]): Promise<void> {
  const { ending, kept } = world.plan;
  if (ending === 'none' || store.length < 2) return;
  const chance = world.chance('ending');
  const invariant = ending === 'newer-record' ? 'I22' : 'I6';
  const before = hosts.map(({ machine }) => inventoryOf(machine));
  if (ending === 'wiped') store.wipe();
  else if (ending === 'rolled-back') store.rollBack(1 + Math.floor(kept * (store.length - 1)));
  else store.put({ id: chance.hex(16) as EntryId, base: 0, bytes: encodeEntry([newerRecord(chance)]) });
  world.note('store', `is ${ending}`);
  world.met(`store ${ending}`);
  await world.scheduler.runUntil(world.nowMs + watchMs);
  hosts.forEach(({ name, machine, life }, index) => {
    if (inventoryOf(machine) !== before[index]) throw new Violation('I43', `${name} changed its kernel`);
    if (life !== undefined && life.phase !== 'halted') {
      throw new Violation(
        invariant,
        `${name} did not notice that its store is ${ending}: it is ${life.phase}`,
      );
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

/** Of a version that this one cannot know. Its content may be anything that fits the frame. */
function newerRecord(chance: Chance): Uint8Array {
  return Buffer.from(JSON.stringify({ v: recordVersion + 1, id: chance.hex(16), means: ['anything'] }));
}

function inventoryOf(machine: SimHost['machine']): string {
  return machine
    .inventory()
    .map((object) => `${keyOf(object)} ${JSON.stringify(object)}`)
    .sort()
    .join('\n');
}

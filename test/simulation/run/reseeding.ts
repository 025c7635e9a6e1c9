/** The store that was lost is made empty, and one host's operator, or several, write the log back: the cluster goes on as before. */
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { Stores } from '../store/stores.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';

const reseedMsMax = 60_000;
/** Long enough for every host to have noticed that what it had found in the store is gone as well. */
const noticeMs = 10_000;

/** True where the log was written back: then everything must come right. */
export async function reseed(world: World, store: Stores, hosts: readonly SimHost[]): Promise<boolean> {
  const chance = world.chance('reseed');
  const able = hosts.filter(({ life }) => life?.phase === 'halted');
  if (world.plan.ending !== 'wiped' && world.plan.ending !== 'rolled-back') return false;
  if (able.length === 0 || chance.happens(0.75)) return false;
  store.wipe();
  await world.scheduler.runUntil(world.nowMs + noticeMs);
  const { signal } = cancelScope();
  const count = chance.happens(0.5) ? 1 : able.length;
  const asked = able.slice(0, count).flatMap(({ life }) => life ?? []);
  const made = await world.drive(
    Promise.all(
      asked.map(({ controller }) => controller.reseed({ force: false }, { by: 'operator', signal })),
    ),
    reseedMsMax,
  );
  world.met(made.length > 1 ? 'store written back by several' : 'store written back');
  return true;
}

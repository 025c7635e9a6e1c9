/** The cluster moves to another store when all is well: nothing of it may show in a kernel, and every host goes along. */
import { isWeftError } from '../../../core/errors.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import { sameKeys } from '../monitors/truth.ts';
import { Violation } from '../monitors/violation.ts';
import type { Stores } from '../store/stores.ts';
import type { Life } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';
import { type Cluster, untilSettled } from './liveness.ts';

/** Far more than any store takes. */
const moveMsMax = 30_000;
const lookMs = 1_000;
/** Of a store that answers as late as that, or later, a move takes longer than a request waits. */
const lateMs = 50;
/** Between two requests of who asks while the cluster moves. */
const askPauseMs = 50;

/** One operator moves it, or two at once, of whom the second may be told that it was done already. */
export async function moveInCalm(cluster: Cluster, stores: Stores): Promise<void> {
  const { world, hosts, truth } = cluster;
  if (world.plan.move !== 'calm' || stores.hasMoved) return;
  const living = hosts.filter(({ life }) => life !== undefined);
  const writes = living.map(({ machine }) => machine.operations);
  const { endpoints, networks } = truth.state;
  const { signal } = cancelScope();
  const askedCount = world.chance('calm move of the cluster').happens(0.5) ? 1 : 2;
  const asked = living.slice(0, askedCount).flatMap(({ life }) => life ?? []);
  const moving = asked.map(({ controller }) =>
    controller.moveLog(stores.otherUrl, { by: 'operator', signal }).then(
      () => undefined,
      (error: unknown) => world.note('operator', `cannot move: ${String(error)}`),
    ),
  );
  let isOver = false;
  const asking = Promise.all(
    living.flatMap(({ life }) => life ?? []).map((life) => askUntil(world, life, () => isOver)),
  );
  // Told below.
  asking.catch(() => undefined);
  await world.drive(Promise.all(moving), moveMsMax);
  if (asked.length > 1) world.met('cluster is moved by several at once');
  await untilThere(cluster, stores);
  isOver = true;
  await world.drive(asking, moveMsMax);
  await untilSettled(cluster);
  if (!stores.hasMoved) throw new Violation('I39', 'the cluster was moved, and is where it was');
  if (!sameKeys(truth.state.endpoints, endpoints) || !sameKeys(truth.state.networks, networks))
    throw new Violation('I14', 'a move of the cluster changed its networks or endpoints');
  living.forEach(({ name, machine }, index) => {
    if (machine.operations !== writes[index])
      throw new Violation('I31', `${name} wrote to its kernel because the cluster moved`);
    world.checked('I31 across a move');
  });
}

/** Asks for what is refused and changes nothing, again and again: every time it must be answered, by the one log or the other. */
async function askUntil(world: World, { controller }: Life, isOver: () => boolean): Promise<void> {
  const { signal } = cancelScope();
  while (!isOver() && world.plan.storeDelayMs < lateMs) {
    const answer = await controller
      .removeHost('nobody', { by: 'operator', signal })
      .catch((error: unknown) => error);
    if (!isWeftError(answer, 'no-such-host'))
      throw new Violation('I39', `a request was not decided on while the cluster moved: ${String(answer)}`);
    world.checked('I39 across a move');
    await new Promise<void>((resolve) => world.scheduler.after(askPauseMs, undefined, resolve));
  }
}

/** Every host that lives follows the log in the other store. */
async function untilThere({ world, hosts }: Cluster, stores: Stores): Promise<void> {
  const endMs = world.nowMs + moveMsMax;
  for (;;) {
    const { signal } = cancelScope();
    const lives = hosts.flatMap(({ life }) => life ?? []);
    const states = await world.drive(
      Promise.all(lives.map(({ controller }) => controller.status(signal))),
      moveMsMax,
    );
    const late = states.find(({ store }) => store.url !== stores.otherUrl);
    if (late === undefined) return;
    if (world.nowMs > endMs) throw new Violation('I39', `${late.host} did not move to the other store`);
    await world.scheduler.runUntil(world.nowMs + lookMs);
  }
}

/** Every style of the model store keeps the contract of every adapter, here with the machine's own time. */
import { setTimeout as pause } from 'node:timers/promises';
import { genesis, type Position } from '../../../core/log/event-log.ts';
import { describeEventLog } from '../../contract/event-log.contract.ts';
import { QuietLogger } from '../../support/quiet-logger.ts';
import { planOf } from '../world/plan.ts';
import { Process } from '../world/process.ts';
import { ProcessClock } from '../world/process-clock.ts';
import { Trace } from '../world/trace.ts';
import { World } from '../world/world.ts';
import { Link } from './link.ts';
import { makeStore } from './make-store.ts';
import { type StoreStyle, storeStyles } from './traps.ts';

/** Lets virtual time keep up with real time until it is told to stop. */
function inRealTime(world: World): () => Promise<void> {
  let running = true;
  const beganAt = performance.now();
  const pump = async (): Promise<void> => {
    while (running) {
      await world.scheduler.runUntil(performance.now() - beganAt);
      await pause(1);
    }
  };
  const pumping = pump();
  return async () => {
    running = false;
    await pumping;
  };
}

let stores = 0;

/** Entries of the large catch-ups: what each can bring in a second. */
const catchUpEntries: Readonly<Record<StoreStyle, number>> = {
  memory: 2_000,
  etcd: 2_000,
  consul: 1_000,
  zookeeper: 1_000,
  file: 1_000,
};

/** What a position of each style has behind what it is ordered by. */
const behindOrder: Readonly<Record<StoreStyle, string>> = {
  memory: `:${'0'.repeat(32)}`,
  etcd: `:${'0'.repeat(32)}`,
  consul: `:0:${'0'.repeat(32)}`,
  zookeeper: `:0:${'0'.repeat(32)}`,
  file: '-00000000',
};

for (const style of storeStyles) {
  describeEventLog(`model of ${style}`, {
    capabilities: {
      interruptible: true,
      replaceable: true,
      catchUpEntries: catchUpEntries[style],
      openings: 100,
    },
    createStore: async () => {
      const plan = { ...planOf(1, style), storeDelayMs: 0 };
      const world = new World(++stores, plan, new Trace());
      world.phase = 'liveness';
      const store = makeStore(world, style, () => undefined);
      const stop = inRealTime(world);
      let handles = 0;
      return {
        connect: () => {
          const process = new Process(`contract.${++handles}`, world.scheduler);
          const clock = new ProcessClock(world.scheduler, process, { rate: 1, wallOffsetMs: 0 });
          const link = new Link(world, process.name, () => undefined);
          const random = world.chance(`${process.name} random`);
          return store.connect({ link, process, clock, random, logger: new QuietLogger() });
        },
        interrupt: async () => {
          store.outage = 'refusing';
          return async () => {
            store.outage = undefined;
          };
        },
        replace: async () => store.wipe(),
        destroy: stop,
      };
    },
    beyond: (position: Position) => {
      const order = position === genesis ? 0 : Number.parseInt(position, 10);
      return `${order + 1_000}${behindOrder[style]}` as Position;
    },
  });
}

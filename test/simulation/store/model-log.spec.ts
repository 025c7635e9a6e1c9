/** The model store keeps the contract of every adapter, here with the machine's own time. */
import { setTimeout as pause } from 'node:timers/promises';
import { genesis, type Position } from '../../../core/log/event-log.ts';
import { describeEventLog } from '../../contract/event-log.contract.ts';
import { planOf } from '../world/plan.ts';
import { Process } from '../world/process.ts';
import { ProcessClock } from '../world/process-clock.ts';
import { Trace } from '../world/trace.ts';
import { World } from '../world/world.ts';
import { Link } from './link.ts';
import { ModelLog } from './model-log.ts';
import { ModelStore } from './model-store.ts';

/** Lets virtual time keep up with real time until `stop`. */
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

describeEventLog('model', {
  capabilities: { interruptible: true, replaceable: true, catchUpEntries: 2_000 },
  createStore: async () => {
    const plan = { ...planOf(1), storeDelayMs: 0 };
    const world = new World(++stores, plan, new Trace());
    world.phase = 'liveness';
    const store = new ModelStore(() => undefined);
    const stop = inRealTime(world);
    let handles = 0;
    return {
      connect: () => {
        const process = new Process(`contract.${++handles}`, world.scheduler);
        const clock = new ProcessClock(world.scheduler, process, { rate: 1, wallOffsetMs: 0 });
        return new ModelLog({
          world,
          store,
          link: new Link(world, process.name, () => undefined),
          process,
          clock,
        });
      },
      interrupt: async () => {
        store.outage = 'silent';
        return async () => {
          store.outage = undefined;
        };
      },
      replace: async () => store.wipe(),
      destroy: stop,
    };
  },
  beyond: (position: Position) => {
    const sequence = position === genesis ? 0 : Number(position.split(':')[0]);
    return `${sequence + 5}:${'0'.repeat(32)}` as Position;
  },
});

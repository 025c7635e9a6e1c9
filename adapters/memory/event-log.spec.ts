import { genesis, type Position } from '../../core/log/event-log.ts';
import { describeEventLog } from '../../test/contract/event-log.contract.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { MemoryEventLog } from './event-log.ts';
import { MemoryStore } from './store.ts';

describeEventLog('memory', {
  capabilities: { interruptible: true, replaceable: true, catchUpEntries: 10_000, openings: 10_000 },
  createStore: async () => {
    const store = new MemoryStore();
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
    return {
      connect: () => new MemoryEventLog({ name: 'contract' }, ports, store),
      interrupt: async () => {
        const restore = store.interrupt('lose-request');
        return async () => restore();
      },
      replace: async () => store.wipe(),
      destroy: async () => undefined,
    };
  },
  beyond: (position: Position) => {
    const sequence = position === genesis ? 0 : Number(position.split(':')[0]);
    return `${sequence + 5}:${'0'.repeat(32)}` as Position;
  },
});

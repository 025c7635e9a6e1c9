import { genesis, type Position } from '../../core/log/event-log.ts';
import { type ConsulServer, consulUnavailable, startConsul } from '../../lab/consul.ts';
import { Relay } from '../../lab/relay.ts';
import { describeEventLog, type EventLogHarness } from '../../test/contract/event-log.contract.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { ConsulEventLog } from './event-log.ts';

/** One server for the suite; a store is a prefix of it, reached through a relay of its own. */
function consulHarness(): EventLogHarness {
  const unavailable = consulUnavailable();
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  let server: ConsulServer;
  let stores = 0;
  return {
    ...(unavailable === undefined ? {} : { unavailable }),
    capabilities: { interruptible: true, replaceable: true, catchUpEntries: 2_000, openings: 100 },
    setUp: async () => {
      server = await startConsul();
    },
    tearDown: () => server.stop(),
    createStore: async () => {
      const relay = await Relay.start({ host: server.host, port: server.clientPort });
      const prefix = `/contract/${++stores}`;
      return {
        connect: () => new ConsulEventLog({ hosts: [{ host: relay.host, port: relay.port }], prefix }, ports),
        interrupt: async () => {
          await relay.refuse();
          return () => relay.accept();
        },
        replace: async () => {
          await server.request('DELETE', `/v1/kv${prefix}/?recurse`);
        },
        destroy: () => relay.close(),
      };
    },
    beyond: (position: Position) => {
      const [index = '0', segment = '0'] = position === genesis ? [] : position.split(':');
      return `${Number(index) + 1_000_000}:${segment}:${'0'.repeat(32)}` as Position;
    },
  };
}

describeEventLog('consul', consulHarness());

import { genesis, type Position } from '../../core/log/event-log.ts';
import { type EtcdServer, etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { Relay } from '../../lab/relay.ts';
import { describeEventLog, type EventLogHarness } from '../../test/contract/event-log.contract.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { EtcdChannel } from './channel.ts';
import { EtcdEventLog } from './event-log.ts';

/** One server for the suite; a store is a prefix of it, reached through a relay of its own. */
function etcdHarness(): EventLogHarness {
  const unavailable = etcdUnavailable();
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  let server: EtcdServer;
  let stores = 0;
  return {
    ...(unavailable === undefined ? {} : { unavailable }),
    capabilities: { interruptible: true, replaceable: true, catchUpEntries: 10_000, openings: 100 },
    setUp: async () => {
      server = await startEtcd();
    },
    tearDown: () => server.stop(),
    createStore: async () => {
      const relay = await Relay.start({ host: server.host, port: server.clientPort });
      const prefix = `/contract/${++stores}`;
      return {
        connect: () => new EtcdEventLog({ hosts: [{ host: relay.host, port: relay.port }], prefix }, ports),
        interrupt: async () => {
          await relay.refuse();
          return () => relay.accept();
        },
        replace: async () => {
          const client = new EtcdChannel({ hosts: server.endpoints });
          await client.delete().prefix(prefix);
          client.close();
        },
        destroy: () => relay.close(),
      };
    },
    beyond: (position: Position) => {
      const revision = position === genesis ? 0 : Number.parseInt(position, 10);
      return `${revision + 1_000_000}:${'0'.repeat(32)}` as Position;
    },
  };
}

describeEventLog('etcd', etcdHarness());

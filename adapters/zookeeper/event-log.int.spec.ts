import { genesis, type Position } from '../../core/log/event-log.ts';
import { Relay } from '../../lab/relay.ts';
import { startZookeeper, type ZookeeperServer, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { describeEventLog, type EventLogHarness } from '../../test/contract/event-log.contract.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { ZookeeperTree } from '../../test/support/zookeeper-logs.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { ZookeeperEventLog } from './event-log.ts';

/** One server for the suite; a store is a prefix of it, reached through a relay of its own. */
function zookeeperHarness(): EventLogHarness {
  const unavailable = zookeeperUnavailable();
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  let server: ZookeeperServer;
  let stores = 0;
  return {
    ...(unavailable === undefined ? {} : { unavailable }),
    capabilities: { interruptible: true, replaceable: true, catchUpEntries: 10_000, openings: 100 },
    setUp: async () => {
      server = await startZookeeper();
    },
    tearDown: () => server.stop(),
    createStore: async () => {
      const relay = await Relay.start({ host: server.host, port: server.clientPort });
      const prefix = `/contract/${++stores}`;
      return {
        connect: () =>
          new ZookeeperEventLog({ hosts: [{ host: relay.host, port: relay.port }], prefix }, ports),
        interrupt: async () => {
          await relay.refuse();
          return () => relay.accept();
        },
        replace: async () => {
          const tree = await ZookeeperTree.open(server);
          await tree.removeAll(prefix);
          await tree.close();
        },
        destroy: () => relay.close(),
      };
    },
    beyond: (position: Position) => {
      const sequence = position === genesis ? 0 : Number(position.split(':')[1]);
      return `1:${sequence + 1_000_000}:${'0'.repeat(32)}` as Position;
    },
  };
}

describeEventLog('zookeeper', zookeeperHarness());

/** What servers, processes and connections do to a log on a real etcd. */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { appendDeadlineMs } from '../../core/controller/defaults.ts';
import { Appender } from '../../core/log/appender.ts';
import { genesis } from '../../core/log/event-log.ts';
import { etcdUnavailable, startEtcd, startEtcdCluster } from '../../lab/etcd.ts';
import { type Bench, describeServerFaults } from '../../test/contract/server-faults.contract.ts';
import { EtcdLogs } from '../../test/support/etcd-logs.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';

describeServerFaults(
  {
    name: 'etcd',
    unavailable: etcdUnavailable,
    start: startEtcd,
    startCluster: startEtcdCluster,
    newLogs: () => new EtcdLogs(),
    // In the listing, at the start of the values, and far into them.
    catchUp: { entries: 1500, cutAfterBytes: [20_000, 400_000, 2_000_000] },
  },
  faultsOfStreams,
);

/** etcd alone keeps one connection for everything, and pushes. */
function faultsOfStreams(bench: Bench): void {
  const { logs, newPlace } = bench;

  it('leaves a half-open connection also where the appender gives up its attempts', async () => {
    const log = await logs.open(newPlace().relayed);
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: logs.logger };
    const appender = new Appender(log, ports);
    try {
      await appender.submit(Buffer.from('first'), 0, appendDeadlineMs);
      bench.relay.freeze();
      bench.relay.thawNew();
      // Acked on a new connection, before gRPC's keepalive could tell; it would end with `outcome-unknown` otherwise.
      await appender.submit(Buffer.from('second'), 0, appendDeadlineMs);
    } finally {
      await appender.close();
    }
  });

  it('drops its stream and reads by range when the consumer does not keep up', async () => {
    const { direct } = newPlace();
    const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
    const first = draft('first');
    await writer.append(first, never());
    const entries = reader.tail(genesis, never())[Symbol.asyncIterator]();
    assert.equal((await entries.next()).value?.id, first.id);
    const second = draft('second');
    const waiting = entries.next();
    await writer.append(second, never());
    assert.equal((await waiting).value?.id, second.id);
    // The stream is live and nobody reads: more comes than may be held.
    const drafts = Array.from({ length: 40 }, () => draft(new Uint8Array(250_000)));
    for (const each of drafts) await writer.append(each, never());
    for (const each of drafts) assert.equal((await entries.next()).value?.id, each.id);
    await entries.return?.();
    const reasons = logs.logger.lines.map(({ values }) => values['reason']);
    assert.ok(reasons.includes('the consumer did not keep up'), reasons.join(', '));
  });
}

/** What servers, processes and connections do to a log on a real ZooKeeper. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EntryDraft, genesis } from '../../core/log/event-log.ts';
import { startZookeeper, startZookeeperCluster, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { type Bench, describeServerFaults } from '../../test/contract/server-faults.contract.ts';
import { draft, never, take, takeAll } from '../../test/support/log-drafts.ts';
import {
  acked,
  codeOf,
  eventually,
  RunningTail,
  type Try,
  until,
  untilMore,
  writeWhile,
} from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { ZookeeperLogs } from '../../test/support/zookeeper-logs.ts';

/** So short that a test can wait for its end. */
const sessionMs = 1_000;

describeServerFaults(
  {
    name: 'zookeeper',
    unavailable: zookeeperUnavailable,
    start: () => startZookeeper({ extraLines: [`maxSessionTimeout=${sessionMs}`], tickMs: 200 }),
    startCluster: startZookeeperCluster,
    newLogs: () => new ZookeeperLogs(),
    catchUp: { entries: 1200, cutAfterBytes: [300, 20_000, 900_000] },
  },
  faultsOfSessions,
);

/** ZooKeeper alone has sessions, and a protocol that nothing else speaks. */
function faultsOfSessions(bench: Bench): void {
  const { logs, newPlace } = bench;

  it('takes the end of its session as it takes a lost connection', async () => {
    const { direct, relayed } = newPlace();
    const [writer, behind] = [await logs.open(direct), await logs.open(relayed)];
    const tail = new RunningTail(behind);
    const drafts = [draft('before'), draft('meanwhile'), draft('after')] as const;
    await writer.append(drafts[0], never());
    await tail.until(1);
    bench.relay.freeze();
    await writer.append(drafts[1], never());
    // The server has ended the session by then, and says so to whoever comes back with it.
    await new Promise((resolve) => setTimeout(resolve, 2 * sessionMs));
    bench.relay.thaw();
    await eventually(() => behind.append(drafts[2], never()));
    await tail.until(3);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('takes what speaks something else for no ZooKeeper', async () => {
    const talker = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('HTTP/1.1 400 Bad\r\n\r\n'),
    );
    await new Promise<void>((resolve) => talker.listen(0, '127.0.0.1', resolve));
    const address = talker.address();
    assert.ok(address !== null && typeof address === 'object');
    const log = logs.connect(`zookeeper://127.0.0.1:${address.port}`);
    const error = await log.open(never()).catch((thrown: unknown) => thrown);
    assert.ok(isWeftError(error, 'store-unreachable'), String(error));
    assert.match(error.message, /no answer/);
    await new Promise((resolve) => talker.close(resolve));
  });
}

describe('zookeeper: a cluster of three that trims', function cluster() {
  this.timeout(60_000);

  it('loses nothing behind the floor when the leader is killed while two hosts trim', async function test() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const servers = await startZookeeperCluster(3);
    const logs = new ZookeeperLogs();
    try {
      const [writer, reader] = [await logs.open(servers.url), await logs.open(servers.url)];
      const tail = new RunningTail(reader);
      const tries = new Map<EntryDraft, Try>();
      const ends = new Map<string, number>();
      let isWriting = true;
      const writing = writeWhile(() => isWriting, 2, writer, tries);
      const trimming = [writer, reader].map(async (log) => {
        while (isWriting) {
          const position = tail.entries.at(-40)?.position ?? genesis;
          const code = await codeOf(log.trim(position, never()));
          ends.set(code, (ends.get(code) ?? 0) + 1);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      });
      await until(() => acked(tries).length >= 100);
      const leader = await servers.leader();
      await leader.kill('SIGKILL');
      await untilMore(tries);
      await leader.restart();
      await untilMore(tries);
      isWriting = false;
      await Promise.all([writing, ...trimming]);
      assert.deepEqual(
        [...ends.keys()].filter((code) => !/^(no error|outcome-unknown|store-unreachable)$/.test(code)),
        [],
      );
      const head = await writer.head(never());
      await until(() => tail.entries.at(-1)?.position === head);
      assert.equal(new Set(tail.ids).size, tail.ids.length, 'each once');
      for (const [made, { type }] of tries) {
        if (type !== 'unknown') assert.equal(tail.ids.includes(made.id), type === 'acked');
      }
      const floor = tail.entries.at(-20)?.position ?? genesis;
      await writer.trim(floor, never());
      assert.deepEqual(await takeAll(await logs.open(servers.url), floor), tail.entries.slice(-19));
      const old = tail.entries.at(-21);
      assert.ok(old !== undefined);
      assert.equal(await reader.resolve({ id: old.id, base: 0 }, never()), undefined);
      assert.equal(await codeOf(take(reader, old.position, 1)), 'log-trimmed');
      await tail.stop();
    } finally {
      await logs.closeAll();
      await servers.stop();
    }
  });
});

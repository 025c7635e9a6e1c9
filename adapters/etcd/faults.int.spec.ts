/** What servers, processes and connections do to a log on a real etcd. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { appendDeadlineMs } from '../../core/controller/defaults.ts';
import { Appender } from '../../core/log/appender.ts';
import { type EntryDraft, genesis } from '../../core/log/event-log.ts';
import { type EtcdServer, etcdUnavailable, startEtcd, startEtcdCluster } from '../../lab/etcd.ts';
import { Relay } from '../../lab/relay.ts';
import { EtcdLogs } from '../../test/support/etcd-logs.ts';
import { draft, inParallel, never, takeAll } from '../../test/support/log-drafts.ts';
import {
  acked,
  assertTruth,
  codeOf,
  eventually,
  RunningTail,
  type Try,
  tryAppend,
  until,
  untilMore,
  writeWhile,
} from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';

describe('etcd: faults', function faults() {
  this.timeout(60_000);
  const logs = new EtcdLogs();
  let server: EtcdServer;
  let relay: Relay;
  let places = 0;

  before(async function start() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startEtcd();
    relay = await Relay.start({ host: server.host, port: server.clientPort });
  });
  afterEach(async () => {
    await logs.closeAll();
    relay?.thaw();
    await relay?.accept();
    await server?.kill('SIGCONT');
  });
  after(async () => {
    await relay?.close();
    await server?.stop();
  });

  const place = () => {
    places += 1;
    return {
      direct: `${server.url}/faults/${places}`,
      relayed: `etcd://${relay.host}:${relay.port}/faults/${places}`,
    };
  };

  it('keeps every ack and every truth while the server is killed and started again', async () => {
    const { direct } = place();
    const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
    const tail = new RunningTail(reader);
    const tries = new Map<EntryDraft, Try>();
    let killing = true;
    const writing = writeWhile(() => killing, 4, writer, tries);
    for (let round = 1; round <= 3; round++) {
      await until(() => acked(tries).length >= round * 40);
      await server.restart();
    }
    const enough = acked(tries).length + 40;
    await until(() => acked(tries).length >= enough);
    killing = false;
    await writing;
    await assertTruth(reader, tries, tail);
    assert.ok(
      [...tries.values()].some(({ type }) => type !== 'acked'),
      'the kills were felt',
    );
  });

  it('gives up on a frozen server in time, and goes on when it thaws', async () => {
    const { direct } = place();
    const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
    const tail = new RunningTail(reader);
    const [first, second, frozen, next] = [draft('first'), draft('second'), draft('frozen'), draft('next')];
    await writer.append(first, never());
    await tail.until(1);
    await writer.append(second, never());
    await tail.until(2);
    await server.kill('SIGSTOP');
    // Both end while the server is still frozen, or the test does not.
    assert.equal(await codeOf(writer.append(frozen, never())), 'outcome-unknown');
    assert.equal(await codeOf(writer.head(never())), 'store-unreachable');
    await until(() => !writer.health.reachable && !reader.health.reachable);
    await server.kill('SIGCONT');
    await eventually(() => writer.append(frozen, never()));
    await eventually(() => writer.append(next, never()));
    await tail.until(4);
    assert.deepEqual(tail.ids, [first.id, second.id, frozen.id, next.id]);
    assert.deepEqual(reader.health, { reachable: true });
    await tail.stop();
  });

  it('delivers each entry once when the connection is cut in the middle of a catch-up', async () => {
    const { direct, relayed } = place();
    const writer = await logs.open(direct);
    const drafts = Array.from({ length: 1500 }, (_, index) => draft(`${index} ${'x'.repeat(2000)}`));
    await inParallel(drafts, 32, (each) => writer.append(each, never()));
    const reader = await logs.open(relayed);
    const expected = (await takeAll(writer, genesis)).map(({ id }) => id);
    // In the listing, at the start of the values, and far into them.
    for (const bytes of [20_000, 400_000, 2_000_000]) {
      relay.cutAfterAnswerBytes(bytes);
      const tail = new RunningTail(reader);
      await tail.until(expected.length);
      assert.deepEqual(tail.ids, expected);
      await tail.stop();
    }
  });

  it('delivers each entry once when connections are cut under a live tail', async () => {
    const { direct, relayed } = place();
    const [writer, reader] = [await logs.open(direct), await logs.open(relayed)];
    const tail = new RunningTail(reader);
    const drafts = Array.from({ length: 400 }, (_, index) => draft(`${index}`));
    for (const [index, each] of drafts.entries()) {
      await writer.append(each, never());
      if (index % 50 === 25) relay.cut();
    }
    await tail.until(drafts.length);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('leaves a half-open connection, for the tail and for appends', async () => {
    const { direct, relayed } = place();
    const [writer, behind] = [await logs.open(direct), await logs.open(relayed)];
    const tail = new RunningTail(behind);
    const drafts = [draft('listed'), draft('watched'), draft('unseen'), draft('from behind')] as const;
    await writer.append(drafts[0], never());
    await tail.until(1);
    // What comes after the listing comes by the watch: it stands when this has come.
    await writer.append(drafts[1], never());
    await tail.until(2);
    relay.freeze();
    relay.thawNew();
    await writer.append(drafts[2], never());
    await eventually(() => behind.append(drafts[3], never()));
    await tail.until(4);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('leaves a half-open connection also where the appender gives up its attempts', async () => {
    const log = await logs.open(place().relayed);
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: logs.logger };
    const appender = new Appender(log, ports);
    try {
      await appender.submit(Buffer.from('first'), 0, appendDeadlineMs);
      relay.freeze();
      relay.thawNew();
      // Acked on a new connection, before gRPC's keepalive could tell; it would end with `outcome-unknown` otherwise.
      await appender.submit(Buffer.from('second'), 0, appendDeadlineMs);
    } finally {
      await appender.close();
    }
  });

  it('puts one entry when a first attempt arrives after its retry', async () => {
    const { direct, relayed } = place();
    const [quick, late] = [await logs.open(direct), await logs.open(relayed)];
    const made = draft('late');
    await late.head(never());
    relay.freeze();
    const first = tryAppend(late, made);
    // The request is under way before the retry is made.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const position = await quick.append(made, never());
    relay.thaw();
    // Unknown where the machine was too slow for the deadline; the entry is one in any case.
    const outcome = await first;
    assert.ok(outcome.type === 'unknown' || (outcome.type === 'acked' && outcome.position === position));
    assert.equal((await takeAll(quick, genesis)).length, 1);
  });

  it('drops its stream and reads by range when the consumer does not keep up', async () => {
    const { direct } = place();
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

  it('says that the store is unreachable, or that it was cancelled, when it opens on nothing', async () => {
    await relay.refuse();
    const refused = logs.connect(place().relayed);
    assert.equal(await codeOf(refused.open(never())), 'store-unreachable');
    assert.equal(refused.health.reachable, false);
    await relay.accept();
    relay.freeze();
    const silent = logs.connect(place().relayed);
    assert.equal(await codeOf(silent.open(AbortSignal.timeout(100))), 'closed');
    const patient = logs.connect(place().relayed);
    const opening = codeOf(patient.open(never()));
    await patient.close();
    assert.equal(await opening, 'closed');
  });

  it('is definite about a refused connection: the entry is not there later', async () => {
    const { direct, relayed } = place();
    const [sure, cut] = [await logs.open(direct), await logs.open(relayed)];
    await relay.refuse();
    const drafts = Array.from({ length: 20 }, () => draft());
    const results = [];
    for (const each of drafts) results.push(await tryAppend(cut, each));
    // The first may have met the connection as it broke.
    assert.ok(
      results.slice(1).every((result) => result.type === 'refused'),
      JSON.stringify(results),
    );
    for (const each of drafts.slice(1)) assert.equal(await sure.resolve(each, never()), undefined);
  });
});

describe('etcd: a cluster of three', function cluster() {
  this.timeout(60_000);

  it('keeps every ack and every truth when the leader is killed and comes back', async function test() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const servers = await startEtcdCluster(3);
    const logs = new EtcdLogs();
    try {
      const [writer, reader] = [await logs.open(servers.url), await logs.open(servers.url)];
      const tail = new RunningTail(reader);
      const tries = new Map<EntryDraft, Try>();
      let enough = Number.POSITIVE_INFINITY;
      const writing = writeWhile(() => acked(tries).length < enough, 2, writer, tries);
      await until(() => acked(tries).length >= 50);
      const leader = await servers.leader();
      await leader.kill('SIGKILL');
      await until(() => acked(tries).length >= 100);
      await untilMore(tries);
      await leader.restart();
      await (await servers.leader()).kill('SIGSTOP');
      await untilMore(tries);
      for (const server of servers.servers) await server.kill('SIGCONT');
      enough = acked(tries).length + 50;
      await writing;
      await assertTruth(reader, tries, tail);
    } finally {
      await logs.closeAll();
      await servers.stop();
    }
  });
});

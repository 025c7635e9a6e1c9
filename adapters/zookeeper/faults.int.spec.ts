/** What servers, processes and connections do to a log on a real ZooKeeper. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EntryDraft, genesis } from '../../core/log/event-log.ts';
import { Relay } from '../../lab/relay.ts';
import {
  startZookeeper,
  startZookeeperCluster,
  type ZookeeperServer,
  zookeeperUnavailable,
} from '../../lab/zookeeper.ts';
import { draft, inParallel, never, take, takeAll } from '../../test/support/log-drafts.ts';
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
import { ZookeeperLogs } from '../../test/support/zookeeper-logs.ts';

/** So short that a test can wait for its end. */
const sessionMs = 1_000;

describe('zookeeper: faults', function faults() {
  this.timeout(60_000);
  const logs = new ZookeeperLogs();
  let server: ZookeeperServer;
  let relay: Relay;
  let places = 0;

  before(async function start() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startZookeeper({ extraLines: [`maxSessionTimeout=${sessionMs}`], tickMs: 200 });
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
      relayed: `zookeeper://${relay.host}:${relay.port}/faults/${places}`,
    };
  };

  it('keeps every ack and every truth while the server is killed and started again', async () => {
    const { direct } = place();
    const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
    const tail = new RunningTail(reader);
    const tries = new Map<EntryDraft, Try>();
    let killing = true;
    const writing = writeWhile(() => killing, 4, writer, tries);
    await untilMore(tries);
    // A kill between two requests is felt by none of them.
    const isFelt = (): boolean => [...tries.values()].some(({ type }) => type !== 'acked');
    for (let kills = 0; kills < 5 && !isFelt(); kills += 1) {
      await server.restart();
      await untilMore(tries);
    }
    killing = false;
    await writing;
    await assertTruth(reader, tries, tail);
    assert.ok(isFelt(), 'the kills were felt');
  });

  it('gives up on a frozen server in time, says that the outcome is unknown, and goes on when it thaws', async () => {
    const { direct } = place();
    const log = await logs.open(direct);
    const [before, frozen, next] = [draft('before'), draft('frozen'), draft('next')];
    await log.append(before, never());
    const tail = new RunningTail(log);
    await tail.until(1);
    await server.kill('SIGSTOP');
    assert.deepEqual(await tryAppend(log, frozen), { type: 'unknown' });
    assert.deepEqual(await tryAppend(log, next), { type: 'refused', code: 'store-unreachable' });
    assert.equal(log.health.reachable, false);
    await server.kill('SIGCONT');
    await eventually(() => log.append(frozen, never()));
    await log.append(next, never());
    await tail.until(3);
    assert.deepEqual(tail.ids, [before.id, frozen.id, next.id]);
    assert.deepEqual(log.health, { reachable: true });
    await tail.stop();
  });

  it('tells of a lost answer that its outcome is unknown, and finds out the truth', async () => {
    const { direct, relayed } = place();
    const [sure, cut] = [await logs.open(direct), await logs.open(relayed)];
    // Opens the bucket of ids and learns which segment is open, so that one answer is that of the append.
    await cut.append(draft('first'), never());
    const made = draft('done, and nobody says so');
    relay.cutAfterAnswerBytes(0);
    assert.deepEqual(await tryAppend(cut, made), { type: 'unknown' });
    const position = await sure.resolve(made, never());
    assert.notEqual(position, undefined);
    assert.equal(await cut.resolve(made, never()), position);
    assert.equal(await cut.append(made, never()), position);
    assert.equal(
      await codeOf(cut.append({ ...made, bytes: Buffer.from('other') }, never())),
      'entry-conflict',
    );
    assert.equal((await takeAll(sure, genesis)).length, 2);
  });

  it('takes the end of its session as it takes a lost connection', async () => {
    const { direct, relayed } = place();
    const [writer, behind] = [await logs.open(direct), await logs.open(relayed)];
    const tail = new RunningTail(behind);
    const drafts = [draft('before'), draft('meanwhile'), draft('after')] as const;
    await writer.append(drafts[0], never());
    await tail.until(1);
    relay.freeze();
    await writer.append(drafts[1], never());
    // The server has ended the session by then, and says so to whoever comes back with it.
    await new Promise((resolve) => setTimeout(resolve, 2 * sessionMs));
    relay.thaw();
    await eventually(() => behind.append(drafts[2], never()));
    await tail.until(3);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('delivers each entry once when the connection is cut in the middle of a catch-up', async () => {
    const { direct, relayed } = place();
    const writer = await logs.open(direct);
    const drafts = Array.from({ length: 1200 }, (_, index) => draft(`${index} ${'x'.repeat(1000)}`));
    await inParallel(drafts, 64, (each) => writer.append(each, never()));
    const reader = await logs.open(relayed);
    const expected = (await takeAll(writer, genesis)).map(({ id }) => id);
    for (const bytes of [300, 20_000, 900_000]) {
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
    const drafts = Array.from({ length: 300 }, (_, index) => draft(`${index}`));
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
    const drafts = [draft('seen'), draft('unseen'), draft('from behind')] as const;
    await writer.append(drafts[0], never());
    await tail.until(1);
    relay.freeze();
    relay.thawNew();
    await writer.append(drafts[1], never());
    await tail.until(2);
    await eventually(() => behind.append(drafts[2], never()));
    await tail.until(3);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('puts one entry when a first attempt arrives after its retry', async () => {
    const { direct, relayed } = place();
    const [quick, late] = [await logs.open(direct), await logs.open(relayed)];
    await late.append(draft('first'), never());
    const made = draft('late');
    relay.freeze();
    const first = tryAppend(late, made);
    // The request is under way before the retry is made.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const position = await quick.append(made, never());
    relay.thaw();
    // Unknown where the machine was too slow for the deadline; the entry is one in any case.
    const outcome = await first;
    assert.ok(outcome.type === 'unknown' || (outcome.type === 'acked' && outcome.position === position));
    assert.equal((await takeAll(quick, genesis)).length, 2);
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
});

describe('zookeeper: a cluster of three', function cluster() {
  this.timeout(60_000);

  it('keeps every ack and every truth when the leader is killed and comes back', async function test() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const servers = await startZookeeperCluster(3);
    const logs = new ZookeeperLogs();
    try {
      const [writer, reader] = [await logs.open(servers.url), await logs.open(servers.url)];
      const tails = [new RunningTail(reader), new RunningTail(writer)] as const;
      const tries = new Map<EntryDraft, Try>();
      let enough = Number.POSITIVE_INFINITY;
      const writing = writeWhile(() => acked(tries).length < enough, 2, writer, tries);
      await until(() => acked(tries).length >= 50);
      const leader = await servers.leader();
      await leader.kill('SIGKILL');
      await until(() => acked(tries).length >= 100);
      await untilMore(tries);
      await leader.restart();
      enough = acked(tries).length + 50;
      await writing;
      for (const tail of tails) await assertTruth(reader, tries, tail);
    } finally {
      await logs.closeAll();
      await servers.stop();
    }
  });

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

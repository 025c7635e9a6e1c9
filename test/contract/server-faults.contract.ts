/**
 * What servers, processes and connections do to a log: the same faults for every store that servers keep. Faults that only
 * one of them knows are in `faults.int.spec.ts` beside its adapter.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { type EntryDraft, type EventLog, genesis, type Position } from '../../core/log/event-log.ts';
import { Relay } from '../../lab/relay.ts';
import type { ClusterServer, StoreCluster } from '../../lab/store-cluster.ts';
import { draft, inParallel, never, takeAll } from '../support/log-drafts.ts';
import type { LogHandles } from '../support/log-handles.ts';
import {
  appendPatiently,
  assertTruth,
  codeOf,
  eventually,
  RunningTail,
  type Try,
  tryAppend,
  until,
  untilMore,
  writeWhile,
} from '../support/log-trials.ts';
import { skipBecause } from '../support/requirements.ts';

/** A store whose servers are real and can be harmed. */
export interface ServerStore {
  readonly name: 'etcd' | 'consul' | 'zookeeper';
  /** Why no server can be started here, one line; undefined where one can. */
  unavailable(): string | undefined;
  start(): Promise<ClusterServer & { readonly url: string; stop(): Promise<void> }>;
  startCluster(size: number): Promise<StoreCluster>;
  newLogs(): LogHandles<EventLog, object>;
  /** A log that is caught up with, and after how many bytes of answers the connection is cut meanwhile. */
  readonly catchUp: { readonly entries: number; readonly cutAfterBytes: readonly number[] };
}

/** What a test of one server has before it: a log's place that no test used before, directly and by way of the relay. */
export interface Bench {
  readonly logs: LogHandles<EventLog, object>;
  readonly relay: Relay;
  newPlace(): { readonly direct: string; readonly relayed: string };
}

/**
 * Defines the faults of one server and of a cluster as tests.
 *
 * @param more defines the store's own faults of one server
 */
export function describeServerFaults(store: ServerStore, more?: (bench: Bench) => void): void {
  describe(`${store.name}: faults`, function faults() {
    this.timeout(60_000);
    const logs = store.newLogs();
    let server: Awaited<ReturnType<ServerStore['start']>>;
    let relay: Relay;
    let places = 0;

    before(async function start() {
      const unavailable = store.unavailable();
      if (unavailable !== undefined) skipBecause(this, unavailable);
      server = await store.start();
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

    const newPlace = () => {
      places += 1;
      return {
        direct: `${server.url}/faults/${places}`,
        relayed: `${store.name}://${relay.host}:${relay.port}/faults/${places}`,
      };
    };

    it('keeps every ack and every truth while the server is killed and started again', async () => {
      const { direct } = newPlace();
      const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
      const tail = new RunningTail(reader);
      const tries = new Map<EntryDraft, Try>();
      let killing = true;
      const writing = writeWhile(() => killing, 4, writer, tries);
      await untilMore(tries);
      // A kill between two requests is felt by none of them.
      const isFelt = (): boolean => [...tries.values()].some(({ type }) => type !== 'acked');
      for (let kills = 0; kills < 2 || (kills < 6 && !isFelt()); kills += 1) {
        await server.restart();
        await untilMore(tries);
      }
      killing = false;
      await writing;
      await assertTruth(reader, tries, tail);
      assert.ok(isFelt(), 'the kills were felt');
    });

    it('gives up on a frozen server in time, and goes on when it thaws', async () => {
      const { direct } = newPlace();
      const [writer, reader] = [await logs.open(direct), await logs.open(direct)];
      const tail = new RunningTail(reader);
      const [first, second, frozen, next] = [draft('first'), draft('second'), draft('frozen'), draft('next')];
      await writer.append(first, never());
      await tail.until(1);
      await writer.append(second, never());
      await tail.until(2);
      await server.kill('SIGSTOP');
      // All end while the server is still frozen, or the test does not.
      assert.deepEqual(await tryAppend(writer, frozen), { type: 'unknown' });
      assert.equal(await codeOf(writer.head(never())), 'store-unreachable');
      await until(() => !writer.health.reachable && !reader.health.reachable);
      await server.kill('SIGCONT');
      await eventually(() => writer.append(frozen, never()));
      await eventually(() => writer.append(next, never()));
      await tail.until(4);
      assert.deepEqual(tail.ids, [first.id, second.id, frozen.id, next.id]);
      await until(() => reader.health.reachable);
      await tail.stop();
    });

    it('delivers each entry once when the connection is cut in the middle of a catch-up', async () => {
      const { direct, relayed } = newPlace();
      const writer = await logs.open(direct);
      const { entries, cutAfterBytes } = store.catchUp;
      const drafts = Array.from({ length: entries }, (_, index) => draft(`${index} ${'x'.repeat(2000)}`));
      await inParallel(drafts, 32, (each) => appendPatiently(writer, each));
      const reader = await logs.open(relayed);
      const expected = (await takeAll(writer, genesis)).map(({ id }) => id);
      for (const bytes of cutAfterBytes) {
        relay.cutAfterAnswerBytes(bytes);
        const tail = new RunningTail(reader);
        await tail.until(expected.length);
        assert.deepEqual(tail.ids, expected);
        await tail.stop();
      }
    });

    it('delivers each entry once when connections are cut under a live tail', async () => {
      const { direct, relayed } = newPlace();
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
      const { direct, relayed } = newPlace();
      const [writer, behind] = [await logs.open(direct), await logs.open(relayed)];
      const tail = new RunningTail(behind);
      const drafts = [draft('listed'), draft('waited for'), draft('unseen'), draft('from behind')] as const;
      await writer.append(drafts[0], never());
      await tail.until(1);
      // The tail waits for news, by whatever means the store has, when this has come.
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

    it('puts one entry when a first attempt arrives after its retry', async () => {
      const { direct, relayed } = newPlace();
      const [quick, late] = [await logs.open(direct), await logs.open(relayed)];
      // What is read once before the first append is read now, so that only the append is held up.
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

    it('tells of a lost answer that its outcome is unknown, and finds out the truth', async () => {
      const { direct, relayed } = newPlace();
      const [sure, cut] = [await logs.open(direct), await logs.open(relayed)];
      await cut.append(draft('first'), never());
      let made = draft('done, and nobody says so');
      let position: Position | undefined;
      // What is cut off may be a word of the connection's own, before the request was carried out.
      for (let tries = 0; position === undefined && tries < 20; tries += 1) {
        made = draft('done, and nobody says so');
        relay.cutAfterAnswerBytes(0);
        assert.deepEqual(await tryAppend(cut, made), { type: 'unknown' });
        position = await sure.resolve(made, never());
        await eventually(() => cut.head(never()));
      }
      assert.notEqual(position, undefined, 'one of them was carried out');
      assert.equal(await eventually(() => cut.resolve(made, never())), position);
      assert.equal(await eventually(() => cut.append(made, never())), position);
      const other = { ...made, bytes: new TextEncoder().encode('other') };
      assert.equal(await codeOf(cut.append(other, never())), 'entry-conflict');
      const ids = (await takeAll(sure, genesis)).map(({ id }) => id);
      assert.equal(ids.filter((id) => id === made.id).length, 1);
    });

    it('says that the store is unreachable, or that it was cancelled, when it opens on nothing', async () => {
      await relay.refuse();
      const refused = logs.connect(newPlace().relayed);
      assert.equal(await codeOf(refused.open(never())), 'store-unreachable');
      assert.equal(refused.health.reachable, false);
      await relay.accept();
      relay.freeze();
      const silent = logs.connect(newPlace().relayed);
      assert.equal(await codeOf(silent.open(AbortSignal.timeout(100))), 'closed');
      const patient = logs.connect(newPlace().relayed);
      const opening = codeOf(patient.open(never()));
      await patient.close();
      assert.equal(await opening, 'closed');
    });

    it('is definite about a refused connection: the entry is not there later', async () => {
      const { direct, relayed } = newPlace();
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

    more?.({
      logs,
      newPlace,
      get relay() {
        return relay;
      },
    });
  });

  describe(`${store.name}: a cluster of three`, function cluster() {
    this.timeout(60_000);

    it('keeps every ack and every truth when leaders are killed, come back and freeze', async function test() {
      const unavailable = store.unavailable();
      if (unavailable !== undefined) skipBecause(this, unavailable);
      const cluster = await store.startCluster(3);
      const logs = store.newLogs();
      try {
        const [writer, reader] = [await logs.open(cluster.url), await logs.open(cluster.url)];
        const tails = [new RunningTail(reader), new RunningTail(writer)] as const;
        const tries = new Map<EntryDraft, Try>();
        let isWriting = true;
        const writing = writeWhile(() => isWriting, 2, writer, tries);
        await untilMore(tries);
        const leader = await cluster.leader();
        await leader.kill('SIGKILL');
        await untilMore(tries);
        await leader.restart();
        await (await cluster.leader()).kill('SIGSTOP');
        await untilMore(tries);
        for (const server of cluster.servers) await server.kill('SIGCONT');
        await untilMore(tries);
        isWriting = false;
        await writing;
        for (const tail of tails) await assertTruth(reader, tries, tail);
      } finally {
        await logs.closeAll();
        await cluster.stop();
      }
    });
  });
}

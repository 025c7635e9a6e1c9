/** What trimming and snapshots meet on a real ZooKeeper: numbers, several hosts, those that die over it, foreign nodes. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { type EntryDraft, type EventLog, genesis, type LogEntry } from '../../core/log/event-log.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import { Relay } from '../../lab/relay.ts';
import { startZookeeper, type ZookeeperServer, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { draft, inParallel, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { appendPatiently, codeOf, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { ZookeeperLogs, ZookeeperTree } from '../../test/support/zookeeper-logs.ts';
import { formatFloor } from './floor.ts';
import { logKeys } from './keys.ts';
import { dropChunks, segmentEntries, sweepEntries } from './limits.ts';
import { parsePosition, removalOps, toPosition } from './transactions.ts';

const snapshotId = '7'.repeat(32) as SnapshotId;

describe('zookeeper: trimming and snapshots', function trimming() {
  this.timeout(60_000);
  const logs = new ZookeeperLogs();
  let server: ZookeeperServer;
  let relay: Relay;
  let foreign: ZookeeperTree;
  let places = 0;

  before(async function start() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startZookeeper();
    relay = await Relay.start({ host: server.host, port: server.clientPort });
    foreign = await ZookeeperTree.open(server);
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await foreign?.close();
    await relay?.close();
    await server?.stop();
  });

  const place = async () => {
    places += 1;
    const prefix = `/trimming-${places}`;
    const url = `${server.url}${prefix}`;
    const log = await logs.open(url);
    const logId = await log.open(never());
    const keys = logKeys(prefix);
    const paths = keys.log(logId);
    return {
      prefix,
      url,
      relayed: `zookeeper://${relay.host}:${relay.port}${prefix}`,
      log,
      paths,
      scope: { keys, paths, logId, url },
    };
  };
  type Place = Awaited<ReturnType<typeof place>>;

  /** Moves the floor, as a host does that dies right after it. */
  const moveFloor = async ({ paths }: Place, entry: LogEntry) => {
    const mark = parsePosition(entry.position);
    assert.ok(mark !== undefined);
    const node = await foreign.read(paths.entry(mark.segment, mark.sequence));
    assert.ok(node !== undefined);
    const data = formatFloor({ mark, czxid: node.stat.czxid });
    await foreign.do({ type: 'create', path: paths.floor, data });
  };

  /** Names of the entries that have nodes, and of the ids, which must be just as many, and lie in no empty bucket. */
  const nodesOf = async ({ paths }: Place) => {
    const entries: string[] = [];
    for (const segment of (await foreign.names(paths.segments)).toSorted()) {
      const names = await foreign.names(`${paths.segments}/${segment}`);
      entries.push(...names.toSorted().map((name) => `${Number(segment)}:${Number(name.slice(2))}`));
    }
    const ids: string[] = [];
    for (const bucket of await foreign.names(paths.ids)) {
      const names = await foreign.names(`${paths.ids}/${bucket}`);
      assert.notEqual(names.length, 0, `bucket ${bucket} is empty`);
      ids.push(...names);
    }
    return { entries, ids: ids.toSorted() };
  };

  /** That there is nothing in the tree but what a reader sees. */
  const assertTidy = async (where: Place, entries: readonly LogEntry[]) => {
    const found = await nodesOf(where);
    assert.deepEqual(
      found.entries,
      entries.map(({ position }) => position.split(':').slice(0, 2).join(':')),
    );
    assert.deepEqual(found.ids, entries.map(({ id }) => id as string).toSorted());
  };

  it('goes on with the next number, whatever was deleted, and keeps the segment that is open', async () => {
    const where = await place();
    const { log, paths } = where;
    const numbers: number[] = [];
    const add = async (count: number) => {
      for (let left = count; left > 0; left -= 1) {
        const position = await log.append(draft(), never());
        numbers.push(parsePosition(position)?.sequence ?? -1);
      }
    };
    await add(4);
    await log.trim(await log.head(never()), never());
    assert.deepEqual(await foreign.names(paths.segment(1)), []);
    assert.deepEqual(await foreign.names(paths.ids), [], 'no bucket is left');
    await add(2);
    const floor = await log.head(never());
    await log.trim(floor, never());
    await foreign.do({ type: 'create', path: `${paths.segment(1)}/foreign` });
    await foreign.do({ type: 'delete', path: `${paths.segment(1)}/foreign` });
    await add(1);
    assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 7], 'six is the foreign one');
    const open = await foreign.read(paths.open);
    assert.deepEqual([open?.data.toString(), open?.stat.version], ['1', 1], 'trimming leaves it alone');
    assert.ok(
      isWeftError(await new RunningTail(log, floor).ended, 'log-damaged'),
      'what was deleted there could have been an entry',
    );
  });

  it('tells a foreign number behind the floor from a lost entry, wherever others are', async () => {
    const where = await place();
    const { log, paths } = where;
    const disturb = async (name: string) => {
      await foreign.do({ type: 'create', path: `${paths.segment(1)}/${name}` });
    };
    await disturb('before');
    for (let count = 0; count < 4; count += 1) await log.append(draft(`${count}`), never());
    await disturb('between');
    for (let count = 4; count < 8; count += 1) await log.append(draft(`${count}`), never());
    const entries = await takeAll(log, genesis);
    const floor = entries[2]?.position ?? genesis;
    await log.trim(floor, never());
    assert.deepEqual(await takeAll(log, floor), entries.slice(3));
    const lost = parsePosition(entries[5]?.position ?? genesis);
    assert.ok(lost !== undefined);
    await foreign.do({ type: 'delete', path: paths.entry(1, lost.sequence) });
    assert.ok(isWeftError(await new RunningTail(log, floor).ended, 'log-damaged'));
  });

  it('takes what another host has trimmed and not yet deleted for gone, and puts a late repetition at the end', async () => {
    const where = await place();
    const { url, log } = where;
    const other = await logs.open(url);
    const drafts = Array.from({ length: 6 }, (_, index) => draft(`${index}`, index * 700));
    for (const each of drafts) await log.append(each, never());
    const entries = await takeAll(log, genesis);
    const [first, second, floor] = entries;
    assert.ok(first !== undefined && second !== undefined && floor !== undefined);
    await moveFloor(where, floor);
    for (const handle of [log, other]) {
      for (const each of drafts.slice(0, 3)) assert.equal(await handle.resolve(each, never()), undefined);
      assert.equal(await handle.resolve(drafts[3] as EntryDraft, never()), entries[3]?.position);
      for (const position of [genesis, first.position, second.position]) {
        assert.ok(isWeftError(await new RunningTail(handle, position).ended, 'log-trimmed'));
      }
    }
    const late = drafts[1] as EntryDraft;
    const [one, two] = await Promise.all([log.append(late, never()), other.append(late, never())]);
    assert.equal(one, two, 'once');
    assert.equal(one.split(':')[1], '6');
    const left = await takeAll(other, floor.position);
    assert.deepEqual(
      left.map(({ id }) => id),
      [...drafts.slice(3), late].map(({ id }) => id),
    );
    assert.equal((await nodesOf(where)).entries.length, 6, 'the old one of the pair is gone, two more wait');
    await other.trim(genesis, never());
    await assertTidy(where, left);
    assert.equal(await log.resolve(late, never()), one);
  });

  it('knows the head where all is trimmed, deleted or not, also in a segment that was just opened', async () => {
    const where = await place();
    const { log, paths, url, scope } = where;
    for (let count = 0; count < 3; count += 1) await log.append(draft(`${count}`), never());
    const entries = await takeAll(log, genesis);
    const last = entries[2];
    assert.ok(last !== undefined);
    await moveFloor(where, last);
    assert.equal(await log.head(never()), last.position);
    // As the author does who is to put it once more, and dies over it.
    await foreign.do(
      ...removalOps(scope, { segment: 1, sequence: 2, id: last.id }, { id: last.id, base: 0 }),
    );
    assert.equal(await log.head(never()), last.position);
    await foreign.do(
      { type: 'set', path: paths.open, data: Buffer.from('2'), version: 1 },
      { type: 'create', path: paths.segment(2) },
    );
    assert.equal(await log.head(never()), last.position);
    const tail = new RunningTail(await logs.open(url), last.position);
    await log.trim(last.position, never());
    assert.equal(await log.head(never()), last.position);
    assert.deepEqual((await foreign.names(paths.segments)).length, 2, "the floor's segment stays");
    const made = draft('first of the second');
    assert.equal(await log.append(made, never()), toPosition({ segment: 2, sequence: 0, id: made.id }));
    await tail.until(1);
    assert.deepEqual(tail.ids, [made.id]);
    await log.trim(await log.head(never()), never());
    assert.deepEqual((await foreign.names(paths.segments)).length, 1);
    assert.ok(isWeftError(await new RunningTail(log, last.position).ended, 'log-trimmed'));
    const later = draft('second of the second');
    await log.append(later, never());
    await tail.until(2);
    await tail.stop();
  });

  it('is finished by the next trim when its host dies in the middle', async () => {
    const where = await place();
    const { log, relayed } = where;
    const count = 10 * sweepEntries;
    await inParallel(
      Array.from({ length: count }, (_, index) => draft(`${index}`, index)),
      32,
      (each) => log.append(each, never()),
    );
    const entries = await takeAll(log, genesis);
    const floor = entries[count - 11]?.position ?? genesis;
    const dying = await logs.open(relayed);
    await dying.head(never());
    // The listing has some 17 bytes a name, an entry some 140.
    relay.cutAfterAnswerBytes(count * 17 + 4 * sweepEntries * 140);
    assert.equal(await codeOf(dying.trim(floor, never())), 'outcome-unknown');
    const inTheMiddle = (await nodesOf(where)).entries.length;
    assert.ok(inTheMiddle < count && inTheMiddle > 10, `${inTheMiddle} of ${count} are left`);
    const left = entries.slice(-10);
    assert.deepEqual(await takeAll(log, floor), left);
    assert.equal(await codeOf(take(log, entries[count - 20]?.position ?? genesis, 1)), 'log-trimmed');
    await log.trim(entries[3]?.position ?? genesis, never());
    await assertTidy(where, left);
  });

  it('tells a slow reader that was overtaken so, and skips nothing before', async () => {
    const { url, log } = await place();
    const drafts = Array.from({ length: 900 }, (_, index) => draft(`${index}`, index));
    await inParallel(drafts, 32, (each) => appendPatiently(log, each));
    const entries = await takeAll(log, genesis);
    const seen: LogEntry[] = [];
    const slow = (async () => {
      for await (const entry of (await logs.open(url)).tail(genesis, never())) {
        seen.push(entry);
        if (seen.length === 1) await log.trim(entries[800]?.position ?? genesis, never());
      }
    })();
    assert.equal(await codeOf(slow), 'log-trimmed');
    assert.deepEqual(seen, entries.slice(0, seen.length));
  });

  it('loses nothing and leaves nothing behind where several trim over segments, and others append old and new', async () => {
    const where = await place();
    const { url, log, paths } = where;
    const handles: EventLog[] = [log, await logs.open(url), await logs.open(url)];
    const drafts = Array.from({ length: segmentEntries + 400 }, (_, index) => draft(`${index}`, index));
    await inParallel(drafts, 48, (each) => appendPatiently(log, each));
    const entries = await takeAll(log, genesis);
    const last = entries.at(-1);
    assert.ok(last !== undefined && last.position.startsWith('2:'));
    const ahead = new RunningTail(handles[1] ?? log, last.position);
    const floors = [300, 900, entries.findLastIndex(({ position }) => position.startsWith('1:')) + 50];
    const late = entries.slice(0, 40).map(({ id }) => drafts.find((each) => each.id === id) as EntryDraft);
    const fresh = Array.from({ length: 60 }, (_, index) => draft(`new ${index}`, 1_500 + index));
    await Promise.all([
      ...floors.map((index, which) => handles[which]?.trim(entries[index]?.position ?? genesis, never())),
      inParallel([...fresh, ...late], 6, async (each) => {
        await handles[2]?.append(each, never());
      }),
    ]);
    // Those that were repeated before the first trim were told of where they had been.
    for (const each of late) await log.append(each, never());
    const floor = entries[floors[2] ?? 0];
    assert.ok(floor !== undefined);
    const left = await takeAll(log, floor.position);
    const kept = entries.slice((floors[2] ?? 0) + 1);
    assert.deepEqual(left.slice(0, kept.length), kept);
    const more = left.slice(kept.length).map(({ id }) => id);
    assert.deepEqual(more.toSorted(), [...fresh, ...late].map(({ id }) => id).toSorted(), 'each once');
    await ahead.until(more.length);
    assert.deepEqual(ahead.ids, more);
    await ahead.stop();
    await log.trim(floor.position, never());
    await assertTidy(where, left);
    assert.equal(await foreign.read(paths.segment(1)), undefined, 'empty and ended');
  });

  it('leaves foreign nodes alone, and is not stopped by an id that something foreign has deleted', async () => {
    const where = await place();
    const { log, paths } = where;
    const drafts = Array.from({ length: 5 }, (_, index) => draft(`${index}`));
    for (const each of drafts) await log.append(each, never());
    await foreign.do({ type: 'create', path: `${paths.segment(1)}/foreign` });
    await foreign.do({ type: 'create', path: `${paths.ids}/foreign` });
    await foreign.do({ type: 'delete', path: paths.id(drafts[1] as EntryDraft) });
    const entries = await takeAll(log, genesis);
    await log.trim(entries[3]?.position ?? genesis, never());
    assert.deepEqual((await foreign.names(paths.segment(1))).toSorted(), ['e-0000000004', 'foreign']);
    await foreign.do(
      { type: 'set', path: paths.open, data: Buffer.from('2'), version: 1 },
      { type: 'create', path: paths.segment(2) },
    );
    await log.append(draft('in the second'), never());
    await log.trim(await log.head(never()), never());
    assert.deepEqual(await foreign.names(paths.segment(1)), ['foreign']);
    assert.deepEqual(await foreign.names(paths.ids), ['foreign']);
    await log.trim(genesis, never());
  });

  it('refuses another history at the floor, and a floor that was written over', async () => {
    const where = await place();
    const { log, paths } = where;
    for (let count = 0; count < 3; count += 1) await log.append(draft(`${count}`), never());
    const entries = await takeAll(log, genesis);
    const floor = entries[1]?.position ?? genesis;
    await log.trim(floor, never());
    const stranger = toPosition({ segment: 1, sequence: 1, id: 'e'.repeat(32) });
    assert.ok(isWeftError(await new RunningTail(log, stranger).ended, 'log-mismatch'));
    assert.equal(await codeOf(log.trim(stranger, never())), 'log-mismatch');
    const missing = toPosition({ segment: 1, sequence: 2, id: 'e'.repeat(32) });
    assert.equal(await codeOf(log.trim(missing, never())), 'log-mismatch');
    assert.deepEqual(await takeAll(log, floor), entries.slice(2));
    await foreign.do({ type: 'set', path: paths.floor, data: Buffer.from('nonsense') });
    assert.ok(isWeftError(await new RunningTail(log, floor).ended, 'log-damaged'));
    assert.equal(await codeOf(log.trim(floor, never())), 'log-damaged');
  });

  it('deletes an entry of the past only, never the id of its late repetition', async () => {
    const where = await place();
    const { log, scope } = where;
    const made = draft('twice');
    const floor = await log.append(made, never());
    const mark = parsePosition(floor);
    assert.ok(mark !== undefined);
    await log.trim(floor, never());
    const position = await log.append(made, never());
    const late = foreign.do(...removalOps(scope, mark, made));
    await assert.rejects(late, /operation 0: -101/, 'no such entry any more');
    assert.equal(await log.resolve(made, never()), position);
  });

  it('says of a write of a snapshot whose answer was lost that its outcome is unknown, and takes it again', async () => {
    const { url, relayed } = await place();
    const [sure, cut] = [(await logs.open(url)).snapshots, (await logs.open(relayed)).snapshots];
    const bytes = Buffer.from('chunk');
    await cut.putChunk(snapshotId, 0, bytes, never());
    relay.cutAfterAnswerBytes(0);
    assert.equal(await codeOf(cut.putChunk(snapshotId, 1, bytes, never())), 'outcome-unknown');
    await cut.putChunk(snapshotId, 1, bytes, never());
    assert.deepEqual(await sure.getChunk(snapshotId, 1, never()), bytes);
    await cut.putManifest(snapshotId, bytes, never());
    relay.cutAfterAnswerBytes(0);
    assert.equal(await codeOf(cut.drop(snapshotId, never())), 'outcome-unknown');
    const [torn] = await sure.list(never());
    assert.deepEqual(torn, { id: snapshotId }, 'the manifest goes first');
    await cut.drop(snapshotId, never());
    assert.deepEqual(await sure.list(never()), []);
    await relay.refuse();
    // Only then it is known to have no connection.
    assert.equal(await codeOf(cut.list(never())), 'store-unreachable');
    assert.equal(await codeOf(cut.putChunk(snapshotId, 2, bytes, never())), 'store-unreachable');
    assert.equal(await codeOf(cut.drop(snapshotId, never())), 'store-unreachable');
    await relay.accept();
    assert.deepEqual(await sure.list(never()), [], 'nothing was sent');
  });

  it('drops a snapshot of several transactions, also by two at once, and keeps foreign nodes out of the list', async () => {
    const { url, log, paths } = await place();
    const other = await logs.open(url);
    const count = 2 * dropChunks + 5;
    const indices = Array.from({ length: count }, (_, index) => index);
    await inParallel(indices, 16, (index) =>
      log.snapshots.putChunk(snapshotId, index, Buffer.from(`${index}`), never()),
    );
    await log.snapshots.putManifest(snapshotId, Buffer.from('m'), never());
    await foreign.do({ type: 'create', path: `${paths.snapshots}/foreign` });
    const manifest = Buffer.from('m');
    assert.deepEqual(await other.snapshots.list(never()), [{ id: snapshotId, manifest }]);
    assert.equal((await foreign.names(paths.snapshot(snapshotId))).length, count + 1);
    await Promise.all([log, other].map(({ snapshots }) => snapshots.drop(snapshotId, never())));
    assert.equal(await foreign.read(paths.snapshot(snapshotId)), undefined);
    assert.deepEqual(await log.snapshots.list(never()), []);
  });

  it('neither trims nor keeps anything where the log is gone', async () => {
    const { log, prefix } = await place();
    const position = await log.append(draft('only'), never());
    await log.snapshots.putChunk(snapshotId, 0, Buffer.from('x'), never());
    await foreign.removeAll(prefix);
    const { snapshots } = log;
    const attempts: (() => Promise<unknown>)[] = [
      () => log.trim(position, never()),
      () => snapshots.putChunk(snapshotId, 1, Buffer.from('x'), never()),
      () => snapshots.putManifest(snapshotId, Buffer.from('x'), never()),
      () => snapshots.drop(snapshotId, never()),
      () => snapshots.list(never()),
      () => snapshots.getChunk(snapshotId, 0, never()),
    ];
    for (const attempt of attempts) assert.equal(await codeOf(attempt()), 'log-mismatch');
    assert.equal(await foreign.read(prefix), undefined);
  });
});

/** What others do to the contents of the store: foreign nodes, overwriting, deleting, wiping, restoring, filling it. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { genesis, type Position } from '../../core/log/event-log.ts';
import { startZookeeper, type ZookeeperServer, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { draft, inParallel, never, takeAll } from '../../test/support/log-drafts.ts';
import { codeOf, RunningTail, tryAppend } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { ZookeeperLogs, ZookeeperTree } from '../../test/support/zookeeper-logs.ts';
import { SystemClock } from '../system/clock.ts';
import { ZookeeperChannel } from './channel.ts';
import { logKeys } from './keys.ts';
import { requestBytesMax, segmentEntries } from './limits.ts';
import { appendRequest } from './transactions.ts';

describe('zookeeper: traps', function traps() {
  this.timeout(60_000);
  const logs = new ZookeeperLogs();
  let server: ZookeeperServer;
  let foreign: ZookeeperTree;
  let places = 0;

  before(async function start() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startZookeeper({ extraLines: ['enforceQuota=true'] });
    foreign = await ZookeeperTree.open(server);
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await foreign?.close();
    await server?.stop();
  });

  const place = async () => {
    places += 1;
    const prefix = `/traps-${places}`;
    const url = `${server.url}${prefix}`;
    const log = await logs.open(url);
    const logId = await log.open(never());
    const keys = logKeys(prefix);
    return { prefix, url, log, logId, keys, paths: keys.log(logId) };
  };

  it('ignores foreign nodes beside its own, also those that take a number', async () => {
    const { prefix, url, log, paths } = await place();
    const reader = await logs.open(url);
    const tail = new RunningTail(reader);
    const drafts = [draft('one'), draft('two'), draft('three'), draft('four')];
    const positions: Position[] = [];
    for (const [index, each] of drafts.entries()) {
      for (const path of [prefix, paths.root, paths.ids, paths.segment(1)]) {
        await foreign.do({ type: 'create', path: `${path}/foreign-${index}` });
      }
      positions.push(await log.append(each, never()));
    }
    await foreign.do({ type: 'create', path: `${paths.segment(1)}/last` });
    await tail.until(4);
    const ids = drafts.map(({ id }) => id);
    assert.deepEqual(tail.ids, ids);
    assert.deepEqual(
      positions.map((position) => Number(position.split(':')[1])),
      [1, 3, 5, 7],
      'every foreign child has taken a number',
    );
    assert.equal(await reader.head(never()), positions[3]);
    assert.deepEqual(
      (await takeAll(reader, genesis)).map(({ id }) => id),
      ids,
    );
    for (const [index, each] of drafts.entries()) {
      assert.equal(await reader.resolve(each, never()), positions[index]);
      assert.equal(await reader.append(each, never()), positions[index]);
    }
    await tail.stop();
  });

  it('takes an entry that was written over for damage', async () => {
    const { log, paths } = await place();
    const made = draft('mine');
    const position = await log.append(made, never());
    await foreign.do({ type: 'set', path: paths.entry(1, 0), data: Buffer.from(`${made.id}\nyours`) });
    assert.ok(isWeftError(await new RunningTail(log).ended, 'log-damaged'));
    assert.ok(isWeftError(await new RunningTail(log, position).ended, 'log-damaged'));
    assert.equal(await codeOf(log.append(made, never())), 'log-damaged');
    assert.equal(await codeOf(log.resolve(made, never())), 'log-damaged');
  });

  it('takes an entry that was deleted for damage, and one that something else put where the next belongs', async () => {
    const { log, paths } = await place();
    const first = await log.append(draft('first'), never());
    await log.append(draft('second'), never());
    await log.append(draft('third'), never());
    const tail = new RunningTail(log);
    await tail.until(3);
    await foreign.do({ type: 'create', path: paths.entry(1, 4) });
    assert.equal(await codeOf(log.append(draft('fourth'), never())), 'log-damaged');
    assert.ok(isWeftError(await tail.ended, 'log-damaged'));
    await foreign.do({ type: 'delete', path: paths.entry(1, 1) });
    assert.ok(isWeftError(await new RunningTail(log, first).ended, 'log-damaged'));
  });

  it('does not open a place that has a log and no identity, or the other way round, or one that it does not know', async () => {
    const { url, keys, paths, logId } = await place();
    await foreign.do({ type: 'set', path: keys.logId, data: Buffer.from('weft-log 2 something') });
    assert.equal(await codeOf(logs.open(url)), 'unknown-version');
    await foreign.do({ type: 'set', path: keys.logId, data: Buffer.from('nonsense') });
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
    await foreign.do({ type: 'delete', path: keys.logId });
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
    await foreign.do({ type: 'create', path: keys.logId, data: Buffer.from(`weft-log 1 ${logId}`) });
    await logs.open(url);
    await foreign.removeAll(paths.root);
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
  });

  it('goes from segment to segment, with many authors, and refuses a late attempt at one that is closed', async () => {
    const { url, log, keys, paths, logId } = await place();
    const authors = [log, await logs.open(url), await logs.open(url)];
    const tail = new RunningTail(await logs.open(url));
    const drafts = Array.from({ length: segmentEntries + 200 }, (_, index) => draft(`${index}`, index));
    await inParallel([...drafts.entries()], 48, async ([index, each]) => {
      await authors[index % 3]?.append(each, never());
    });
    await tail.until(drafts.length);
    const history = await takeAll(log, genesis);
    assert.deepEqual(
      tail.ids,
      history.map(({ id }) => id),
    );
    const firstOfSecond = history.findIndex(({ position }) => position.startsWith('2:'));
    assert.ok(firstOfSecond >= segmentEntries, 'a second segment was opened when the first was full');
    assert.equal((await foreign.names(paths.segment(1))).length, firstOfSecond);
    const edge = history.slice(firstOfSecond - 1, firstOfSecond + 1);
    assert.deepEqual((await takeAll(log, edge[0]?.position ?? genesis))[0], edge[1]);
    for (const { id, position } of edge) {
      const made = drafts.find((each) => each.id === id);
      assert.ok(made !== undefined);
      assert.equal(await log.resolve(made, never()), position);
      assert.equal(await log.append(made, never()), position);
    }
    const late = draft('late', 3);
    const request = appendRequest({ keys, paths, logId, url }, 1, late, late.bytes);
    await assert.rejects(foreign.do(...request), /operation 0: -103/, 'bad version: the segment is closed');
    const [again] = drafts;
    assert.ok(again !== undefined);
    const repeated = appendRequest({ keys, paths, logId, url }, 2, again, again.bytes);
    await assert.rejects(foreign.do(...repeated), /operation 1: -110/, 'the id is there');
    await tail.stop();
  });

  it('does not send a request that the server would drop without a word', async () => {
    const host = { host: server.host, port: server.clientPort };
    const channel = await ZookeeperChannel.open(
      host,
      { hosts: [host], prefix: '/' },
      new SystemClock(),
      never(),
    );
    const path = `/oversize-${++places}`;
    const large = channel.multi([{ type: 'create', path, data: Buffer.alloc(requestBytesMax) }], never());
    assert.equal(await codeOf(large), 'too-large');
    assert.equal(await channel.exists(path, never()), undefined);
    assert.equal(channel.end, undefined, 'the connection stands');
    const fitting = Buffer.alloc(requestBytesMax - 1024);
    assert.equal((await channel.multi([{ type: 'create', path, data: fitting }], never())).type, 'done');
    assert.equal((await channel.read(path, never()))?.data.length, fitting.length);
    await channel.close();
  });

  it('says that the store is full where a quota is, still reads, and goes on when there is room', async () => {
    const { prefix, log } = await place();
    const first = draft('first');
    await log.append(first, never());
    const quota = `/zookeeper/quota${prefix}`;
    const limit = (count: number) =>
      Buffer.from(`count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=${count}`);
    await foreign.do(
      { type: 'create', path: quota },
      { type: 'create', path: `${quota}/zookeeper_limits`, data: limit(1) },
      { type: 'create', path: `${quota}/zookeeper_stats`, data: Buffer.from('count=12,bytes=100') },
    );
    const refused = draft('refused');
    assert.deepEqual(await tryAppend(log, refused), { type: 'refused', code: 'store-full' });
    assert.equal(await log.resolve(refused, never()), undefined);
    assert.deepEqual(log.health, { reachable: true });
    assert.equal((await takeAll(log, genesis)).length, 1);
    await foreign.do({ type: 'set', path: `${quota}/zookeeper_limits`, data: limit(1_000) });
    await log.append(refused, never());
  });
});

describe('zookeeper: a store that is not what it was', function replaced() {
  this.timeout(60_000);
  const logs = new ZookeeperLogs();
  let folder: string;
  let dataDir: string;
  let server: ZookeeperServer;

  before(async function start() {
    const unavailable = zookeeperUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    folder = await mkdtemp(join(tmpdir(), 'weft-zookeeper-backup-'));
    dataDir = join(folder, 'data');
    server = await startZookeeper({ dataDir });
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('delivers nothing of a store that was wiped, and writes nothing to it', async () => {
    const old = await logs.open(server.url);
    for (let count = 0; count < 10; count++) await old.append(draft(`${count}`), never());
    const tail = new RunningTail(old);
    await tail.until(10);
    await server.wipe();
    assert.ok(isWeftError(await tail.ended, 'log-mismatch'), 'nobody has begun a new log');
    const fresh = await logs.open(server.url);
    for (let count = 0; count < 30; count++) await fresh.append(draft(`new ${count}`), never());
    assert.equal(tail.entries.length, 10);
    assert.equal(await codeOf(old.append(draft('stray'), never())), 'log-mismatch');
    assert.equal(await codeOf(old.head(never())), 'log-mismatch');
    const later = new RunningTail(old, tail.entries.at(-1)?.position ?? genesis);
    assert.ok(isWeftError(await later.ended, 'log-mismatch'));
    assert.equal(later.entries.length, 0);
    assert.equal((await takeAll(fresh, genesis)).length, 30);
  });

  it('finds out a store that was restored from a backup: shorter, as long with other entries, and longer', async () => {
    const backup = join(folder, 'backup');
    const url = `${server.url}/restored`;
    const log = await logs.open(url);
    for (let count = 0; count < 5; count++) await log.append(draft(`${count}`), never());
    // Nobody writes meanwhile, and every ack is on the disk.
    await cp(dataDir, backup, { recursive: true });
    let last: Position = genesis;
    for (let count = 0; count < 5; count++) last = await log.append(draft(`lost ${count}`), never());
    // A tail that has seen what will be lost, and lives through it.
    const living = new RunningTail(log);
    await living.until(10);
    await server.kill('SIGKILL');
    await rm(dataDir, { recursive: true });
    await cp(backup, dataDir, { recursive: true });
    await server.restart();
    assert.ok(isWeftError(await living.ended, 'log-ahead'), String(await living.ended));
    const restored = await logs.open(url);
    const shorter = new RunningTail(restored, last);
    assert.ok(isWeftError(await shorter.ended, 'log-ahead'), String(await shorter.ended));
    const positions: Position[] = [];
    for (let count = 0; count < 5; count++)
      positions.push(await restored.append(draft(`other ${count}`), never()));
    const placeOf = (position: Position | undefined) => position?.split(':').slice(0, 2).join(':');
    assert.equal(placeOf(positions.at(-1)), placeOf(last), 'the number was given out again');
    const asLong = new RunningTail(restored, last);
    assert.ok(isWeftError(await asLong.ended, 'log-mismatch'), String(await asLong.ended));
    for (let count = 0; count < 10; count++) await restored.append(draft(`more ${count}`), never());
    const longer = new RunningTail(restored, last);
    assert.ok(isWeftError(await longer.ended, 'log-mismatch'), String(await longer.ended));
    assert.equal(shorter.entries.length + asLong.entries.length + longer.entries.length, 0);
    assert.equal(living.entries.length, 10);
  });
});

/** What others do to the contents of the store: foreign keys, overwriting, compaction, wiping, restoring, filling it. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, type Context, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { entryBytesMax } from '../../core/limits.ts';
import { type EntryDraft, genesis, type Position } from '../../core/log/event-log.ts';
import { type EtcdServer, type EtcdServerOptions, etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { Relay } from '../../lab/relay.ts';
import { EtcdLogs } from '../../test/support/etcd-logs.ts';
import { draft, inParallel, never, takeAll } from '../../test/support/log-drafts.ts';
import { codeOf, eventually, RunningTail, type Try, tryAppend } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { SystemClock } from '../system/clock.ts';
import { EtcdChannel, openChannel } from './channel.ts';
import { EtcdCallError } from './errors.ts';
import { logKeys } from './keys.ts';
import { Member } from './member.ts';
import { parseEtcdUrl } from './options.ts';
import { isOldServer } from './server-version.ts';
import { appendRequest, assertFence, fencedRead } from './transactions.ts';
import { WatchStream } from './watch.ts';

describe('etcd: traps', function traps() {
  this.timeout(60_000);
  const logs = new EtcdLogs();
  let server: EtcdServer;
  let foreign: EtcdChannel;
  let places = 0;

  before(async function start() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startEtcd();
    foreign = new EtcdChannel({ hosts: server.endpoints });
  });
  afterEach(() => logs.closeAll());
  after(async () => {
    foreign?.close();
    await server?.stop();
  });

  const place = () => {
    places += 1;
    const prefix = `/traps/${places}`;
    return { prefix, url: `${server.url}${prefix}`, keys: logKeys(prefix) };
  };

  it('ignores foreign keys beside its own', async () => {
    const { prefix, url } = place();
    const [writer, reader] = [await logs.open(url), await logs.open(url)];
    const tail = new RunningTail(reader);
    const drafts = [draft('one'), draft('two'), draft('three')];
    for (const each of drafts) {
      await foreign.put(`${prefix}/log/0000000000000/not-an-id`).value('foreign');
      await foreign.put(`${prefix}/log/zzz`).value('foreign');
      await foreign.put(`${prefix}/logs`).value('foreign');
      await foreign.put(`${prefix}/meta/other`).value('foreign');
      await writer.append(each, never());
    }
    await foreign.delete().key(`${prefix}/log/zzz`);
    await tail.until(3);
    const ids = drafts.map(({ id }) => id);
    assert.deepEqual(tail.ids, ids);
    assert.deepEqual(
      (await takeAll(writer, genesis)).map(({ id }) => id),
      ids,
    );
    await tail.stop();
  });

  it('takes an overwritten entry for damage, live and when it is read later', async () => {
    const { url, keys } = place();
    const log = await logs.open(url);
    const made = draft('mine');
    const position = await log.append(made, never());
    const tail = new RunningTail(log);
    await tail.until(1);
    await foreign.put(keys.entry(made)).value(Buffer.from('mine'));
    assert.ok(isWeftError(await tail.ended, 'log-damaged'));
    assert.ok(isWeftError(await new RunningTail(log).ended, 'log-damaged'));
    assert.ok(isWeftError(await new RunningTail(log, position).ended, 'log-damaged'));
    assert.equal(await codeOf(log.append(made, never())), 'log-damaged');
    assert.equal(await codeOf(log.resolve(made, never())), 'log-damaged');
  });

  it('takes a head that names no entry for damage, and survives one that counts wrong', async () => {
    const { url, keys } = place();
    const log = await logs.open(url);
    const tail = new RunningTail(log);
    const [first, second] = [draft('first'), draft('second')];
    await log.append(first, never());
    await tail.until(1);
    await foreign.put(keys.head).value(first.id);
    await log.append(second, never());
    await tail.until(2);
    assert.deepEqual(tail.ids, [first.id, second.id]);
    await tail.stop();
    await foreign.put(keys.head).value('nonsense');
    assert.equal(await codeOf(log.head(never())), 'log-damaged');
  });

  it('does not open a place that has entries and no identity, nor an identity that it does not know', async () => {
    const { url, keys } = place();
    const log = await logs.open(url);
    await log.append(draft(), never());
    await foreign.delete().key(keys.logId);
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
    await foreign.put(keys.logId).value('weft-log 2 something');
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
  });

  it('goes on after a compaction beyond the place where its watch would begin', async () => {
    const { prefix, url } = place();
    const relay = await Relay.start({ host: server.host, port: server.clientPort });
    const writer = await logs.open(url);
    const reader = await logs.open(`etcd://${relay.host}:${relay.port}${prefix}`);
    const tail = new RunningTail(reader);
    const drafts = Array.from({ length: 60 }, (_, index) => draft(`${index}`));
    const [early, missed, late] = [drafts.slice(0, 20), drafts.slice(20, 40), drafts.slice(40)];
    for (const each of early) await writer.append(each, never());
    await tail.until(20);
    await relay.refuse();
    for (const each of missed) await writer.append(each, never());
    await compactNow();
    await relay.accept();
    for (const each of late) await writer.append(each, never());
    await tail.until(60);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
    await relay.close();
  });

  it('sees that a watch was refused because its start is compacted', async () => {
    const { prefix, url, keys } = place();
    const log = await logs.open(url);
    const logId = await log.open(never());
    for (let count = 0; count < 5; count++) await log.append(draft(), never());
    await compactNow();
    const clock = new SystemClock();
    const options = parseEtcdUrl(`${server.url}${prefix}`);
    const [host] = options.hosts;
    assert.ok(host !== undefined);
    const member = new Member(host, options, clock, openChannel);
    const stream = await WatchStream.open(member, { keys, logId, url }, 2, clock, never());
    while (stream.end === undefined) await stream.changed(1_000, never());
    assert.ok(stream.end.type === 'broken' && /compacted/.test(stream.end.error.message));
    member.reset();
  });

  it('refuses a late first attempt, however late it is', async () => {
    const { prefix, url, keys } = place();
    const log = await logs.open(url);
    const scope = { keys, url, logId: await log.open(never()) };
    const made = draft('late');
    const position = await log.append(made, never());
    await log.append(draft('another'), never());
    const options = parseEtcdUrl(`${server.url}${prefix}`);
    const [host] = options.hosts;
    assert.ok(host !== undefined);
    const member = new Member(host, options, new SystemClock(), openChannel);
    const limits = { deadlineMs: 1_000, signal: never() };
    const answer = await member.txn(appendRequest(scope, made, made.bytes), limits);
    assert.equal(answer.succeeded, false);
    assert.equal(await log.resolve(made, never()), position);
    assert.equal((await takeAll(log, genesis)).length, 2);
    const ok = await member.txn(fencedRead(scope, []), limits);
    assertFence(scope, ok);
    member.reset();
  });

  it('asks again when a store without space refuses what it has carried out', async () => {
    const log = await logs.open(place().url);
    const { txn } = Member.prototype;
    const noSpace = new EtcdCallError('status', 'etcdserver: mvcc: database space exceeded', 8);
    const [done, undone] = [draft('done'), draft('undone')];
    try {
      // etcd's quotaApplierV3, at the moment in which the quota is passed: first the write, then the refusal.
      Member.prototype.txn = async function carryOutAndRefuse(request, limits) {
        const answer = await txn.call(this, request, limits);
        if (answer.responses.some((response) => response.response_put)) throw noSpace;
        return answer;
      };
      assert.deepEqual(await tryAppend(log, done), {
        type: 'acked',
        position: await log.resolve(done, never()),
      });
      Member.prototype.txn = async function refuse(request, limits) {
        if (request.success?.some((op) => op.request_put !== undefined)) throw noSpace;
        return txn.call(this, request, limits);
      };
      assert.deepEqual(await tryAppend(log, undone), { type: 'refused', code: 'store-full' });
      Member.prototype.txn = async () => {
        throw noSpace;
      };
      assert.deepEqual(await tryAppend(log, undone), { type: 'unknown' });
    } finally {
      Member.prototype.txn = txn;
    }
  });

  it('warns of an old server, once', async () => {
    const warnings = () =>
      logs.logger.lines.filter(({ message }) => message.includes('older than 3.4.42')).length;
    const count = warnings();
    const log = await logs.open(place().url);
    await log.open(never());
    const { version } = await foreign.maintenance.status();
    assert.equal(warnings() - count, isOldServer(version) ? 1 : 0);
  });

  const compactNow = async () => {
    const { header } = await foreign.kv.range({ key: Buffer.from('x') });
    await foreign.kv.compact({ revision: header.revision });
  };
});

describe('etcd: a store that is not what it was', function replaced() {
  this.timeout(60_000);
  const logs = new EtcdLogs();
  let server: EtcdServer | undefined;

  afterEach(async () => {
    await logs.closeAll();
    await server?.stop();
  });

  const start = async (context: Context, options?: EtcdServerOptions): Promise<EtcdServer> => {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(context, unavailable);
    server = await startEtcd(options);
    return server;
  };

  it('delivers nothing of a store that was wiped, and writes nothing to it', async function test() {
    const etcd = await start(this);
    const old = await logs.open(etcd.url);
    for (let count = 0; count < 10; count++) await old.append(draft(`${count}`), never());
    const tail = new RunningTail(old);
    await tail.until(10);
    await etcd.wipe();
    assert.ok(isWeftError(await tail.ended, 'log-mismatch'), 'nobody has begun a new log');
    const fresh = await logs.open(etcd.url);
    for (let count = 0; count < 30; count++) await fresh.append(draft(`new ${count}`), never());
    assert.equal(tail.entries.length, 10);
    assert.equal(await codeOf(old.append(draft('stray'), never())), 'log-mismatch');
    assert.equal(await codeOf(old.head(never())), 'log-mismatch');
    const later = new RunningTail(old, tail.entries.at(-1)?.position ?? genesis);
    assert.ok(isWeftError(await later.ended, 'log-mismatch'));
    assert.equal(later.entries.length, 0);
    assert.equal((await takeAll(fresh, genesis)).length, 30);
  });

  it('finds out a store that was restored from a backup, whether it is shorter or longer', async function test() {
    const folder = await mkdtemp(join(tmpdir(), 'weft-etcd-backup-'));
    try {
      const [dataDir, backup] = [join(folder, 'data'), join(folder, 'backup')];
      const etcd = await start(this, { dataDir });
      const log = await logs.open(etcd.url);
      for (let count = 0; count < 5; count++) await log.append(draft(`${count}`), never());
      await etcd.kill('SIGKILL');
      await cp(dataDir, backup, { recursive: true });
      await etcd.restart();
      let last: Position = genesis;
      for (let count = 0; count < 5; count++)
        last = await eventually(() => log.append(draft(`lost ${count}`), never()));
      await etcd.kill('SIGKILL');
      await rm(dataDir, { recursive: true });
      await cp(backup, dataDir, { recursive: true });
      await etcd.restart();
      const restored = await logs.open(etcd.url);
      const shorter = new RunningTail(restored, last);
      assert.ok(isWeftError(await shorter.ended, 'log-ahead'), String(await shorter.ended));
      for (let count = 0; count < 20; count++) await restored.append(draft(`other ${count}`), never());
      const longer = new RunningTail(restored, last);
      assert.ok(isWeftError(await longer.ended, 'log-mismatch'), String(await longer.ended));
      assert.equal(shorter.entries.length + longer.entries.length, 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('says that the store is full only of what is not in it, and still reads', async function test() {
    const etcd = await start(this, { extraArgs: ['--quota-backend-bytes', String(8 * 1024 * 1024)] });
    const log = await logs.open(etcd.url);
    const tries = new Map<EntryDraft, Try>();
    const drafts = Array.from({ length: 80 }, () => draft(new Uint8Array(entryBytesMax)));
    await inParallel(drafts, 8, async (each) => tries.set(each, await tryAppend(log, each)));
    const codes = [...tries.values()].map((result) =>
      result.type === 'refused' ? result.code : result.type,
    );
    assert.ok(codes.includes('store-full'), codes.join(' '));
    const positions = new Map((await takeAll(log, genesis)).map(({ id, position }) => [id, position]));
    for (const [made, result] of tries) {
      const found = positions.get(made.id);
      if (result.type === 'acked') assert.equal(found, result.position);
      if (result.type === 'refused') assert.equal(found, undefined, result.code);
    }
    assert.deepEqual(log.health, { reachable: true });
    const other = await logs.open(etcd.url);
    assert.equal(await other.head(never()), await log.head(never()));
  });
});

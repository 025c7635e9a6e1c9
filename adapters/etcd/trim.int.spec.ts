/** Trimming on etcd: what is between the floor and the deletion, and who else is at it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import { type EtcdServer, etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { Relay } from '../../lab/relay.ts';
import { EtcdLogs } from '../../test/support/etcd-logs.ts';
import { draft, inParallel, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { appendPatiently, codeOf, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { EtcdChannel } from './channel.ts';
import { EtcdCallError } from './errors.ts';
import type { EtcdEventLog } from './event-log.ts';
import { logKeys } from './keys.ts';
import { Member } from './member.ts';

describe('etcd: trimming', function trimming() {
  this.timeout(60_000);
  const logs = new EtcdLogs();
  const { txn } = Member.prototype;
  let server: EtcdServer;
  let foreign: EtcdChannel;
  let places = 0;

  before(async function start() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startEtcd();
    foreign = new EtcdChannel({ hosts: server.endpoints });
  });
  afterEach(async () => {
    Member.prototype.txn = txn;
    await logs.closeAll();
  });
  after(async () => {
    foreign?.close();
    await server?.stop();
  });

  const place = () => {
    places += 1;
    const prefix = `/trim/${places}`;
    return { prefix, url: `${server.url}${prefix}`, keys: logKeys(prefix) };
  };

  /** Ids of the entries whose keys are in the store, in no order. */
  const stored = async (prefix: string): Promise<string[]> => {
    const keys = await foreign.getAll().prefix(`${prefix}/log/0`).keys();
    return keys.map((key) => key.split('/').at(-1) ?? '').sort();
  };

  it('disturbs no tail whose watch is compacted under it, unless it goes beyond what that has read', async () => {
    const { prefix, url } = place();
    const relay = await Relay.start({ host: server.host, port: server.clientPort });
    const writer = await logs.open(url);
    const far = `etcd://${relay.host}:${relay.port}${prefix}`;
    const [reader, late] = [await logs.open(far), await logs.open(far)];
    const drafts = Array.from({ length: 30 }, (_, index) => draft(`${index}`));
    const positions: Position[] = [];
    const write = async (from: number, to: number): Promise<void> => {
      for (const each of drafts.slice(from, to)) positions.push(await writer.append(each, never()));
    };
    await write(0, 5);
    const behind = new RunningTail(late);
    await behind.until(5);
    const tail = new RunningTail(reader);
    await tail.until(5);
    await relay.refuse();
    await write(5, 20);
    await writer.trim(at(positions, 4), never());
    await compactNow();
    await relay.accept();
    await write(20, 30);
    await Promise.all([tail.until(30), behind.until(30)]);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
    await relay.refuse();
    await writer.append(draft('missed'), never());
    await writer.trim(await writer.append(draft('also missed'), never()), never());
    await compactNow();
    await relay.accept();
    assert.ok(isWeftError(await behind.ended, 'log-trimmed'), String(await behind.ended));
    assert.equal(behind.entries.length, 30);
    await relay.close();
  });

  it('holds from when the floor is put, also if nothing is deleted before its author dies', async () => {
    const { prefix, url, keys } = place();
    const [log, other] = [await logs.open(url), await logs.open(url)];
    const drafts = Array.from({ length: 6 }, (_, index) => draft(`${index}`, index * 2_000));
    const positions: Position[] = [];
    for (const each of drafts) positions.push(await log.append(each, never()));
    await foreign.put(keys.floor).value(at(positions, 3));
    const [first, , , fourth, fifth, sixth] = drafts;
    assert.ok(first !== undefined && fourth !== undefined && fifth !== undefined && sixth !== undefined);
    for (const handle of [log, await logs.open(url)]) {
      assert.equal(await codeOf(take(handle, genesis, 1)), 'log-trimmed');
      assert.equal(await codeOf(take(handle, at(positions, 2), 1)), 'log-trimmed');
      assert.deepEqual(idsOf(await takeAll(handle, at(positions, 3))), [fifth.id, sixth.id]);
      assert.equal(await handle.resolve(first, never()), undefined);
      assert.equal(await handle.resolve(fourth, never()), undefined);
      assert.equal(await handle.resolve(fifth, never()), at(positions, 4));
    }
    const again = await log.append(first, never());
    assert.equal(await other.append(first, never()), again);
    assert.equal(await other.head(never()), again);
    assert.deepEqual(idsOf(await takeAll(other, at(positions, 3))), [fifth.id, sixth.id, first.id]);
    assert.equal((await stored(prefix)).length, 6);
    await other.trim(at(positions, 1), never());
    assert.deepEqual(await stored(prefix), [fifth.id, sixth.id, first.id].sort());
    assert.deepEqual(idsOf(await takeAll(log, at(positions, 3))), [fifth.id, sixth.id, first.id]);
  });

  it('is finished by the next trim where it was broken off in the middle', async () => {
    const { prefix, url } = place();
    const [log, other] = [await logs.open(url), await logs.open(url)];
    const entries = await filled(log, 250);
    let deletions = 0;
    Member.prototype.txn = async function dieAmid(request, limits) {
      if (request.success?.some((op) => op.request_delete_range !== undefined) && ++deletions > 1)
        throw new EtcdCallError('status', 'read ECONNRESET', 14);
      return txn.call(this, request, limits);
    };
    await log.trim(at(entries, 239).position, never());
    Member.prototype.txn = txn;
    assert.equal((await stored(prefix)).length, 150);
    assert.ok(
      logs.logger.lines.some(
        ({ level, message }) => level === 'warn' && /the next trim goes on/.test(message),
      ),
    );
    assert.deepEqual(idsOf(await takeAll(log, at(entries, 239).position)), idsOf(entries.slice(240)));
    await other.trim(genesis, never());
    assert.deepEqual(await stored(prefix), idsOf(entries.slice(240)).sort());
  });

  it('leaves what its author puts once more while it is being deleted', async () => {
    const { prefix, url } = place();
    const [log, other] = [await logs.open(url), await logs.open(url)];
    const late = draft('late');
    await log.append(late, never());
    const entries = await filled(log, 20);
    let again: Position | undefined;
    Member.prototype.txn = async function putBefore(request, limits) {
      const deletes = request.success?.filter((op) => op.request_delete_range !== undefined).length ?? 0;
      if (deletes > 1 && again === undefined) {
        Member.prototype.txn = txn;
        again = await other.append(late, never());
      }
      return txn.call(this, request, limits);
    };
    await log.trim(at(entries, 15).position, never());
    assert.ok(again !== undefined, 'it was put in between');
    assert.equal(await log.resolve(late, never()), again);
    assert.deepEqual(await stored(prefix), [...idsOf(entries.slice(16)), late.id].sort());
    assert.equal((await takeAll(log, at(entries, 15).position)).at(-1)?.position, again);
  });

  it('by many at once ends where the furthest of them wanted', async () => {
    const { prefix, url, keys } = place();
    const all = await Promise.all(Array.from({ length: 5 }, () => logs.open(url)));
    const [log] = all;
    assert.ok(log !== undefined);
    const entries = await filled(log, 120);
    await Promise.all(all.map((each, index) => each.trim(at(entries, 60 + 10 * index).position, never())));
    assert.equal((await foreign.get(keys.floor).string()) ?? '', at(entries, 100).position);
    assert.deepEqual(await stored(prefix), idsOf(entries.slice(101)).sort());
  });

  it('says so to who is in the middle of what it takes, and does not call it damage', async () => {
    const { url } = place();
    const [log, reader] = [await logs.open(url), await logs.open(url)];
    const entries = await filled(log, 400);
    const seen: LogEntry[] = [];
    const reading = (async () => {
      for await (const entry of reader.tail(genesis, never())) {
        seen.push(entry);
        if (seen.length === 1) await log.trim(at(entries, -1).position, never());
      }
    })();
    assert.equal(await codeOf(reading), 'log-trimmed');
    assert.ok(seen.length < 400, 'not everything was under way already');
    assert.deepEqual(idsOf(seen), idsOf(entries.slice(0, seen.length)));
  });

  it('tells that it does not know, where its answer was lost, and may be repeated', async () => {
    const { prefix, url, keys } = place();
    const log = await logs.open(url);
    const entries = await filled(log, 5);
    Member.prototype.txn = async function loseAnswer(request, limits) {
      const answer = await txn.call(this, request, limits);
      if (request.success?.some((op) => op.request_put !== undefined))
        throw new EtcdCallError('timed-out', 'no answer');
      return answer;
    };
    assert.equal(await codeOf(log.trim(at(entries, 2).position, never())), 'outcome-unknown');
    const id = 'a'.repeat(32) as SnapshotId;
    assert.equal(await codeOf(log.snapshots.putManifest(id, Buffer.from('m'), never())), 'outcome-unknown');
    Member.prototype.txn = txn;
    assert.equal((await foreign.get(keys.floor).string()) ?? '', at(entries, 2).position);
    await log.trim(at(entries, 2).position, never());
    assert.equal((await stored(prefix)).length, 2);
  });

  it('refuses other positions, leaves foreign keys, and takes a floor that is none for damage', async () => {
    const { prefix, url, keys } = place();
    const log = await logs.open(url);
    await foreign.put(`${prefix}/log/0000000000000/foreign`).value('x');
    await foreign.put(`${prefix}/snap/foreign/x`).value('x');
    await foreign.put(`${prefix}/snap/00`).value('x');
    const entries = await filled(log, 3);
    const { position } = at(entries, 1);
    const elsewhere = `${Number.parseInt(position, 10)}:${'f'.repeat(32)}` as Position;
    assert.equal(await codeOf(log.trim(elsewhere, never())), 'log-mismatch');
    assert.equal(await codeOf(log.trim('nonsense' as Position, never())), 'log-ahead');
    await log.trim(position, never());
    assert.equal(await codeOf(log.trim(elsewhere, never())), 'log-mismatch');
    assert.equal(await codeOf(take(log, elsewhere, 1)), 'log-mismatch');
    assert.deepEqual(await stored(prefix), [at(entries, 2).id, 'foreign'].sort());
    const id = '0'.repeat(32) as SnapshotId;
    await log.snapshots.putChunk(id, 0, Buffer.from('x'), never());
    assert.deepEqual(await log.snapshots.list(never()), [{ id }]);
    await foreign.put(keys.floor).value('nonsense');
    assert.equal(await codeOf(take(log, at(entries, 2).position, 1)), 'log-damaged');
    assert.equal(await codeOf(log.trim(at(entries, 2).position, never())), 'log-damaged');
  });

  it('writes nothing to a store that holds another log by now', async () => {
    const { prefix, url } = place();
    const log = await logs.open(url);
    const entries = await filled(log, 3);
    await foreign.delete().prefix(prefix);
    const fresh = await logs.open(url);
    const id = 'b'.repeat(32) as SnapshotId;
    assert.equal(await codeOf(log.trim(at(entries, 2).position, never())), 'log-mismatch');
    assert.equal(await codeOf(log.snapshots.putChunk(id, 0, Buffer.from('x'), never())), 'log-mismatch');
    assert.equal(await codeOf(log.snapshots.drop(id, never())), 'log-mismatch');
    assert.equal(await codeOf(log.snapshots.list(never())), 'log-mismatch');
    assert.deepEqual(await fresh.snapshots.list(never()), []);
  });

  const compactNow = async () => {
    const { header } = await foreign.kv.range({ key: Buffer.from('x') });
    await foreign.kv.compact({ revision: header.revision });
  };
});

/** Appends so many entries, of several buckets, and gives them in their order. */
async function filled(log: EtcdEventLog, count: number): Promise<readonly LogEntry[]> {
  const start = await log.head(never());
  const drafts = Array.from({ length: count }, (_, index) => draft(`${index}`, index * 100));
  await inParallel(drafts, 16, (each) => appendPatiently(log, each));
  return await takeAll(log, start);
}

function idsOf(entries: readonly LogEntry[]): string[] {
  return entries.map(({ id }) => id);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  assert.ok(item !== undefined);
  return item;
}

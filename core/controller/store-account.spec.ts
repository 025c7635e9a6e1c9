/** What a controller tells of its store, snapshots that somebody asks for, and where the entries of a log begin. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { isWeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { Position } from '../log/event-log.ts';
import type { EntryId, SnapshotId } from '../model/ids.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { snapshotIdOf } from '../snapshot/upload.ts';

const snapshotOrdinals = 128;
const { signal } = cancelScope();

describe('what a controller tells of its store', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let written = 0;

  beforeEach(async () => {
    cluster = new VirtualCluster(1, { snapshotOrdinals });
    h1 = await cluster.start('h1');
  });
  afterEach(() => cluster.dispose());

  /** Entries of two records each, which say nothing. */
  async function grow(entries: number): Promise<void> {
    const record = Uint8Array.of(0x7b);
    for (let count = 0; count < entries; count += 1) {
      const id = (written++).toString(16).padStart(32, '0') as EntryId;
      cluster.store.put({ id, base: 0, bytes: encodeEntry([record, record]) });
      if (count % 16 === 0) await cluster.clock.advance(100);
    }
    await cluster.clock.advance(1_000);
  }

  const make = (host = h1): Promise<Manifest> => cluster.drive(host.controller.makeSnapshot(signal));
  const account = (check = false, host = h1) => cluster.drive(host.controller.storeStatus({ check }, signal));

  it('is where the snapshots are, what lies behind them, and whose turn the next one is', async () => {
    await cluster.start('h2');
    const before = await account();
    assert.deepEqual([before.snapshots, before.unfinished, before.newest], [[], 0, 0]);
    assert.deepEqual(before.next, { host: 'h1', ordinal: snapshotOrdinals });
    assert.equal(before.ownTurn, snapshotOrdinals);
    const first = await make();
    await grow(10);
    const second = await make();
    await grow(3);
    const { ordinal } = h1.controller.state;
    const now = await account();
    assert.deepEqual(
      now.snapshots?.map(({ id, records, entries, host, fault }) => [id, records, entries, host, fault]),
      [
        [second.id, 6, 3, 'h1', undefined],
        [first.id, 26, 13, 'h1', undefined],
      ],
    );
    assert.equal(now.snapshots?.[0]?.bytes, second.bytes);
    assert.deepEqual([now.ordinal, now.caughtUp, now.newest], [ordinal, true, second.ordinal]);
    assert.equal(now.next?.ordinal, second.ordinal + snapshotOrdinals);
    const { store } = await cluster.drive(h1.controller.status(signal));
    assert.equal(store.snapshotOrdinal, second.ordinal);
  });

  it('reads every snapshot through when asked to, and says which cannot be used and why', async () => {
    const { id, ordinal } = await make();
    const chunk = cluster.store.chunk(id, 0);
    assert.ok(chunk !== undefined);
    cluster.store.putChunk(id, 0, chunk.fill(0x20, 10, 20));
    const odd = snapshotIdOf(ordinal + 1, cluster.random);
    cluster.store.putManifest(odd, Uint8Array.of(0x7b));
    cluster.store.putChunk(snapshotIdOf(ordinal + 2, cluster.random), 0, chunk);
    const quick = await account();
    assert.deepEqual(
      quick.snapshots?.map((one) => [one.id, one.ordinal, one.fault === undefined]),
      [
        [odd, ordinal + 1, false],
        [id, ordinal, true],
      ],
    );
    assert.equal(quick.unfinished, 1);
    const thorough = await account(true);
    assert.match(thorough.snapshots?.[1]?.fault ?? '', /^Cannot use the snapshot: /);
    assert.equal(thorough.newest, 0, 'none of them can be used');
  });

  it('of another log is told as that', async () => {
    const made = await make();
    const other = { ...made, id: snapshotIdOf(9_999, cluster.random), logId: 'f'.repeat(32), ordinal: 9_999 };
    cluster.store.putManifest(other.id, Buffer.from(JSON.stringify(other)));
    const { snapshots, newest } = await account();
    assert.equal(snapshots?.[0]?.fault, `it is of log ${other.logId}`);
    assert.equal(newest, made.ordinal);
  });

  it('is answered with the store down, from what is known here', async () => {
    const { ordinal } = await make();
    const restore = h1.log.sever();
    const { store, snapshots, snapshotsReason, newest, ownTurn } = await account();
    assert.equal(store.reachable, false);
    assert.equal(snapshots, undefined);
    assert.match(snapshotsReason ?? '', /cut off by a test/);
    assert.deepEqual([newest, ownTurn], [ordinal, ordinal + snapshotOrdinals]);
    restore();
  });

  it('is answered with a store that says nothing', async () => {
    const list = h1.log.snapshots.list;
    h1.log.snapshots.list = () => new Promise(() => undefined);
    assert.match((await account()).snapshotsReason ?? '', /did not say within 2000 ms/);
    h1.log.snapshots.list = list;
  });

  it('does not count entries over which it leapt', async () => {
    const h2 = await cluster.start('h2');
    await make();
    const restore = h2.log.sever();
    await grow(20);
    await make();
    await grow(20);
    const third = await make();
    restore();
    await cluster.settle();
    await grow(2);
    assert.ok(h2.logger.lines.some(({ message }) => message === 'began from a snapshot'));
    const { snapshots } = await account(false, h2);
    assert.equal(snapshots?.find(({ id }) => id === third.id)?.entries, 2);
    assert.ok(snapshots?.every(({ id, entries }) => id === third.id || entries === undefined));
  });

  describe('a snapshot that somebody asks for', () => {
    it('is whole, trims behind the one before, and begins a host that comes late', async () => {
      const first = await make();
      assert.equal(cluster.store.floor, 0);
      await grow(10);
      const second = await make();
      assert.equal(second.ordinal, h1.controller.state.ordinal);
      assert.equal(second.stateHash, h1.controller.state.stateHash);
      assert.equal(`${cluster.store.floor}:${cluster.store.idAt(cluster.store.floor)}`, first.position);
      const h2 = await cluster.start('h2');
      await cluster.settle();
      assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
      const { store } = await cluster.drive(h2.controller.status(signal));
      assert.equal(store.snapshotOrdinal, second.ordinal);
    });

    it('is made once where two ask at the same record, and after the other where the log went on', async () => {
      await grow(5);
      const both = await cluster.drive(
        Promise.all([h1.controller.makeSnapshot(signal), h1.controller.makeSnapshot(signal)]),
      );
      assert.equal(both[0].id, both[1].id);
      assert.equal(cluster.store.snapshots().length, 1);
      assert.equal(cluster.store.floor, 0);
      const again = await make();
      assert.notEqual(again.id, both[0].id, 'one that is asked for afterwards is another one');
    });

    it('does not stay in the way of the next when it fails', async () => {
      await grow(5);
      const restore = h1.log.sever();
      const lost = h1.controller.makeSnapshot(signal);
      const alsoLost = h1.controller.makeSnapshot(signal);
      for (const each of [lost, alsoLost])
        await assert.rejects(cluster.drive(each), (error) => isWeftError(error, 'store-unreachable'));
      restore();
      assert.equal((await make()).ordinal, h1.controller.state.ordinal);
    });

    it('is refused by a host that has no part in keeping the log', async () => {
      const h2 = await cluster.start('h2');
      await cluster.drive(h1.controller.removeHost('h2', { by: 'uid:0', signal }));
      await cluster.settle();
      await assert.rejects(make(h2), (error) => isWeftError(error, 'not-ready'));
    });
  });

  describe('where the entries begin', () => {
    const start = (host = h1) => {
      const { length } = cluster.store;
      const position = `${length}:${cluster.store.idAt(length)}` as Position;
      const place = { position, ordinal: host.controller.state.ordinal };
      return cluster.drive(host.controller.logStart(place, signal));
    };

    it('is the first one, or the older snapshot, or the newer where the older is damaged', async () => {
      const first = await make();
      await grow(10);
      assert.equal(await start(), undefined);
      const second = await make();
      await grow(2);
      assert.equal((await start())?.id, first.id);
      const lines = await cluster.drive(h1.controller.snapshotLines(first.id, 0, signal));
      assert.match(lines[0] ?? '', /^\{.*"kind":"snapshot"/);
      cluster.store.putChunk(first.id, 0, Uint8Array.of(0x0a));
      assert.equal((await start())?.id, second.id);
      cluster.store.dropSnapshot(second.id);
      await assert.rejects(start(), (error) => {
        return isWeftError(error, 'log-trimmed') && error.message.includes('weft store status');
      });
    });

    it('is at or before the record that is asked for', async () => {
      const { controller } = h1;
      await make();
      const early = { position: '1:x' as Position, ordinal: 0 };
      await grow(10);
      await make();
      await assert.rejects(cluster.drive(controller.logStart(early, signal)), (error) =>
        isWeftError(error, 'log-trimmed'),
      );
    });

    it('has no lines of a snapshot that is not there', async () => {
      const none = '0'.repeat(32) as SnapshotId;
      await assert.rejects(cluster.drive(h1.controller.snapshotLines(none, 0, signal)), (error) =>
        isWeftError(error, 'bad-snapshot'),
      );
    });
  });
});

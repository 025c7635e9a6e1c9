import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { EntryId, LogId, SnapshotId } from '../../core/model/ids.ts';
import { formatLogId, logKeys, parseLogId } from './keys.ts';

const id = 'a'.repeat(32) as EntryId;
const snapshot = 'b'.repeat(32) as SnapshotId;
const keys = logKeys('/weft');
const idOf = (key: string) => keys.entryIdOf(Buffer.from(key));

describe('etcd keys', () => {
  it('has the layout that it documents', () => {
    assert.equal(keys.logId.toString(), '/weft/meta/log-id');
    assert.equal(keys.head.toString(), '/weft/log/head');
    assert.equal(keys.floor.toString(), '/weft/meta/floor');
    assert.equal(keys.chunk(snapshot, 12).toString(), `/weft/snap/${snapshot}/12`);
    assert.equal(keys.manifest(snapshot).toString(), `/weft/snap/${snapshot}/manifest`);
    assert.equal(keys.entry({ id, base: 1023 }).toString(), `/weft/log/0000000000000/${id}`);
    assert.equal(keys.entry({ id, base: 1024 }).toString(), `/weft/log/0000000000001/${id}`);
  });

  it('keeps each snapshot in a range of its own, apart from the log', () => {
    const { start, end } = keys.snapshot(snapshot);
    for (const key of [keys.chunk(snapshot, 0), keys.chunk(snapshot, 8_191), keys.manifest(snapshot)]) {
      assert.ok(Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0, key.toString());
      assert.equal(keys.snapshotNameOf(key), snapshot);
      for (const range of [keys.entries, keys.watched]) {
        assert.ok(
          Buffer.compare(key, range.start) < 0 || Buffer.compare(key, range.end) >= 0,
          key.toString(),
        );
      }
    }
    const other = `${'b'.repeat(31)}c` as SnapshotId;
    assert.ok(Buffer.compare(keys.manifest(other), end) > 0);
  });

  it('gives back the id of every entry, whatever its base', () => {
    const base = fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
    fc.assert(
      fc.property(base, (each) => {
        const key = keys.entry({ id, base: each });
        assert.equal(keys.entryIdOf(key), id);
        assert.ok(Buffer.compare(key, keys.entries.start) >= 0 && Buffer.compare(key, keys.entries.end) < 0);
        assert.ok(Buffer.compare(key, keys.watched.end) < 0);
      }),
    );
  });

  it('sorts keys by base, so that what is old is one range', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const [bucketA, bucketB] = [a, b].map((base) => Math.floor(base / 1024));
        const order = Buffer.compare(keys.entry({ id, base: a }), keys.entry({ id, base: b }));
        assert.equal(order, Math.sign((bucketA ?? 0) - (bucketB ?? 0)));
      }),
    );
  });

  it('watches the head with the entries, and lists the entries without it', () => {
    assert.ok(Buffer.compare(keys.head, keys.watched.end) < 0);
    assert.ok(Buffer.compare(keys.head, keys.entries.end) >= 0);
    assert.ok(Buffer.compare(keys.logId, keys.watched.end) >= 0);
  });

  it('knows foreign keys for what they are', () => {
    const foreign = [
      '/weft/log/head',
      '/weft/log/0000000000000/',
      `/weft/log/0000000000000/${id}x`,
      `/weft/log/0000000000000/${id.toUpperCase()}`,
      `/weft/log/000000000000/${id}`,
      `/weft/log/0000000000000/sub/${id}`,
      `/wefts/log/0000000000000/${id}`,
      '',
    ];
    for (const key of foreign) assert.equal(idOf(key), undefined, key);
    assert.equal(keys.entryIdOf(Buffer.concat([keys.entries.start, Buffer.from([0xff, 0x00])])), undefined);
  });

  it('reads back the identity that it writes, and no other', () => {
    const logId = 'b'.repeat(32) as LogId;
    assert.equal(parseLogId(formatLogId(logId)), logId);
    for (const value of ['', logId, `weft-log 2 ${logId}`, `weft-log 1 ${logId}\n`, `weft-log 1 ${logId}0`]) {
      assert.equal(parseLogId(Buffer.from(value)), undefined, value);
    }
  });
});

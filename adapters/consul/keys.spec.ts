import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { snapshotChunksMax } from '../../core/limits.ts';
import type { EntryId, LogId, SnapshotId } from '../../core/model/ids.ts';
import { formatLogId, parseLogId, placeKeys } from './keys.ts';

const logId = 'f'.repeat(32) as LogId;
const id = '0123456789abcdef0123456789abcdef' as EntryId;

describe('consul keys', () => {
  const place = placeKeys('/weft/a');
  const keys = place.of(logId);

  it('lie under the prefix without its first slash, those of a log under its id', () => {
    const log = `weft/a/log/${logId}`;
    assert.equal(place.identity, 'weft/a/meta/log-id');
    assert.equal(keys.open, `${log}/open`);
    assert.equal(keys.id({ id, base: 5000 }), `${log}/ids/0000000000004/${id}`);
    assert.equal(keys.entry(7, id), `${log}/segments/000000000007/${id}`);
    assert.equal(keys.segment(7).start, `${log}/segments/000000000007/start`);
    for (const key of [keys.open, keys.head, keys.entry(0, id)]) assert.ok(key.startsWith(place.logs));
  });

  it('tell entries of their segment from everything else', () => {
    const segment = keys.segment(7);
    assert.equal(segment.entryIdOf(keys.entry(7, id)), id);
    const others = [
      keys.entry(8, id),
      segment.start,
      segment.end,
      segment.folder,
      `${segment.folder}${id}/more`,
      `${segment.folder}${id.toUpperCase()}`,
      keys.id({ id, base: 0 }),
    ];
    for (const key of others) assert.equal(segment.entryIdOf(key), undefined, key);
  });

  it('sort by age: buckets of any base, segments of any number', () => {
    const buckets = [0, 1023, 1024, 2 ** 32, Number.MAX_SAFE_INTEGER].map((base) => keys.id({ id, base }));
    assert.deepEqual(buckets.toSorted(), buckets);
    assert.equal(buckets[0], buckets[1]);
    const segments = [0, 9, 10, 99_999_999].map((segment) => keys.segment(segment).folder);
    assert.deepEqual(segments.toSorted(), segments);
  });

  it('know their folders again, and no others', () => {
    for (const number of [0, 7, 999_999_999_999])
      assert.equal(keys.segmentOf(keys.segment(number).folder), number);
    const folder = keys.segment(7).folder;
    for (const other of [folder.slice(0, -1), `${folder}x/`, `${keys.segments}7/`, `x${folder}`, keys.ids])
      assert.equal(keys.segmentOf(other), undefined, other);
    const snapshot = keys.snapshot(id as string as SnapshotId);
    assert.equal(keys.snapshotOf(snapshot.folder), id);
    for (const other of [snapshot.manifest, `${keys.snapshots}${id}x`, `${keys.snapshots}notes/`, folder])
      assert.equal(keys.snapshotOf(other), undefined, other);
  });

  it('keep snapshots out of every folder of the log, none beginning with another', () => {
    const snapshot = keys.snapshot(id as string as SnapshotId);
    const names = [0, 1, 10, snapshotChunksMax - 1].map((index) => snapshot.chunk(index));
    for (const name of [...names, snapshot.manifest]) {
      assert.ok(name.startsWith(snapshot.folder) && !name.startsWith(place.logs));
      assert.ok(![...names, snapshot.manifest].some((other) => other !== name && other.startsWith(name)));
    }
  });

  it('hold an identity of this layout or none', () => {
    assert.equal(parseLogId(Buffer.from(formatLogId(logId))), logId);
    for (const text of ['', 'weft-log 2 x', `weft-log 2 ${logId}`, `${formatLogId(logId)} `]) {
      assert.equal(parseLogId(Buffer.from(text)), undefined);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import {
  formatEntry,
  formatLogId,
  formatSegment,
  isBucketName,
  isLaterLayout,
  isLogName,
  isSnapshotId,
  logKeys,
  parseEntry,
  parseLogId,
  parseSegment,
  segmentOf,
  sequenceOf,
} from './keys.ts';

const id = 'ab'.repeat(16) as EntryId;
const logId = 'cd'.repeat(16) as LogId;

describe('zookeeper keys', () => {
  const paths = logKeys('/teams/a').log(logId);

  it('lay everything of a log below a node that is named for it', () => {
    const root = `/teams/a/log-${logId}`;
    assert.equal(paths.open, `${root}/open`);
    assert.equal(paths.entry(7, 42), `${root}/segments/0000000007/e-0000000042`);
    assert.equal(paths.id({ id, base: 1024 }), `${root}/ids/0000000000001/${id}`);
    assert.equal(paths.bucket({ id, base: Number.MAX_SAFE_INTEGER }), `${root}/ids/8796093022207`);
  });

  it('know the number of an entry, and nothing else for one', () => {
    assert.equal(sequenceOf(paths.entry(1, 0)), 0);
    assert.equal(sequenceOf(`${paths.newEntry(1)}2147483647`), 2_147_483_647);
    assert.equal(sequenceOf('e-0000000007'), 7);
    for (const foreign of [
      '',
      'e-',
      'e-123',
      'x-0000000001',
      'the-0000000001',
      'e-00000000011',
      'e--000000001',
    ]) {
      assert.equal(sequenceOf(foreign), undefined, foreign);
    }
  });

  it('tell segments, buckets and snapshots by their names', () => {
    assert.equal(segmentOf('0000000012'), 12);
    for (const foreign of ['12', '00000000012', 'foreign']) assert.equal(segmentOf(foreign), undefined);
    assert.ok(isBucketName('0000000000001'));
    assert.equal(isBucketName('0000000001'), false);
    assert.ok(isSnapshotId('ab'.repeat(16)));
    assert.equal(isSnapshotId('foreign'), false);
  });

  it('tell the nodes of logs from others', () => {
    assert.ok(isLogName(`log-${logId}`));
    for (const name of ['log-id', 'log-', `log-${logId}0`, 'foreign']) assert.equal(isLogName(name), false);
  });
});

describe('zookeeper data', () => {
  it('is an id, a base, a line feed and the bytes, whatever they are', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(10, 0, 255, 10)]) {
      for (const base of [0, 41, Number.MAX_SAFE_INTEGER]) {
        const entry = parseEntry(formatEntry({ id, base }, bytes));
        assert.deepEqual([entry?.id, entry?.base], [id, base]);
        assert.deepEqual(Uint8Array.from(entry?.bytes ?? [1]), bytes);
      }
    }
    for (const foreign of [
      '',
      id,
      `${id} 1`,
      `${id}\n`,
      `${id} 01\n`,
      `${id.toUpperCase()} 1\n`,
      `${id.slice(1)} 1\n`,
    ]) {
      assert.equal(parseEntry(Buffer.from(foreign)), undefined, foreign);
    }
  });

  it('is the number of a segment, from one', () => {
    assert.equal(parseSegment(formatSegment(12)), 12);
    for (const foreign of ['', '0', '-1', '1.5', '01', '99999999999']) {
      assert.equal(parseSegment(Buffer.from(foreign)), undefined, foreign);
    }
  });

  it('is an identity with the version of its layout', () => {
    assert.equal(parseLogId(formatLogId(logId)), logId);
    assert.equal(parseLogId(Buffer.from(`weft-log 2 ${logId}`)), undefined);
    assert.ok(isLaterLayout(Buffer.from('weft-log 2 anything')));
    assert.ok(isLaterLayout(Buffer.from('weft-log 10 anything')));
    for (const other of ['weft-log 1 x', 'weft-log 0 x', 'nonsense']) {
      assert.equal(isLaterLayout(Buffer.from(other)), false);
    }
  });
});

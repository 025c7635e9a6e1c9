import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import type { LogId } from '../../core/model/ids.ts';
import type { ArchiveLine } from '../../core/ports/archive.ts';
import { runs } from '../../test/support/property-settings.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { type DiskPlan, SimulatedDisk } from '../../test/support/simulated-disk.ts';
import { DirectoryArchive } from './directory-archive.ts';

const directory = '/data/archive';
const logId = 'a'.repeat(32) as LogId;
const otherLog = 'b'.repeat(32) as LogId;
const apart = { kind: 'apart', logId } as const;

function lines(first: number, last: number, history = 'x'): ArchiveLine[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const ordinal = first + index;
    return {
      ordinal,
      mark: `${history.charCodeAt(0)}${ordinal}`.padStart(16, '0'),
      text: `{"${history}":${ordinal}}`,
    };
  });
}

async function opened(disk: SimulatedDisk, plan?: DiskPlan, bytesMax = 1_000_000): Promise<DirectoryArchive> {
  const archive = new DirectoryArchive({ directory, bytesMax, segmentLinesMax: 10 }, disk.process(plan));
  await archive.open();
  return archive;
}

async function all(archive: DirectoryArchive): Promise<readonly ArchiveLine[]> {
  return await archive.read({ after: 0, limit: 10_000 });
}

describe('the archive in a directory', () => {
  it('gives back what was written, by pages, also to the next that opens it', async () => {
    const disk = new SimulatedDisk();
    const first = await opened(disk);
    assert.equal(first.logId, undefined);
    await first.write(lines(1, 7), apart);
    await first.write(lines(8, 25));
    await first.write(lines(26, 26));
    for (const archive of [first, await opened(disk)]) {
      assert.deepEqual(await all(archive), lines(1, 26));
      assert.deepEqual(await archive.read({ after: 6, limit: 20 }), lines(7, 26));
      assert.deepEqual(await archive.read({ after: 8, limit: 5 }), lines(9, 13));
      assert.deepEqual(await archive.read({ after: 26, limit: 5 }), []);
      assert.deepEqual(archive.account.spans, [{ first: 1, last: 26 }]);
      assert.equal(archive.logId, logId);
    }
  });

  it('packs complete files, in a form that zcat shows', async () => {
    const disk = new SimulatedDisk();
    const archive = await opened(disk);
    await archive.write(lines(1, 12), apart);
    await archive.write(lines(13, 13));
    const packed = disk.paths().filter((path) => path.endsWith('-0000000000000012.gz'));
    assert.equal(packed.length, 1);
    const text = gunzipSync(disk.contents(packed[0] ?? '')).toString();
    assert.match(text, /^weft archive 1\n[0-9a-f]{8} 1 0000000000001201 \{"x":1\}\n/);
    assert.equal(text.split('\n').length, 14);
    assert.equal(disk.paths().length, 2);
  });

  it('keeps gaps, and fills them', async () => {
    const disk = new SimulatedDisk();
    const archive = await opened(disk);
    await archive.write(lines(5, 8), apart);
    await archive.write(lines(20, 22));
    assert.deepEqual(archive.account.spans, [
      { first: 5, last: 8 },
      { first: 20, last: 22 },
    ]);
    await archive.write(lines(9, 12));
    await archive.write(lines(23, 23));
    const again = await opened(disk);
    assert.deepEqual(await all(again), [...lines(5, 12), ...lines(20, 23)]);
    assert.deepEqual(again.account.spans, archive.account.spans);
  });

  it('goes on with another history where one parts from it, and begins anew where none is shared', async () => {
    const disk = new SimulatedDisk();
    const archive = await opened(disk);
    await archive.write(lines(1, 14), apart);
    await archive.write(lines(9, 11, 'y'), { kind: 'branch', logId: otherLog });
    assert.deepEqual(await all(archive), [...lines(1, 8), ...lines(9, 11, 'y')]);
    await archive.write(lines(12, 13, 'y'));
    await archive.write(lines(4, 4, 'z'), { kind: 'branch', logId });
    const again = await opened(disk);
    assert.deepEqual(await all(again), [...lines(1, 3), ...lines(4, 4, 'z')]);
    await again.write(lines(30, 30), { kind: 'apart', logId: otherLog });
    assert.deepEqual(await all(again), lines(30, 30));
    assert.equal((await opened(disk)).logId, otherLog);
  });

  it('drops the oldest files when there are too many', async () => {
    const disk = new SimulatedDisk();
    const archive = await opened(disk, undefined, 2_000);
    await archive.write(lines(1, 10), apart);
    for (let first = 11; first < 500; first += 10) await archive.write(lines(first, first + 9));
    assert.ok(archive.account.bytes < 3_000, `${archive.account.bytes} bytes`);
    const [span] = archive.account.spans;
    assert.ok(span !== undefined && span.first > 300 && span.last === 500, JSON.stringify(span));
    assert.deepEqual(await all(archive), lines(span.first, 500));
  });

  it('cuts off the torn end of a file', async () => {
    const disk = new SimulatedDisk();
    await (await opened(disk)).write(lines(1, 5), apart);
    const path = disk.paths()[0] ?? '';
    disk.corrupt(path, disk.contents(path).subarray(0, -3));
    const archive = await opened(disk);
    assert.deepEqual(archive.account, {
      spans: [{ first: 1, last: 4 }],
      bytes: archive.account.bytes,
      damage: [],
    });
    await archive.write(lines(5, 6));
    assert.deepEqual(await all(await opened(disk)), lines(1, 6));
  });

  it('leaves out what is damaged, and says so', async () => {
    const disk = new SimulatedDisk();
    const archive = await opened(disk);
    await archive.write(lines(1, 10), apart);
    await archive.write(lines(11, 19));
    const [open = ''] = disk.paths().filter((path) => path.endsWith('.open'));
    const text = disk.contents(open).toString();
    disk.corrupt(open, Buffer.from(text.replace('{"x":14}', '{"x":15}')));
    const [packed = ''] = disk.paths().filter((path) => path.endsWith('.gz'));
    disk.corrupt(packed, Buffer.from(disk.contents(packed)).fill(0, 20, 30));
    const again = await opened(disk);
    assert.match(
      again.account.damage.join('\n'),
      /open is damaged; what can be read of it: 11 to 13, 15 to 19$/,
    );
    assert.deepEqual(await all(again), [...lines(11, 13), ...lines(15, 19)]);
    assert.match(again.account.damage[1] ?? '', /gz is damaged; what can be read of it: nothing$/);
    assert.deepEqual(again.account.spans, [
      { first: 11, last: 13 },
      { first: 15, last: 19 },
    ]);
    await again.write(lines(1, 3));
    await again.write(lines(20, 20));
    assert.deepEqual(await all(await opened(disk)), [...lines(1, 3), ...lines(11, 13), ...lines(15, 20)]);
  });

  it('fails while the disk is full, and goes on behind what it has when there is room again', async () => {
    const disk = new SimulatedDisk();
    let isFull = false;
    const archive = await opened(disk, (_count, call) => (isFull && call === 'write' ? 'enospc' : undefined));
    await archive.write(lines(1, 4), apart);
    isFull = true;
    const full = (error: unknown) => isWeftError(error, 'archive-failed') && error.message.includes('ENOSPC');
    await assert.rejects(archive.write(lines(5, 9)), full);
    await assert.rejects(archive.write(lines(5, 9)), full);
    const { last = 0 } = archive.account.spans.at(-1) ?? {};
    assert.deepEqual(await all(archive), lines(1, last), 'it can be read meanwhile');
    isFull = false;
    await archive.write(lines(last + 1, 9));
    assert.deepEqual(await all(archive), lines(1, 9));
    assert.deepEqual(await all(await opened(disk)), lines(1, 9));
  });

  it('loses nothing that it has acked, wherever the process dies or the power fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom('die-before', 'die-amid', 'die-after', 'eio', 'enospc', 'short'),
        fc.boolean(),
        fc.integer(),
        async (at, fault, isPowerLost, seed) => {
          const disk = new SimulatedDisk();
          const archive = new DirectoryArchive(
            { directory, bytesMax: 1_000_000, segmentLinesMax: 10 },
            disk.process((count) => (count === at ? fault : undefined)),
          );
          let acked = 0;
          try {
            await archive.open();
            for (; acked < 60; acked += 3)
              await archive.write(lines(acked + 1, acked + 3), acked === 0 ? apart : undefined);
          } catch (error) {
            if (!isWeftError(error, 'archive-failed')) throw error;
          }
          if (isPowerLost) disk.failPower(new SeededRandom(seed));
          const again = await opened(disk);
          const found = await all(again);
          assert.ok(found.length >= acked, `${acked} acked, ${found.length} found`);
          assert.deepEqual(found, lines(1, found.length));
          await again.write(
            lines(found.length + 1, found.length + 5),
            found.length === 0 ? apart : undefined,
          );
          assert.deepEqual(await all(await opened(disk)), lines(1, found.length + 5));
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

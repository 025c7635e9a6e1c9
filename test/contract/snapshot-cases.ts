/** Cases of the log's contract: the snapshots beside it. */
import assert from 'node:assert/strict';
import { snapshotChunkBytesMax, snapshotManifestBytesMax } from '../../core/limits.ts';
import { genesis } from '../../core/log/event-log.ts';
import type { SnapshotStore } from '../../core/log/snapshot-store.ts';
import type { SnapshotId } from '../../core/model/ids.ts';
import { draft, never, takeAll } from '../support/log-drafts.ts';
import type { Case } from './event-log.contract.ts';
import { patterned, rejectsWith } from './log-assertions.ts';

const [first, second] = ['1', '2'].map((digit) => digit.repeat(32) as SnapshotId) as [SnapshotId, SnapshotId];

async function manifestsOf(snapshots: SnapshotStore): Promise<Map<SnapshotId, string | undefined>> {
  const found = await snapshots.list(never());
  return new Map(
    found.map(({ id, manifest }) => [
      id,
      manifest === undefined ? undefined : Buffer.from(manifest).toString(),
    ]),
  );
}

export function snapshotCases(test: Case): void {
  test('none are there at first', async ({ open }) => {
    const { snapshots } = await open();
    assert.deepEqual(await snapshots.list(never()), []);
    assert.equal(await snapshots.getChunk(first, 0, never()), undefined);
    await snapshots.drop(first, never());
  });

  test('are read by other processes as they were written', async ({ open }) => {
    const [{ snapshots }, other] = [await open(), await open()];
    const sizes = [0, 1, 4096, snapshotChunkBytesMax - 1, snapshotChunkBytesMax];
    for (const [index, size] of sizes.entries())
      await snapshots.putChunk(first, index, patterned(size), never());
    await snapshots.putManifest(first, Buffer.from('whole'), never());
    assert.deepEqual(await manifestsOf(other.snapshots), new Map([[first, 'whole']]));
    for (const [index, size] of sizes.entries()) {
      const chunk = await other.snapshots.getChunk(first, index, never());
      assert.ok(chunk !== undefined && Buffer.from(chunk).equals(patterned(size)), `chunk ${index}`);
    }
    assert.equal(await other.snapshots.getChunk(first, sizes.length, never()), undefined);
  });

  test('of ten mebibytes are read by other processes as they were written', async ({ open }) => {
    const [{ snapshots }, other] = [await open(), await open()];
    const chunks = Array.from({ length: (10 * 1024 * 1024) / snapshotChunkBytesMax }, (_, index) => index);
    // No two chunks are alike.
    const bytesOf = (index: number): Buffer => patterned(snapshotChunkBytesMax).fill(index, 0, 1);
    for (const index of chunks) await snapshots.putChunk(first, index, bytesOf(index), never());
    await snapshots.putManifest(first, Buffer.from('large'), never());
    assert.deepEqual(await manifestsOf(other.snapshots), new Map([[first, 'large']]));
    for (const index of chunks) {
      const chunk = await other.snapshots.getChunk(first, index, never());
      assert.ok(chunk !== undefined && Buffer.from(chunk).equals(bytesOf(index)), `chunk ${index}`);
    }
  });

  test('have no manifest before it is put', async ({ open }) => {
    const [{ snapshots }, other] = [await open(), await open()];
    await snapshots.putChunk(first, 0, Buffer.from('a'), never());
    const found = await manifestsOf(other.snapshots);
    assert.equal(found.get(first), undefined);
    await snapshots.putManifest(first, Buffer.from('now'), never());
    assert.equal((await manifestsOf(other.snapshots)).get(first), 'now');
  });

  test('of several authors at once lie apart', async ({ open }) => {
    const [one, two] = [await open(), await open()];
    await Promise.all(
      [
        { handle: one, id: first, mark: 'one' },
        { handle: two, id: second, mark: 'two' },
      ].map(async ({ handle, id, mark }) => {
        for (let index = 0; index < 12; index += 1) {
          await handle.snapshots.putChunk(id, index, Buffer.from(`${mark} ${index}`), never());
        }
        await handle.snapshots.putManifest(id, Buffer.from(mark), never());
      }),
    );
    const expected: [SnapshotId, string][] = [
      [first, 'one'],
      [second, 'two'],
    ];
    assert.deepEqual(new Map([...(await manifestsOf(one.snapshots))].sort()), new Map(expected));
    const chunk = await one.snapshots.getChunk(second, 11, never());
    assert.equal(Buffer.from(chunk ?? []).toString(), 'two 11');
  });

  test('may be written again', async ({ open }) => {
    const { snapshots } = await open();
    for (let time = 0; time < 2; time += 1) {
      await snapshots.putChunk(first, 0, Buffer.from('same'), never());
      await snapshots.putManifest(first, Buffer.from('manifest'), never());
    }
    assert.deepEqual(await manifestsOf(snapshots), new Map([[first, 'manifest']]));
  });

  test('go whole, and leave the others', async ({ open }) => {
    const [{ snapshots }, other] = [await open(), await open()];
    for (const id of [first, second]) {
      for (let index = 0; index < 70; index += 1)
        await snapshots.putChunk(id, index, Buffer.from('x'), never());
      await snapshots.putManifest(id, Buffer.from('m'), never());
    }
    await other.snapshots.drop(first, never());
    await other.snapshots.drop(first, never());
    assert.deepEqual(await manifestsOf(snapshots), new Map([[second, 'm']]));
    assert.equal(await snapshots.getChunk(first, 69, never()), undefined);
    assert.equal(Buffer.from((await snapshots.getChunk(second, 69, never())) ?? []).toString(), 'x');
  });

  test('that were never finished can be dropped', async ({ open }) => {
    const { snapshots } = await open();
    await snapshots.putChunk(first, 0, Buffer.from('torn'), never());
    await snapshots.drop(first, never());
    assert.equal(await snapshots.getChunk(first, 0, never()), undefined);
    assert.equal((await manifestsOf(snapshots)).has(first), false);
  });

  test('are refused over their bounds before anything is sent', async ({ open }) => {
    const { snapshots } = await open();
    const [chunk, manifest] = [snapshotChunkBytesMax, snapshotManifestBytesMax].map(
      (max) => new Uint8Array(max + 1),
    );
    await rejectsWith(snapshots.putChunk(first, 0, chunk ?? new Uint8Array(), never()), 'too-large');
    await rejectsWith(snapshots.putManifest(first, manifest ?? new Uint8Array(), never()), 'too-large');
    assert.deepEqual(await snapshots.list(never()), []);
  });

  test('are no entries of the log', async ({ open }) => {
    const log = await open();
    const made = draft('entry');
    await log.append(made, never());
    await log.snapshots.putChunk(first, 0, Buffer.from('a'), never());
    await log.snapshots.putManifest(first, Buffer.from('m'), never());
    const later = draft('later');
    await log.append(later, never());
    assert.deepEqual(
      (await takeAll(await open(), genesis)).map(({ id }) => id),
      [made.id, later.id],
    );
    assert.deepEqual(
      (await takeAll(log, genesis)).map(({ id }) => id),
      [made.id, later.id],
    );
  });

  test('stay when the log is trimmed', async ({ open }) => {
    const log = await open();
    const position = await log.append(draft('entry'), never());
    await log.snapshots.putManifest(first, Buffer.from('m'), never());
    await log.trim(position, never());
    assert.deepEqual(await manifestsOf((await open()).snapshots), new Map([[first, 'm']]));
  });

  test('of a closed log are refused with `closed`', async ({ open }) => {
    const log = await open();
    await log.close();
    await rejectsWith(log.snapshots.list(never()), 'closed');
    await rejectsWith(log.snapshots.putChunk(first, 0, Buffer.from('a'), never()), 'closed');
    await rejectsWith(log.trim(genesis, never()), 'closed');
  });
}

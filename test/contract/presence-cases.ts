/** Cases of the log's contract: the beats beside it. */
import assert from 'node:assert/strict';
import { beatBytesMax } from '../../core/limits.ts';
import { genesis } from '../../core/log/event-log.ts';
import type { PresenceStore } from '../../core/log/presence-store.ts';
import type { BootId, SnapshotId } from '../../core/model/ids.ts';
import { draft, inParallel, never, takeAll } from '../support/log-drafts.ts';
import type { Case } from './event-log.contract.ts';
import { patterned, rejectsWith } from './log-assertions.ts';

const [first, second] = ['1', '2'].map((digit) => digit.repeat(32) as BootId) as [BootId, BootId];

async function beatsOf(presence: PresenceStore): Promise<Record<BootId, string>> {
  const found = await presence.list(never());
  assert.equal(new Set(found.map(({ boot }) => boot)).size, found.length, 'each once');
  const texts = found.map(({ boot, bytes }) => [boot, Buffer.from(bytes).toString()] as const);
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function aborted(): AbortSignal {
  const controller = new AbortController();
  controller.abort();
  return controller.signal;
}

export function presenceCases(test: Case): void {
  test('has none at first, and drops what is not there', async ({ open }) => {
    const { presence } = await open();
    await presence.drop(first, never());
    assert.deepEqual(await presence.list(never()), []);
  });

  test('shows to others what was written, to the byte', async ({ open }) => {
    const [{ presence }, other] = [await open(), await open()];
    for (const size of [0, 1, beatBytesMax]) {
      await presence.put(first, patterned(size), never());
      const [beat, ...rest] = await other.presence.list(never());
      assert.ok(beat !== undefined && Buffer.from(beat.bytes).equals(patterned(size)), `${size} bytes`);
      assert.equal(beat.boot, first);
      assert.deepEqual(rest, []);
    }
  });

  test('shows the last of many', async ({ open }) => {
    const [{ presence }, other] = [await open(), await open()];
    for (let count = 1; count <= 20; count += 1) {
      await presence.put(first, Buffer.from(`beat ${count}`), never());
      assert.deepEqual(await beatsOf(other.presence), { [first]: `beat ${count}` });
    }
  });

  test('keeps those of several daemons apart', async ({ open }) => {
    const [one, two, reader] = [await open(), await open(), await open()];
    await Promise.all(
      [...Array(10).keys()].flatMap((count) => [
        one.presence.put(first, Buffer.from(`one ${count}`), never()),
        two.presence.put(second, Buffer.from(`two ${count}`), never()),
      ]),
    );
    await one.presence.put(first, Buffer.from('one'), never());
    await two.presence.put(second, Buffer.from('two'), never());
    assert.deepEqual(await beatsOf(reader.presence), { [first]: 'one', [second]: 'two' });
    await two.presence.drop(first, never());
    assert.deepEqual(await beatsOf(reader.presence), { [second]: 'two' });
  });

  test('can be written again after they were dropped', async ({ open }) => {
    const { presence } = await open();
    await presence.put(first, Buffer.from('a'), never());
    await presence.drop(first, never());
    await presence.put(first, Buffer.from('b'), never());
    assert.deepEqual(await beatsOf(presence), { [first]: 'b' });
  });

  test('stay when their author is gone, and where the log is trimmed', async ({ open }) => {
    const author = await open();
    const position = await author.append(draft('entry'), never());
    await author.presence.put(first, Buffer.from('there'), never());
    await author.trim(position, never());
    await author.close();
    assert.deepEqual(await beatsOf((await open()).presence), { [first]: 'there' });
  });

  test('lists more than one page of a store brings', async ({ open }) => {
    const { presence } = await open();
    const boots = Array.from({ length: 140 }, (_, index) => index.toString(16).padStart(32, '0') as BootId);
    await inParallel(boots, 4, (boot) => presence.put(boot, Buffer.from(boot), never()));
    assert.deepEqual(await beatsOf(presence), Object.fromEntries(boots.map((boot) => [boot, boot])));
  });

  test('are refused over their bound before anything is sent', async ({ open }) => {
    const { presence } = await open();
    await rejectsWith(presence.put(first, new Uint8Array(beatBytesMax + 1), never()), 'too-large');
    assert.deepEqual(await presence.list(never()), []);
  });

  test('are neither entries nor snapshots', async ({ open }) => {
    const log = await open();
    const made = draft('entry');
    await log.append(made, never());
    await log.presence.put(first, Buffer.from('beat'), never());
    await log.snapshots.putManifest(second as string as SnapshotId, Buffer.from('manifest'), never());
    const ids = (await takeAll(await open(), genesis)).map(({ id }) => id);
    assert.deepEqual(ids, [made.id]);
    assert.deepEqual(
      (await log.snapshots.list(never())).map(({ id }) => id as string),
      [second],
    );
    assert.deepEqual(await beatsOf(log.presence), { [first]: 'beat' });
  });

  test('are not sent for a caller who has given up', async ({ open }) => {
    const { presence } = await open();
    await rejectsWith(presence.put(first, Buffer.from('a'), aborted()), 'store-unreachable');
    await rejectsWith(presence.list(aborted()), 'store-unreachable');
    assert.deepEqual(await presence.list(never()), []);
  });

  test('of a closed log are refused with `closed`', async ({ open }) => {
    const log = await open();
    await log.close();
    await rejectsWith(log.presence.list(never()), 'closed');
    await rejectsWith(log.presence.put(first, Buffer.from('a'), never()), 'closed');
    await rejectsWith(log.presence.drop(first, never()), 'closed');
  });
}

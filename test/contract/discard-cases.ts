/** Contract cases of opening where there may be no log, and of removing one (`EventLog.open`, `EventLog.discard`). */
import assert from 'node:assert/strict';
import { type EventLog, genesis } from '../../core/log/event-log.ts';
import type { BootId, LogId, SnapshotId } from '../../core/model/ids.ts';
import { draft, inParallel, never, takeAll } from '../support/log-drafts.ts';
import { appendPatiently } from '../support/log-trials.ts';
import type { Case } from './event-log.contract.ts';
import { rejectsWith } from './log-assertions.ts';

const boot = '1'.repeat(32) as BootId;
const snapshot = '2'.repeat(32) as SnapshotId;
/** More nodes and keys than one transaction of any store removes. */
const manyEntries = 300;

export function refuseCases(test: Case): void {
  test('begins no log where it is told to refuse that, and writes nothing', async ({ connect }) => {
    await rejectsWith(connect().open(never(), 'refuse'), 'no-log');
    await rejectsWith(connect().open(never(), 'refuse'), 'no-log');
    const log = connect();
    await rejectsWith(log.open(never(), 'refuse'), 'no-log');
    const logId = await log.open(never());
    assert.equal(await log.head(never()), genesis, 'and the same handle may begin one later');
    assert.equal(await connect().open(never(), 'refuse'), logId);
  });
}

export function discardCases(test: Case): void {
  test('removes the log with its snapshots and beats, so that another one can begin', async ({
    open,
    connect,
  }) => {
    const old = await open();
    const oldId = await old.open(never());
    await fill(old, 3);
    await connect().discard(oldId, never());
    await rejectsWith(connect().open(never(), 'refuse'), 'no-log');
    const fresh = connect();
    assert.notEqual(await fresh.open(never()), oldId);
    await assertEmpty(fresh);
    const position = await fresh.append(draft('fresh'), never());
    assert.deepEqual(
      (await takeAll(await open(), genesis)).map((entry) => entry.position),
      [position],
    );
  });

  test('removes a log of many entries, and one that was trimmed', async ({ open, connect }) => {
    const old = await open();
    const drafts = Array.from({ length: manyEntries }, (_, index) => draft(`${index}`, index * 8));
    await inParallel(drafts, 16, (each) => appendPatiently(old, each));
    const all = await takeAll(old, genesis);
    await old.trim(all[manyEntries >> 1]?.position ?? genesis, never());
    const log = connect();
    await log.discard(await old.open(never()), never());
    await log.open(never());
    await assertEmpty(log);
  });

  test('may begin the next log by the handle that it was done with', async ({ open, connect }) => {
    const oldId = await (await open()).open(never());
    const log = connect();
    await log.discard(oldId, never());
    assert.notEqual(await log.open(never()), oldId);
    await assertEmpty(log);
  });

  test('leaves another log as it is', async ({ open, connect }) => {
    const log = await open();
    const { position } = await fill(log, 2);
    await rejectsWith(connect().discard('0'.repeat(32) as LogId, never()), 'log-mismatch');
    assert.equal(await log.head(never()), position);
    assert.equal((await log.snapshots.list(never())).length, 1);
    assert.equal((await log.presence.list(never())).length, 1);
  });

  test('has nothing to do where there is no log', async ({ connect }) => {
    await connect().discard('0'.repeat(32) as LogId, never());
    await rejectsWith(connect().open(never(), 'refuse'), 'no-log');
  });

  test('is found out by whoever followed the log, and nothing of theirs gets into the next', async ({
    open,
    connect,
  }) => {
    const old = await open();
    await fill(old, 2);
    await connect().discard(await old.open(never()), never());
    const fresh = await open();
    await rejectsWith(old.append(draft('stray'), never()), 'log-mismatch');
    await rejectsWith(old.head(never()), 'log-mismatch');
    await rejectsWith(old.presence.put(boot, Buffer.from('beat'), never()), 'log-mismatch');
    await assertEmpty(fresh);
  });

  test('is done once by any number at once, and never to the log that begins after it', async ({
    open,
    connect,
  }) => {
    const old = await open();
    const oldId = await old.open(never());
    await fill(old, 8);
    const logs = [connect(), connect(), connect()];
    const ids = await Promise.all(
      logs.map(async (log) => {
        // One of them may find the log already that another one has begun.
        await log
          .discard(oldId, never())
          .catch((error: unknown) => rejectsWith(Promise.reject(error), 'log-mismatch'));
        return await log.open(never());
      }),
    );
    assert.equal(new Set(ids).size, 1);
    assert.notEqual(ids[0], oldId);
    const position = await logs[0]?.append(draft('kept'), never());
    await rejectsWith(connect().discard(oldId, never()), 'log-mismatch');
    assert.equal(await logs[1]?.head(never()), position);
  });
}

/** Entries, a snapshot and a beat. */
async function fill(log: EventLog, count: number) {
  const drafts = Array.from({ length: count }, (_, index) => draft(`${index}`));
  for (const each of drafts) await log.append(each, never());
  await log.snapshots.putChunk(snapshot, 0, Buffer.from('chunk'), never());
  await log.snapshots.putManifest(snapshot, Buffer.from('manifest'), never());
  await log.presence.put(boot, Buffer.from('beat'), never());
  return { position: await log.head(never()) };
}

async function assertEmpty(log: EventLog): Promise<void> {
  assert.equal(await log.head(never()), genesis);
  assert.deepEqual(await takeAll(log, genesis), []);
  assert.deepEqual(await log.snapshots.list(never()), []);
  assert.deepEqual(await log.presence.list(never()), []);
}

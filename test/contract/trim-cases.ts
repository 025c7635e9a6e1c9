/** Cases of the log's contract: what trimming takes away, and what it leaves. */
import assert from 'node:assert/strict';
import { type EventLog, genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import { draft, inParallel, never, take, takeAll } from '../support/log-drafts.ts';
import type { Case } from './event-log.contract.ts';
import { plain, rejectsWith } from './log-assertions.ts';

/** Appends so many entries one after the other, and gives them as a tail brings them. */
async function filled(log: EventLog, count: number): Promise<readonly LogEntry[]> {
  for (let index = 0; index < count; index += 1) await log.append(draft(`${index}`, index), never());
  return await takeAll(log, genesis);
}

function at(entries: readonly LogEntry[], index: number): LogEntry {
  const entry = entries.at(index);
  assert.ok(entry !== undefined);
  return entry;
}

export function trimCases(test: Case): void {
  test('leaves what follows as it was, for every handle', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const entries = await filled(log, 12);
    await log.trim(at(entries, 4).position, never());
    for (const handle of [log, other, await open()]) {
      assert.deepEqual(
        (await takeAll(handle, at(entries, 4).position)).map(plain),
        entries.slice(5).map(plain),
      );
      assert.deepEqual(
        (await takeAll(handle, at(entries, 8).position)).map(plain),
        entries.slice(9).map(plain),
      );
      assert.equal(await handle.head(never()), at(entries, -1).position);
    }
  });

  test('says so to whoever comes from before it', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const entries = await filled(log, 8);
    await log.trim(at(entries, 5).position, never());
    for (const handle of [log, other, await open()]) {
      await rejectsWith(take(handle, genesis, 1), 'log-trimmed');
      await rejectsWith(take(handle, at(entries, 0).position, 1), 'log-trimmed');
      await rejectsWith(take(handle, at(entries, 4).position, 1), 'log-trimmed');
    }
  });

  test('never moves back, and may be repeated', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const entries = await filled(log, 8);
    await log.trim(at(entries, 5).position, never());
    await other.trim(at(entries, 5).position, never());
    await other.trim(at(entries, 2).position, never());
    await log.trim(genesis, never());
    assert.deepEqual((await takeAll(other, at(entries, 5).position)).map(plain), entries.slice(6).map(plain));
    await rejectsWith(take(log, at(entries, 2).position, 1), 'log-trimmed');
  });

  test('may take everything that there is, and what comes is found', async ({ open }) => {
    const [log, reader] = [await open(), await open()];
    const entries = await filled(log, 5);
    const head = at(entries, -1).position;
    await log.trim(head, never());
    assert.equal(await reader.head(never()), head);
    assert.equal(await (await open()).head(never()), head);
    const waiting = take(reader, head, 1);
    const made = draft('later');
    const position = await log.append(made, never());
    assert.deepEqual(
      (await waiting).map(({ id }) => id),
      [made.id],
    );
    assert.equal(await reader.head(never()), position);
    assert.deepEqual(
      (await takeAll(await open(), head)).map(({ id }) => id),
      [made.id],
    );
  });

  test('does not disturb a tail that is ahead of it, read or waiting', async ({ open }) => {
    const [log, reader] = [await open(), await open()];
    const entries = await filled(log, 10);
    const iterator = reader.tail(at(entries, 3).position, never())[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value?.id, at(entries, 4).id);
    const waiting = take(await open(), at(entries, -1).position, 1);
    await log.trim(at(entries, 3).position, never());
    for (const entry of entries.slice(5)) assert.equal((await iterator.next()).value?.id, entry.id);
    const made = draft('later');
    await log.append(made, never());
    assert.equal((await iterator.next()).value?.id, made.id);
    assert.equal((await waiting)[0]?.id, made.id);
    await iterator.return?.(undefined);
  });

  test('forgets what it took', async ({ open }) => {
    const log = await open();
    const drafts = [draft('first'), draft('second'), draft('third')];
    for (const each of drafts) await log.append(each, never());
    const entries = await takeAll(log, genesis);
    await log.trim(at(entries, 1).position, never());
    const [first, , third] = drafts;
    assert.ok(first !== undefined && third !== undefined);
    assert.equal(await log.resolve(first, never()), undefined);
    assert.equal(await log.resolve(third, never()), at(entries, 2).position);
  });

  test('brings a late repetition of what it took at the end, once', async ({ open }) => {
    const [log, other] = [await open(), await open()];
    const late = draft('late', 3);
    const floor = await log.append(late, never());
    const kept = draft('kept');
    await log.append(kept, never());
    await log.trim(floor, never());
    const position = await other.append(late, never());
    assert.equal(await log.append(late, never()), position);
    assert.equal(await log.head(never()), position);
    assert.deepEqual(
      (await takeAll(await open(), floor)).map(({ id }) => id),
      [kept.id, late.id],
    );
  });

  test('by several at once, while others append, loses nothing behind it', async ({ open }) => {
    const logs = await Promise.all(Array.from({ length: 3 }, open));
    const [log] = logs;
    assert.ok(log !== undefined);
    const entries = await filled(log, 40);
    const acked: Position[] = [];
    const appending = inParallel(
      Array.from({ length: 60 }, (_, index) => draft(`more ${index}`)),
      6,
      async (each) => acked.push(await log.append(each, never())),
    );
    const trimming = logs.map((each, index) => each.trim(at(entries, 10 + index).position, never()));
    await Promise.all([appending, ...trimming]);
    const left = await takeAll(await open(), at(entries, 12).position);
    assert.equal(left.length, 27 + acked.length);
    const found = new Set(left.map(({ position }) => position));
    for (const position of acked) assert.ok(found.has(position), `${position} is gone`);
    await rejectsWith(take(log, at(entries, 11).position, 1), 'log-trimmed');
  });

  test('of hundreds of entries, in several goes, keeps the rest', async ({ open }) => {
    const log = await open();
    await inParallel(
      Array.from({ length: 700 }, (_, index) => draft(`${index}`, index)),
      32,
      (each) => log.append(each, never()),
    );
    const entries = await takeAll(log, genesis);
    for (const index of [10, 299, 640]) {
      await log.trim(at(entries, index).position, never());
      const left = await takeAll(await open(), at(entries, index).position);
      assert.deepEqual(left.map(plain), entries.slice(index + 1).map(plain));
    }
  });

  test('refuses a position that is none of this log', async ({ harness, open }) => {
    const log = await open();
    const entries = await filled(log, 3);
    await rejectsWith(
      log.trim(harness.beyond(at(entries, -1).position), never()),
      'log-ahead',
      'log-mismatch',
    );
    assert.equal((await takeAll(log, genesis)).length, 3);
  });
}

/** What others do to the contents of the store: foreign keys, overwriting, wiping, restoring a backup. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { entryBytesMax } from '../../core/limits.ts';
import { genesis } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import { type ConsulServer, consulUnavailable, startConsul } from '../../lab/consul.ts';
import { ConsulLogs } from '../../test/support/consul-logs.ts';
import { draft, inParallel, never, takeAll } from '../../test/support/log-drafts.ts';
import { codeOf, eventually, RunningTail } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { placeKeys } from './keys.ts';

describe('consul: traps', function traps() {
  this.timeout(60_000);
  const logs = new ConsulLogs();
  let server: ConsulServer;
  let places = 0;

  before(async function start() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startConsul();
  });
  afterEach(() => logs.closeAll());
  after(() => server?.stop());

  const put = (key: string, value: string) => server.request('PUT', `/v1/kv/${key}`, value);
  const remove = (key: string) => server.request('DELETE', `/v1/kv/${key}`);

  /** A place of its own, with a log in it. */
  const place = async () => {
    places += 1;
    const prefix = `/traps/${places}`;
    const url = `${server.url}${prefix}`;
    const log = await logs.open(url);
    const logId: LogId = await log.open(never());
    return { prefix: prefix.slice(1), url, log, keys: placeKeys(prefix).of(logId) };
  };

  it('ignores foreign keys beside its own', async () => {
    const { prefix, url, log, keys } = await place();
    const tail = new RunningTail(await logs.open(url));
    const drafts = [draft('one'), draft('two'), draft('three')];
    for (const each of drafts) {
      await put(`${keys.segment(0).folder}not-an-id`, each.id);
      await put(`${prefix}/log/zzz`, each.id);
      await put(`${prefix}/meta/other`, each.id);
      await log.append(each, never());
    }
    await remove(`${keys.segment(0).folder}not-an-id`);
    await tail.until(3);
    const ids = drafts.map(({ id }) => id);
    assert.deepEqual(tail.ids, ids);
    assert.deepEqual(
      (await takeAll(log, genesis)).map(({ id }) => id),
      ids,
    );
    await tail.stop();
  });

  it('takes an overwritten entry for damage, live and when it is read later', async () => {
    const { log, keys } = await place();
    const made = draft('mine');
    await log.append(made, never());
    const tail = new RunningTail(log);
    await tail.until(1);
    await put(keys.entry(0, made.id), 'yours');
    assert.ok(isWeftError(await tail.ended, 'log-damaged'));
    assert.ok(isWeftError(await new RunningTail(log).ended, 'log-damaged'));
    assert.equal(await codeOf(log.append(made, never())), 'log-damaged');
  });

  it('takes two entries of one transaction for damage: they have one index', async () => {
    const { log, keys } = await place();
    await log.append(draft('mine'), never());
    const tail = new RunningTail(log);
    await tail.until(1);
    const set = (id: string) => ({ KV: { Verb: 'set', Key: `${keys.segment(0).folder}${id}`, Value: '' } });
    await server.request('PUT', '/v1/txn', JSON.stringify([set('1'.repeat(32)), set('2'.repeat(32))]));
    assert.ok(isWeftError(await tail.ended, 'log-damaged'));
    assert.equal(tail.entries.length, 1, 'neither was delivered');
  });

  it('takes a head that names no entry for damage', async () => {
    const { log, keys } = await place();
    await put(keys.head, 'nonsense');
    assert.equal(await codeOf(log.head(never())), 'log-damaged');
  });

  it('does not open a place that has entries and no identity, nor an identity that it does not know', async () => {
    const { url, log, keys } = await place();
    await log.append(draft(), never());
    await remove(keys.identity);
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
    await put(keys.identity, 'weft-log 2 something');
    assert.equal(await codeOf(logs.open(url)), 'log-damaged');
  });

  it('delivers each entry once, in order, while segments end under several authors', async () => {
    const { url, log } = await place();
    const others = await Promise.all([1, 2, 3].map(() => logs.open(url)));
    const tail = new RunningTail(others[0] ?? log);
    // Heavy enough that nearly every second one ends its segment.
    const drafts = Array.from({ length: 80 }, (_, index) => draft(`${index} ${'x'.repeat(60_000)}`));
    const authors = [log, ...others];
    await inParallel([...drafts.entries()], 8, async ([index, each]) => {
      await (authors[index % authors.length] ?? log).append(each, never());
    });
    await tail.until(drafts.length);
    const history = await takeAll(log, genesis);
    assert.deepEqual(
      tail.ids,
      history.map(({ id }) => id),
    );
    assert.equal(new Set(tail.ids).size, drafts.length);
    const segments = new Set(history.map(({ position }) => position.split(':')[1]));
    assert.ok(segments.size > 5, `${segments.size} segments`);
    await tail.stop();
  });

  it('finds an entry again after its segment has ended, for its author and for others', async () => {
    const { url, log } = await place();
    const made = draft('early');
    const position = await log.append(made, never());
    // One of this size always ends its segment.
    for (let count = 0; count < 3; count++) await log.append(draft(new Uint8Array(entryBytesMax)), never());
    const other = await logs.open(url);
    for (const handle of [log, other]) {
      assert.equal(await handle.append(made, never()), position);
      assert.equal(await handle.resolve(made, never()), position);
      const impostor = { ...made, bytes: new TextEncoder().encode('other') };
      assert.equal(await codeOf(handle.append(impostor, never())), 'entry-conflict');
    }
    assert.equal((await takeAll(other, position)).length, 3);
  });

  it('goes on when the index of the store goes down and the log is the same', async () => {
    const { log, keys } = await place();
    const drafts = [draft('one'), draft('two'), draft('three')];
    await log.append(drafts[0]!, never());
    const backup = await server.backUp();
    const tail = new RunningTail(log);
    await tail.until(1);
    // What the tail waits with now is an index that the restored store has not reached.
    await put(`${keys.segment(0).folder}foreign`, 'x');
    for (let count = 0; count < 20; count++) await put('elsewhere', String(count));
    await remove(`${keys.segment(0).folder}foreign`);
    await server.restore(backup);
    for (const each of drafts.slice(1)) await eventually(() => log.append(each, never()));
    await tail.until(3);
    assert.deepEqual(
      tail.ids,
      drafts.map(({ id }) => id),
    );
    await tail.stop();
  });

  it('finds out a backup that is shorter than what it has read, live and later', async () => {
    const { url, log } = await place();
    await log.append(draft('kept'), never());
    const backup = await server.backUp();
    const tail = new RunningTail(log);
    const position = await log.append(draft('lost'), never());
    await tail.until(2);
    await server.restore(backup);
    assert.ok(isWeftError(await tail.ended, 'log-ahead'), String(await tail.ended));
    const again = await eventually(() => logs.open(url));
    assert.ok(isWeftError(await new RunningTail(again, position).ended, 'log-ahead'));
  });

  it('finds out a backup that others have written to since, with as many or more entries', async () => {
    for (const more of [1, 3]) {
      const { url, log } = await place();
      await log.append(draft('kept'), never());
      const backup = await server.backUp();
      const lost = draft('lost');
      const position = await log.append(lost, never());
      const other = await logs.open(url);
      await server.restore(backup);
      for (let count = 0; count < more; count++)
        await eventually(() => other.append(draft('instead'), never()));
      assert.ok(isWeftError(await new RunningTail(log, position).ended, 'log-mismatch'));
      assert.equal(await log.resolve(lost, never()), undefined);
    }
  });

  it('finds out that a segment which it waits in is another one since', async () => {
    const { url, log } = await place();
    const backup = await server.backUp();
    const ending = await log.append(draft(new Uint8Array(entryBytesMax)), never());
    const tail = new RunningTail(log);
    await tail.until(1);
    await server.restore(backup);
    const other = await logs.open(url);
    await eventually(() => other.append(draft(new Uint8Array(entryBytesMax)), never()));
    await eventually(() => other.append(draft('next'), never()));
    const error = await tail.ended;
    assert.ok(isWeftError(error, 'log-mismatch') || isWeftError(error, 'log-ahead'), String(error));
    assert.ok(isWeftError(await new RunningTail(other, ending).ended, 'log-mismatch'));
    assert.equal(tail.entries.length, 1);
  });
});

describe('consul: a server without its data', function wiped() {
  this.timeout(60_000);

  it('is found out by appends, reads and the tail, and nothing is written to it', async function test() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const server = await startConsul();
    const logs = new ConsulLogs();
    try {
      const log = await logs.open(`${server.url}/weft`);
      const tail = new RunningTail(log);
      await log.append(draft(), never());
      await tail.until(1);
      await server.wipe();
      assert.ok(isWeftError(await tail.ended, 'log-mismatch'), String(await tail.ended));
      const mismatch = (work: () => Promise<unknown>) => codeOf(eventually(work));
      assert.equal(await mismatch(() => log.append(draft(), never())), 'log-mismatch');
      assert.equal(await mismatch(() => log.head(never())), 'log-mismatch');
      // Another log at the same place, whose indexes may be the same.
      const fresh = await logs.open(`${server.url}/weft`);
      assert.equal(await mismatch(() => log.append(draft(), never())), 'log-mismatch');
      assert.equal(await mismatch(() => log.resolve(draft(), never())), 'log-mismatch');
      assert.equal(await fresh.head(never()), genesis);
    } finally {
      await logs.closeAll();
      await server.stop();
    }
  });
});

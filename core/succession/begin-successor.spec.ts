import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { FakeControl } from '../../test/support/fake-control.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { isWeftError } from '../errors.ts';
import { initialState } from '../fold/predefined.ts';
import type { State } from '../fold/state.ts';
import { genesis } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import { beginSuccessor, type Predecessor } from './begin-successor.ts';
import { type Followed, findStart } from './find-start.ts';

const { state: stateA } = new FakeControl();
const [clock, random, compression] = [new VirtualClock(), new SeededRandom(1), new PlainCompression()];
const ports = { clock, random, compression };
const lost = 'a'.repeat(32) as LogId;

function logOf(store: MemoryStore): MemoryEventLog {
  return new MemoryEventLog({ name: 'new' }, { clock, random, logger: new QuietLogger() }, store);
}

const from = (state: State, host = 'h1'): Predecessor => ({ logId: lost, state, host, by: 'uid:0' });

/** A cluster one record further. */
async function laterState(): Promise<State> {
  const control = new FakeControl();
  const request = { driver: 'overlay', subnets: [], ipv6: false, internal: false, options: {}, labels: {} };
  await control.createNetwork(
    { name: 'red', space: 'default', ...request },
    { by: 'uid:0', signal: never() },
  );
  return control.state;
}

async function startIn(store: MemoryStore, followed: Followed | undefined) {
  const log = logOf(store);
  const logId = await log.open(never(), 'refuse');
  return await findStart(log, logId, followed, { clock, compression, skip: assert.fail }, never());
}

describe('a log that succeeds another one', () => {
  it('is followed from its first entry on, by whoever stood where the other ended', async () => {
    const store = new MemoryStore();
    const { beginning } = await beginSuccessor(logOf(store), from(stateA), ports, never());
    assert.equal(beginning.body.succeeds.ordinal, stateA.ordinal);
    const start = await startIn(store, { logId: lost, state: stateA });
    assert.equal(start.position, genesis);
    assert.equal(start.state, stateA, 'nothing is read that is known');
  });

  it('is followed from its snapshot by everyone else', async () => {
    const store = new MemoryStore();
    const later = await laterState();
    await beginSuccessor(logOf(store), from(later), ports, never());
    for (const followed of [undefined, { logId: lost, state: stateA }]) {
      const start = await startIn(store, followed);
      assert.equal(start.position, genesis);
      assert.equal(start.state.stateHash, later.stateHash);
    }
  });

  it('is not followed by a host that knows more, or something else at the same record', async () => {
    const store = new MemoryStore();
    const later = await laterState();
    await beginSuccessor(logOf(store), from(stateA), ports, never());
    await assert.rejects(startIn(store, { logId: lost, state: later }), (error) => {
      assert.ok(isWeftError(error, 'host-ahead'));
      assert.match(
        error.message,
        /begun anew by host 'h1' from record 1 .* another record 2, .*weft store reseed/s,
      );
      return true;
    });
    const other = { ...stateA, recordHash: 'c'.repeat(64) };
    await assert.rejects(startIn(store, { logId: lost, state: other }), (error) =>
      isWeftError(error, 'host-ahead'),
    );
  });

  it('is not followed by a host of another cluster', async () => {
    const store = new MemoryStore();
    await beginSuccessor(logOf(store), from(stateA), ports, never());
    const foreign = { logId: 'f'.repeat(32) as LogId, state: stateA };
    await assert.rejects(startIn(store, foreign), (error) => isWeftError(error, 'log-mismatch'));
  });

  it('has one beginning, whoever else wants to begin it', async () => {
    const store = new MemoryStore();
    const later = await laterState();
    const [a, b, c] = await Promise.allSettled([
      beginSuccessor(logOf(store), from(stateA, 'h1'), ports, never()),
      beginSuccessor(logOf(store), from(stateA, 'h2'), ports, never()),
      beginSuccessor(logOf(store), from(later, 'h3'), ports, never()),
    ]);
    const begun = [a, b, c].filter(({ status }) => status === 'fulfilled');
    assert.ok(begun.length === 1 || begun.length === 2, 'those of one state agree');
    const start = await startIn(store, undefined);
    const winner = c.status === 'fulfilled' ? later : stateA;
    assert.equal(start.state.stateHash, winner.stateHash);
    const failed = [a, b, c].flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    for (const error of failed) assert.ok(isWeftError(error, 'log-exists'), String(error));
  });

  it('is finished by the next one where its author died over it', async () => {
    const store = new MemoryStore();
    await logOf(store).open(never());
    await assert.rejects(startIn(store, { logId: lost, state: stateA }), (error) =>
      isWeftError(error, 'not-ready'),
    );
    await beginSuccessor(logOf(store), from(stateA), ports, never());
    assert.equal((await startIn(store, undefined)).state.stateHash, stateA.stateHash);
  });

  it('is not begun where another log is', async () => {
    const store = new MemoryStore();
    const log = logOf(store);
    await log.open(never());
    await log.append(draft('{}'), never());
    await assert.rejects(beginSuccessor(logOf(store), from(stateA), ports, never()), (error) =>
      isWeftError(error, 'log-exists'),
    );
    assert.deepEqual([store.length, store.snapshots().length], [1, 0]);
    const start = await startIn(store, undefined);
    assert.equal(start.state, initialState());
  });
});

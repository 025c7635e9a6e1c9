import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { FakeControl } from '../../test/support/fake-control.ts';
import { never } from '../../test/support/log-drafts.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { isWeftError } from '../errors.ts';
import { genesis } from '../log/event-log.ts';
import { beginLog } from './begin-log.ts';
import { downloadSnapshot } from './download.ts';

const { state } = new FakeControl();
const [clock, random, compression] = [new VirtualClock(), new SeededRandom(1), new PlainCompression()];
const ports = { clock, random, compression };

function logOf(store: MemoryStore): MemoryEventLog {
  return new MemoryEventLog({ name: 'new' }, { clock, random, logger: new QuietLogger() }, store);
}

describe('a log that is begun with a state', () => {
  it('has a snapshot of it, and nothing before that', async () => {
    const log = logOf(new MemoryStore());
    const manifest = await beginLog(log, { state, host: 'h1' }, ports, never());
    const read = await downloadSnapshot(manifest, { snapshots: log.snapshots, compression }, never());
    assert.equal(read.stateHash, state.stateHash);
    assert.equal(await log.head(never()), manifest.position);
    await assert.rejects(log.tail(genesis, never())[Symbol.asyncIterator]().next(), (error) =>
      isWeftError(error, 'log-trimmed'),
    );
  });

  it('is not begun where there is one', async () => {
    const store = new MemoryStore();
    await beginLog(logOf(store), { state, host: 'h1' }, ports, never());
    const before = [store.length, store.snapshots().length];
    await assert.rejects(beginLog(logOf(store), { state, host: 'h1' }, ports, never()), (error) =>
      isWeftError(error, 'log-exists'),
    );
    assert.deepEqual([store.length, store.snapshots().length], before);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { never } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { isWeftError } from '../errors.ts';
import { Appender } from '../log/appender.ts';
import { decodeEntry } from '../log/entry.ts';
import type { NetworkId } from '../model/ids.ts';
import { appendDeadlineMs, requestDeadlineMs } from './defaults.ts';
import { Outcomes } from './outcomes.ts';
import { Requests } from './requests.ts';

const author = { host: 'h1', epoch: 1, base: 0 };
const removal = { network: 'a'.repeat(64) as NetworkId };

describe('Requests', () => {
  it('says of a request that was never sent that nothing was changed, and never sends it', async () => {
    const { requests, store, clock } = await world();
    const restore = store.interrupt('refuse');
    const told = codeOf(requests.perform(author, 'network-remove', removal, context()));
    await clock.advance(appendDeadlineMs);
    assert.equal(await told, 'store-unreachable');
    restore();
    await clock.advance(10_000);
    assert.equal(linesOf(store), 0);
  });

  it('does not say so of one that was carried over to another log, and is under way there', async () => {
    const { requests, store, clock } = await world();
    const restore = store.interrupt('refuse');
    const told = codeOf(requests.perform(author, 'network-remove', removal, context()));
    // The log is found so late that the first attempt ends while the second is under way.
    await clock.advance(appendDeadlineMs - 10);
    requests.carryOver();
    await clock.advance(10);
    restore();
    await clock.advance(requestDeadlineMs);
    assert.equal(linesOf(store), 1);
    assert.equal(await told, 'outcome-unknown');
  });

  it('says so where the other log was not reached in time either', async () => {
    const { requests, store, clock } = await world();
    store.interrupt('refuse');
    const told = codeOf(requests.perform(author, 'network-remove', removal, context()));
    await clock.advance(appendDeadlineMs - 10);
    requests.carryOver();
    await clock.advance(requestDeadlineMs);
    assert.equal(await told, 'store-unreachable');
    assert.equal(linesOf(store), 0);
  });
});

async function world() {
  const ports = { clock: new VirtualClock(), random: new SeededRandom(1), logger: new QuietLogger() };
  const store = new MemoryStore();
  const log = new MemoryEventLog({ name: 'requests' }, ports, store);
  await log.open(never());
  const requests = new Requests(new Appender(log, ports), new Outcomes(), ports);
  return { requests, store, clock: ports.clock };
}

function context() {
  return { by: 'someone', signal: never() };
}

function linesOf(store: MemoryStore): number {
  return Array.from({ length: store.length }, (_, at) => decodeEntry(store.at(at + 1).bytes).length).reduce(
    (sum, count) => sum + count,
    0,
  );
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return isWeftError(error) ? error.code : String(error);
  }
}

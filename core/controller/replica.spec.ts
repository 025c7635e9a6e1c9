/** A replica alone, over a store in memory of which others write the log. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { VirtualCluster } from '../../test/support/virtual-cluster.ts';
import { type CancelScope, cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { EntryId } from '../model/ids.ts';
import { Replica } from './replica.ts';

const snapshotOrdinals = 32;

describe('a replica', () => {
  let cluster: VirtualCluster;
  let scope: CancelScope;

  beforeEach(async () => {
    scope = cancelScope();
    cluster = new VirtualCluster(1, { snapshotOrdinals });
    await cluster.start('h1');
  });
  afterEach(async () => {
    scope.cancel();
    await cluster.dispose();
  });

  it('has caught up also where it leaps over the end of the log that it was to reach', async () => {
    const { clock, random, store } = cluster;
    const logger = new QuietLogger();
    const log = new MemoryEventLog({ name: 'cluster' }, { clock, random, logger }, store);
    const tail = log.tail.bind(log);
    let letRead = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letRead = resolve;
    });
    log.tail = async function* (after, signal) {
      await gate;
      yield* tail(after, signal);
    };
    const replica = new Replica({ log, clock, random, logger, compression: new PlainCompression() });
    await cluster.drive(replica.open(scope.signal));
    const following = replica.follow(scope.signal);
    const caughtUp = replica.catchUp(scope.signal);
    await clock.advance(100);
    for (let count = 0; count < 4 * snapshotOrdinals; count += 1) {
      const id = count.toString(16).padStart(32, '0') as EntryId;
      store.put({ id, base: 0, bytes: encodeEntry([Uint8Array.of(0x7b)]) });
      await clock.advance(10);
    }
    await cluster.until(() => store.floor > 0);
    letRead();
    await cluster.drive(caughtUp);
    assert.ok(logger.lines.some(({ message }) => message === 'began from a snapshot'));
    assert.ok(replica.state.ordinal > snapshotOrdinals);
    scope.cancel();
    await cluster.drive(following);
  });
});

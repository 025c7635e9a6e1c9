/** A log that grows far beyond what a store shall hold, on each kind of store, through the requests of a host. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { genesis } from '../../core/log/event-log.ts';
import { never } from '../support/log-drafts.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { skipBecause } from '../support/requirements.ts';
import { StoreHost } from '../support/store-host.ts';
import { type StoreServer, storeKinds } from '../support/store-kinds.ts';

const records = 5_000;
const snapshotOrdinals = 256;
/** So fast is a host here that its snapshots would not keep up, which are made every 2,048 records otherwise. */
const burst = 2 * snapshotOrdinals;
/** Two bursts, and what comes while a snapshot is made. */
const keptMax = 3 * burst;

for (const kind of storeKinds) {
  describe(`a log of ${records} records on ${kind.name}`, function suite() {
    this.timeout(300_000);
    let server: StoreServer | undefined;

    before(async function start() {
      if (kind.unavailable !== undefined) skipBecause(this, kind.unavailable);
      server = await kind.start();
    });
    after(() => server?.stop());

    it('is a snapshot and few entries, from which a fresh host comes to the hash of the oldest, which has the history', async () => {
      assert.ok(server !== undefined);
      const url = server.newUrl();
      const oldest = await StoreHost.start(url, { snapshotOrdinals });
      try {
        await oldest.populate('red', 3);
        for (let grown = 0; grown < records; grown += burst) {
          await oldest.grow(burst);
          await oldest.until(async () => (await behindNewest(oldest)) < 2 * snapshotOrdinals);
        }
        const { ordinal } = oldest.controller.state;
        assert.ok(ordinal > records);
        const snapshots = await oldest.snapshotsAtRest();
        const kept = await recordsIn(url, snapshots.at(-1)?.ordinal ?? 0, ordinal);
        assert.ok(kept < keptMax, `${kept} records are kept`);
        assert.equal((await oldest.client.call('log', { query: { from: 'oldest' } })).items[0]?.ordinal, 1);
        const fresh = await StoreHost.start(url, { name: 'h2', number: 2, snapshotOrdinals });
        try {
          const behind = ordinal - (snapshots[0]?.ordinal ?? 0);
          await oldest.until(() => oldest.controller.state.recordHash === fresh.controller.state.recordHash);
          assert.equal(fresh.controller.state.stateHash, oldest.controller.state.stateHash);
          assert.equal(fresh.controller.state.endpoints.size, 3);
          const began = fresh.logger.lines.find(({ message }) => message === 'began from a snapshot');
          assert.ok(Number(began?.values['ordinal']) >= ordinal - behind, 'it did not fold the whole log');
        } finally {
          await fresh.stop();
        }
      } finally {
        await oldest.stop();
      }
    });
  });
}

/** Records behind the newest snapshot. */
async function behindNewest(host: StoreHost): Promise<number> {
  return host.controller.state.ordinal - (await host.client.call('storeStatus')).newest;
}

/** How many records the store still has: it was trimmed behind the older snapshot, or is about to be. */
async function recordsIn(url: string, oldest: number, end: number): Promise<number> {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  const log = await openLog(url, ports);
  try {
    await log.open(never());
    await assert.rejects(log.tail(genesis, never())[Symbol.asyncIterator]().next(), /trimmed/);
    return end - oldest;
  } finally {
    await log.close();
  }
}

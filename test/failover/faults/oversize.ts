import assert from 'node:assert/strict';
import { SystemClock } from '../../../adapters/system/clock.ts';
import { SystemRandom } from '../../../adapters/system/random.ts';
import { entryBytesMax, recordBytesMax } from '../../../core/limits.ts';
import { Appender } from '../../../core/log/appender.ts';
import { genesis } from '../../../core/log/event-log.ts';
import { draft, never } from '../../support/log-drafts.ts';
import { codeOf } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';
import type { Trial } from '../trial.ts';

export const oversize: Fault = {
  name: 'oversize',
  what: 'a record and an entry over their bounds: refused before anything is sent',
  stores: [...clusterStores, 'file'],
  async run(trial) {
    const relays = trial.store === 'file' ? [] : await trial.relays();
    const log = await trial.open(trial.store === 'file' ? trial.url : trial.urlThrough(relays));
    const asked = () => relays.reduce((sum, relay) => sum + relay.bytesAsked, 0);
    const before = asked();
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: trial.logger };
    const appender = new Appender(log, ports);
    assert.equal(await codeOf(appender.submit(new Uint8Array(recordBytesMax + 1), 0, 1_000)), 'too-large');
    const entry = draft(new Uint8Array(entryBytesMax + 1));
    assert.equal(await codeOf(log.append(entry, never())), 'too-large');
    // Pings and the like are small.
    assert.ok(asked() - before < recordBytesMax, `${asked() - before} bytes were sent`);
    await appender.close();
    await assertEmpty(trial);
    return undefined;
  },
};

async function assertEmpty(trial: Trial): Promise<void> {
  const log = await trial.open();
  assert.equal(await log.head(never()), genesis);
}

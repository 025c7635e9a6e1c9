import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { draft, never, take } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { isWeftError } from '../errors.ts';
import { Appender } from '../log/appender.ts';
import { genesis } from '../log/event-log.ts';
import { CurrentLog } from './current-log.ts';

const random = new SeededRandom(1);

async function logOf(name: string, clock: VirtualClock): Promise<MemoryEventLog> {
  const log = new MemoryEventLog({ name }, { clock, random, logger: new QuietLogger() }, new MemoryStore());
  await log.open(never());
  return log;
}

describe('core/succession, the current log', () => {
  it('says of what was not sent before another log took its place that it may be tried again', async () => {
    const clock = new VirtualClock();
    const current = new CurrentLog(await logOf('old', clock));
    const next = await logOf('new', clock);
    const appended = current.append(draft('an entry'), never());
    appended.catch(() => undefined);
    await current.replace(next);
    await assert.rejects(appended, (error) => isWeftError(error, 'store-unreachable'));
  });

  it('says that it is closed when it is, and no other took its place', async () => {
    const current = new CurrentLog(await logOf('old', new VirtualClock()));
    await current.close();
    await assert.rejects(current.append(draft('an entry'), never()), (error) => isWeftError(error, 'closed'));
  });

  it('has a line that was on its way when another log took its place in that one', async () => {
    const clock = new VirtualClock();
    const next = await logOf('new', clock);
    const current = new CurrentLog(await logOf('old', clock));
    const appender = new Appender(current, { clock, random, logger: new QuietLogger() });
    const appended = appender.submit(Buffer.from('a line'), 0, 10_000);
    await current.replace(next);
    await clock.advance(10_000);
    await appended;
    const [entry] = await take(next, genesis, 1);
    assert.equal(Buffer.from(entry?.bytes ?? []).toString(), 'a line');
    await appender.close();
  });
});

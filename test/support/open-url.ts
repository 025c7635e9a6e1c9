/** A log by its URL alone, as a program of a test's own would have it. */
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import { QuietLogger } from './quiet-logger.ts';

/** Not opened. */
export function openUrl(url: string): Promise<EventLog> {
  return openLog(url, {
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: new QuietLogger(),
  });
}

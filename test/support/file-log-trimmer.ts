/**
 * A process that trims a file log to its head again and again until it is killed: `node file-log-trimmer.js DIRECTORY`.
 * Says on standard output up to where, a line each, once that is acked.
 */
import { writeSync } from 'node:fs';
import { FileEventLog } from '../../adapters/file/event-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { genesis } from '../../core/log/event-log.ts';
import { never } from './log-drafts.ts';

const [, , directory = ''] = process.argv;
const ports = {
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger: createLogger({ level: 'error' }),
};
const log = new FileEventLog({ directory }, ports, { bounds: { segmentBytesMax: 64 * 1024 } });

await log.open(never());
for (let last = genesis; ; ) {
  const head = await log.head(never());
  if (head === last) {
    await ports.clock.sleep(1);
    continue;
  }
  await log.trim(head, never());
  writeSync(1, `trimmed ${head}\n`);
  last = head;
}

/**
 * A process that appends to a file log until it is told how many or killed: `node file-log-writer.js DIRECTORY COUNT`.
 * Says on standard output what it is about to append and what was acked, a line each, before it goes on.
 */
import { writeSync } from 'node:fs';
import { FileEventLog } from '../../adapters/file/event-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { draft, never } from './log-drafts.ts';

const [, , directory = '', countText = '0'] = process.argv;
const random = new SystemRandom();
const ports = { clock: new SystemClock(), random, logger: createLogger({ level: 'error' }) };
const log = new FileEventLog({ directory }, ports, { bounds: { segmentBytesMax: 64 * 1024 } });

await log.open(never());
for (let count = 0; count < Number(countText); count++) {
  const made = draft(Buffer.alloc(Math.floor(random.unit() ** 4 * 60_000), count));
  writeSync(1, `try ${made.id}\n`);
  const position = await log.append(made, never());
  writeSync(1, `ack ${made.id} ${position}\n`);
}
await log.close();

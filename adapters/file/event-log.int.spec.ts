import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { genesis, type Position } from '../../core/log/event-log.ts';
import {
  describeEventLog,
  type EventLogCapabilities,
  type EventLogHarness,
} from '../../test/contract/event-log.contract.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeverableFileSystem } from '../../test/support/severable-file-system.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { type FileLogBounds } from './defaults.ts';
import { FileEventLog } from './event-log.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { placeOf, positionOf } from './position.ts';

describeEventLog('file', harness({}, { catchUpEntries: 10_000, openings: 100 }));

// Small segments and pages, so that every test crosses their bounds again and again.
const small = { segmentBytesMax: 2_000, pageBytesMax: 300 };
describeEventLog('file, small segments', harness(small, { catchUpEntries: 1_000, openings: 100 }));

type Size = Pick<EventLogCapabilities, 'catchUpEntries' | 'openings'>;

function harness(bounds: Partial<FileLogBounds>, size: Size): EventLogHarness {
  return {
    capabilities: { interruptible: true, replaceable: true, ...size },
    timeoutMs: 120_000,
    createStore: async () => {
      const directory = await mkdtemp(join(tmpdir(), `wt${process.pid}-file-log-`));
      const fileSystem = new SeverableFileSystem(nodeFileSystem);
      const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
      return {
        connect: () => new FileEventLog({ directory }, ports, { fileSystem, bounds }),
        interrupt: async () => {
          fileSystem.sever();
          return async () => fileSystem.mend();
        },
        replace: async () => {
          for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
        },
        destroy: async () => rm(directory, { recursive: true }),
      };
    },
    beyond: (position: Position) => {
      const sequence = position === genesis ? 0 : (placeOf(position)?.sequence ?? 0);
      return positionOf({ sequence: sequence + 5, checksum: 0 });
    },
  };
}

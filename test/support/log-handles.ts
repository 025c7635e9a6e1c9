/** Handles on a log in a store that servers keep. */
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import { never } from './log-drafts.ts';
import { QuietLogger } from './quiet-logger.ts';

export interface LogPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: QuietLogger;
}

/** Opens handles and closes them all, so that a test need not. */
export class LogHandles<Log extends EventLog, Options> {
  readonly logger = new QuietLogger();
  readonly #make: (url: string, more: Partial<Options>, ports: LogPorts) => Log;
  readonly #random: Random;
  readonly #handles: Log[] = [];

  /** @param make a handle that is not open yet */
  constructor(
    make: (url: string, more: Partial<Options>, ports: LogPorts) => Log,
    random: Random = new SystemRandom(),
  ) {
    this.#make = make;
    this.#random = random;
  }

  connect(url: string, more: Partial<Options> = {}): Log {
    const log = this.#make(url, more, {
      clock: new SystemClock(),
      random: this.#random,
      logger: this.logger,
    });
    this.#handles.push(log);
    return log;
  }

  async open(url: string, more: Partial<Options> = {}): Promise<Log> {
    const log = this.connect(url, more);
    await log.open(never());
    return log;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((log) => log.close()));
  }
}

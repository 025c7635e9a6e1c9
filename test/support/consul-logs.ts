/** Handles on a log in Consul. */
import { ConsulEventLog } from '../../adapters/consul/event-log.ts';
import { type ConsulOptions, parseConsulUrl } from '../../adapters/consul/options.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { Random } from '../../core/ports/random.ts';
import { never } from './log-drafts.ts';
import { QuietLogger } from './quiet-logger.ts';

/** Opens handles and closes them all, so that a test need not. */
export class ConsulLogs {
  readonly logger = new QuietLogger();
  readonly #handles: ConsulEventLog[] = [];
  readonly #random: Random;

  /** @param random draws which append ends a segment */
  constructor(random: Random = new SystemRandom()) {
    this.#random = random;
  }

  connect(url: string, more: Partial<ConsulOptions> = {}): ConsulEventLog {
    const ports = { clock: new SystemClock(), random: this.#random, logger: this.logger };
    const log = new ConsulEventLog({ ...parseConsulUrl(url), ...more }, ports);
    this.#handles.push(log);
    return log;
  }

  async open(url: string, more: Partial<ConsulOptions> = {}): Promise<ConsulEventLog> {
    const log = this.connect(url, more);
    await log.open(never());
    return log;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((log) => log.close()));
  }
}

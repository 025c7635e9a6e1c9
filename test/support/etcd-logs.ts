/** Handles on a log in etcd. */
import { EtcdEventLog } from '../../adapters/etcd/event-log.ts';
import { type EtcdOptions, parseEtcdUrl } from '../../adapters/etcd/options.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { never } from './log-drafts.ts';
import { QuietLogger } from './quiet-logger.ts';

/** Opens handles and closes them all, so that a test need not. */
export class EtcdLogs {
  readonly logger = new QuietLogger();
  readonly #handles: EtcdEventLog[] = [];

  connect(url: string, more: Partial<EtcdOptions> = {}): EtcdEventLog {
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: this.logger };
    const log = new EtcdEventLog({ ...parseEtcdUrl(url), ...more }, ports);
    this.#handles.push(log);
    return log;
  }

  async open(url: string, more: Partial<EtcdOptions> = {}): Promise<EtcdEventLog> {
    const log = this.connect(url, more);
    await log.open(never());
    return log;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((log) => log.close()));
  }
}

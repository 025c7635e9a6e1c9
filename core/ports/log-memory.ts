/** PORT: what a host keeps on its disk of the log that it followed last, so that a restart does not take another one for it. */
import type { LogId } from '../model/ids.ts';

export interface LastLog {
  readonly logId: LogId;
  /** Of its store, without credentials: another than in the configuration once the cluster has moved. */
  readonly url: string;
  /** The logs that the cluster lived on before, as far as this host knows, oldest first. At most `pastLogsMax`. */
  readonly past: readonly LogId[];
}

export interface LogMemory {
  /** Of the store in this host's configuration, without credentials; absent where it has none. */
  readonly configuredUrl?: string;
  /** Undefined on a host that never followed a log. */
  readonly last: LastLog | undefined;
  /** Durable when it resolves. @throws Error of the file system */
  remember(last: LastLog): Promise<void>;
}

/** For hosts that have no disk of their own, as in tests. */
export class VolatileLogMemory implements LogMemory {
  last: LastLog | undefined;

  async remember(last: LastLog): Promise<void> {
    this.last = last;
  }
}

/** Handles on a log in Consul. */
import { ConsulEventLog } from '../../adapters/consul/event-log.ts';
import { type ConsulOptions, parseConsulUrl } from '../../adapters/consul/options.ts';
import type { Random } from '../../core/ports/random.ts';
import { LogHandles } from './log-handles.ts';

export class ConsulLogs extends LogHandles<ConsulEventLog, ConsulOptions> {
  /** @param random draws which append ends a segment */
  constructor(random?: Random) {
    super((url, more, ports) => new ConsulEventLog({ ...parseConsulUrl(url), ...more }, ports), random);
  }
}

/** Handles on a log in etcd. */
import { EtcdEventLog } from '../../adapters/etcd/event-log.ts';
import { type EtcdOptions, parseEtcdUrl } from '../../adapters/etcd/options.ts';
import { LogHandles } from './log-handles.ts';

export class EtcdLogs extends LogHandles<EtcdEventLog, EtcdOptions> {
  constructor() {
    super((url, more, ports) => new EtcdEventLog({ ...parseEtcdUrl(url), ...more }, ports));
  }
}

/** From a store's URL to its log: the one place that knows which kinds of stores there are. */
import { WeftError } from '../core/errors.ts';
import type { EventLog } from '../core/log/event-log.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Random } from '../core/ports/random.ts';
import type { ClusterTls } from './cluster-url.ts';
import { parseConsulUrl } from './consul/options.ts';
import { type EtcdAuth, parseEtcdUrl } from './etcd/options.ts';
import { parseFileUrl } from './file/options.ts';
import { parseMemoryUrl } from './memory/options.ts';
import { parseZookeeperUrl } from './zookeeper/options.ts';

/** Names of files that hold what no URL may: read by the adapter, never logged. */
export interface StoreSecrets {
  readonly tls?: ClusterTls;
  /** etcd's. */
  readonly auth?: EtcdAuth;
  /** Consul's: the first line is the token. */
  readonly tokenFile?: string;
}

export interface OpenLogDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly secrets?: StoreSecrets;
}

type Make = (url: string, deps: OpenLogDeps) => Promise<EventLog>;

/** By the URL's scheme. A store's client is loaded only where it is used: some take longer than all else at the start. */
const stores: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['memory', makeMemory],
  ['file', makeFile],
  ['etcd', makeEtcd],
  ['consul', makeConsul],
  ['zookeeper', makeZookeeper],
]);

async function makeMemory(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const options = parseMemoryUrl(url);
  const { MemoryEventLog } = await import('./memory/event-log.ts');
  return new MemoryEventLog(options, deps);
}

async function makeFile(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const options = parseFileUrl(url);
  const { FileEventLog } = await import('./file/event-log.ts');
  return new FileEventLog(options, deps);
}

async function makeEtcd(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const options = { ...parseEtcdUrl(url), ...deps.secrets };
  const { EtcdEventLog } = await import('./etcd/event-log.ts');
  return new EtcdEventLog(options, deps);
}

async function makeConsul(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const options = { ...parseConsulUrl(url), ...deps.secrets };
  const { ConsulEventLog } = await import('./consul/event-log.ts');
  return new ConsulEventLog(options, deps);
}

async function makeZookeeper(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const options = { ...parseZookeeperUrl(url), ...deps.secrets };
  const { ZookeeperEventLog } = await import('./zookeeper/event-log.ts');
  return new ZookeeperEventLog(options, deps);
}

/** What each kind looks like, for messages. */
const examples =
  'file:/var/lib/weft/log, etcd://host:2379/prefix, consul://host:8500/prefix, zookeeper://host:2181/prefix, memory:NAME';

/**
 * The log of a store, not opened yet: nothing is connected or written before `open`.
 *
 * @throws WeftError `bad-store-url`
 */
export async function openLog(url: string, deps: OpenLogDeps): Promise<EventLog> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const make = scheme === undefined ? undefined : stores.get(scheme);
  if (make !== undefined) return await make(url, deps);
  // Not the URL itself: whatever it is, it may hold a password.
  const what =
    scheme === undefined ? 'The store URL has no scheme' : `No store of the kind '${scheme}' is known`;
  throw new WeftError('bad-store-url', `${what}: write one of ${examples}`);
}

/** One round of a fault: the store that it happens to, a place of its own in it, and all that must be ended afterwards. */
import { join } from 'node:path';
import { openLog, type StoreSecrets } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import { Relay } from '../../lab/relay.ts';
import type { ServerNetwork } from '../../lab/server-network.ts';
import type { ClusterServer, StoreCluster } from '../../lab/store-cluster.ts';
import { never } from '../support/log-drafts.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { type Judgement, judge } from './judge.ts';
import { Load, type LoadOptions } from './load.ts';
import type { StoreName } from './stores.ts';

type ServerAddress = Pick<ClusterServer, 'host' | 'clientPort'>;

/** What a trial is made in. */
export interface Scene {
  readonly store: StoreName;
  /** Absent for the file store. */
  readonly cluster: StoreCluster | undefined;
  readonly network: ServerNetwork | undefined;
  /** Empty at the first round. */
  readonly folder: string;
}

export class Trial {
  readonly store: StoreName;
  /** From 1. */
  readonly round: number;
  readonly logger = new QuietLogger();
  readonly folder: string;
  /** Of all rounds: what the servers were given lies there. */
  readonly sharedFolder: string;
  /** Below which its keys are; different in every round. */
  readonly prefix: string;
  readonly #scene: Scene;
  readonly #endings: (() => Promise<unknown>)[] = [];

  constructor(scene: Scene, round: number) {
    this.#scene = scene;
    this.store = scene.store;
    this.round = round;
    this.prefix = `/failover/${round}`;
    this.folder = join(scene.folder, String(round));
    this.sharedFolder = scene.folder;
  }

  get cluster(): StoreCluster {
    const { cluster } = this.#scene;
    if (cluster === undefined) throw new Error('The file store has no servers');
    return cluster;
  }

  get network(): ServerNetwork {
    const { network } = this.#scene;
    if (network === undefined) throw new Error('The servers are not in a network of their own');
    return network;
  }

  /** Of all servers. */
  get url(): string {
    return this.store === 'file' ? `file:${this.folder}` : `${this.cluster.url}${this.prefix}`;
  }

  /** Of some servers, or of relays before them. */
  urlOf(servers: readonly ServerAddress[]): string {
    const hosts = servers.map(({ host, clientPort }) => `${host}:${clientPort}`);
    return `${this.store}://${hosts.join(',')}${this.prefix}`;
  }

  /** Does something at the end of the round, however it ends; the latest first. */
  atEnd(ending: () => Promise<unknown>): void {
    this.#endings.unshift(ending);
  }

  /** A handle that is open, and closed at the end. */
  async open(url = this.url, secrets?: StoreSecrets): Promise<EventLog> {
    const log = await this.connect(url, secrets);
    await log.open(never());
    return log;
  }

  /** A handle that is not open yet, and closed at the end. */
  async connect(url = this.url, secrets?: StoreSecrets): Promise<EventLog> {
    const { logger } = this;
    const deps = { clock: new SystemClock(), random: new SystemRandom(), logger };
    const log = await openLog(url, secrets === undefined ? deps : { ...deps, secrets });
    this.atEnd(() => log.close());
    return log;
  }

  /** A relay before each server, in the order of the servers. */
  async relays(servers: readonly ServerAddress[] = this.cluster.servers): Promise<readonly Relay[]> {
    const relays = await Promise.all(
      servers.map(({ host, clientPort }) => Relay.start({ host, port: clientPort })),
    );
    this.atEnd(() => Promise.all(relays.map((relay) => relay.close())));
    return relays;
  }

  /** The URL of the store as it is reached through them. */
  urlThrough(relays: readonly Relay[]): string {
    return this.urlOf(relays.map(({ host, port }) => ({ host, clientPort: port })));
  }

  /** Runs a load while `happen` does what the fault does, and judges what came of it. */
  async underLoad(options: Partial<LoadOptions>, happen: (load: Load) => Promise<void>): Promise<Judgement> {
    const load = await Load.start({ open: () => this.open(), ...options });
    this.atEnd(() => load.stop());
    await happen(load);
    return judge(await load.finish());
  }

  /** Ends all that the round began. */
  async end(): Promise<void> {
    for (const ending of this.#endings.splice(0)) await ending();
  }
}

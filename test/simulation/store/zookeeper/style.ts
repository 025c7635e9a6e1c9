/** The production adapter of ZooKeeper over the model of its servers: what is replaced is the connection, and nothing else. */
import { ZookeeperEventLog } from '../../../../adapters/zookeeper/event-log.ts';
import { formatZookeeperUrl } from '../../../../adapters/zookeeper/options.ts';
import type { EventLog, LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Handle, Outage, StoreModel } from '../style.ts';
import { Ensemble } from './ensemble.ts';
import { openModelChannel } from './model-channel.ts';

/** Few, so that a life sees several segments. */
const segmentEntries = 24;

export class ZookeeperStyle implements StoreModel {
  readonly #world: World;
  readonly #ensemble: Ensemble;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#ensemble = new Ensemble(world, onEntry);
  }

  get url(): string {
    return formatZookeeperUrl(this.#options);
  }

  get outage(): Outage | undefined {
    return this.#ensemble.outage;
  }

  set outage(outage: Outage | undefined) {
    this.#ensemble.outage = outage;
  }

  get length(): number {
    return this.#ensemble.entries.length;
  }

  connect(handle: Handle): EventLog {
    const [world, ensemble] = [this.#world, this.#ensemble];
    return new ZookeeperEventLog(this.#options, handle, {
      openChannel: async ({ host }, _options, _clock, signal) => {
        const server = ensemble.servers.find(({ address }) => address === host);
        if (server === undefined) throw new Error(`Broken invariant: no server ${host}`);
        return await openModelChannel({ world, ensemble, server, handle }, signal);
      },
      segmentEntries,
    });
  }

  get #options() {
    const hosts = this.#ensemble.servers.map(({ address }) => ({ host: address, port: 2181 }));
    return { hosts, prefix: '/weft' };
  }

  scribble(id: EntryId, bytes: Uint8Array): boolean {
    return this.#ensemble.scribble(id, bytes);
  }

  begin(): void {
    this.#ensemble.begin();
  }

  heal(): void {
    this.#ensemble.heal();
  }

  wipe(): void {
    this.#ensemble.wipe();
  }

  restore(length: number): void {
    this.#ensemble.restore(length);
  }
}

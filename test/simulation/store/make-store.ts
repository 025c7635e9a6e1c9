/** A store of any style. */
import type { LogEntry } from '../../../core/log/event-log.ts';
import type { World } from '../world/world.ts';
import { ConsulStyle } from './consul/style.ts';
import { EtcdStyle } from './etcd/style.ts';
import { FileStyle } from './file/style.ts';
import { MemoryStyle } from './memory-style.ts';
import type { StoreModel } from './style.ts';
import type { StoreStyle } from './traps.ts';
import { ZookeeperStyle } from './zookeeper/style.ts';

type MakeStore = (world: World, onEntry: (entry: LogEntry) => void) => StoreModel;

const makers: Readonly<Record<StoreStyle, MakeStore>> = {
  memory: (world, onEntry) => new MemoryStyle(world, onEntry),
  etcd: (world, onEntry) => new EtcdStyle(world, onEntry),
  consul: (world, onEntry) => new ConsulStyle(world, onEntry),
  zookeeper: (world, onEntry) => new ZookeeperStyle(world, onEntry),
  file: (world, onEntry) => new FileStyle(world, onEntry),
};

/** @param onEntry is told of every entry that comes about, in the order of the log, before anybody can read it */
export function makeStore(world: World, style: StoreStyle, onEntry: (entry: LogEntry) => void): StoreModel {
  return makers[style](world, onEntry);
}

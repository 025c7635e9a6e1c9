/** The names by which the container knows what it binds. Ports are interfaces, so they need names that exist at run time. */
import type { ServiceIdentifier } from 'inversify';
import type { Controller } from '../core/controller/controller.ts';
import type { Kernel } from '../core/dataplane/kernel.ts';
import type { Driver } from '../core/driver/driver.ts';
import type { EventLog } from '../core/log/event-log.ts';
import type { Archive } from '../core/ports/archive.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Compression } from '../core/ports/compression.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Random } from '../core/ports/random.ts';
import type { CurrentLog } from '../core/succession/current-log.ts';
import type { Configuration } from './configuration/configuration.ts';
import type { ControllerService } from './controller-service.ts';
import type { Service } from './lifecycle.ts';
import type { FileLogMemory } from './log-memory.ts';
import type { MachineClaim } from './machine-claim.ts';
import type { RecentLines } from './recent-lines.ts';
import type { PeerUid } from './server/caller.ts';

function token<T>(name: string): ServiceIdentifier<T> {
  return Symbol(name);
}

/** The underlay link that carries the tunnels. */
export interface Underlay {
  readonly link: string;
  readonly mtu: number;
}

export const tokens = {
  configuration: token<Configuration>('configuration'),
  claim: token<MachineClaim>('claim'),
  clock: token<Clock>('clock'),
  random: token<Random>('random'),
  logger: token<Logger>('logger'),
  recentLines: token<RecentLines>('recentLines'),
  compression: token<Compression>('compression'),
  archive: token<Archive>('archive'),
  connect: token<(url: string) => Promise<EventLog>>('connect'),
  logMemory: token<FileLogMemory>('logMemory'),
  log: token<CurrentLog>('log'),
  kernel: token<Kernel>('kernel'),
  underlay: token<Underlay>('underlay'),
  peerUid: token<PeerUid>('peerUid'),
  drivers: token<ReadonlyMap<string, Driver>>('drivers'),
  controller: token<Controller>('controller'),
  kernelService: token<Service>('kernelService'),
  logService: token<Service>('logService'),
  apiService: token<Service>('apiService'),
  controllerService: token<ControllerService>('controllerService'),
} as const;

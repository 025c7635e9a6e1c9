/**
 * The core of weft as a library: the controller, the ports that it stands on, and the words that it speaks. Adapters,
 * drivers and the kernel are published beside it; an embedding program puts them together:
 *
 * ```ts
 * import { Controller } from 'weft';
 * import { openLog, SystemClock, SystemRandom } from 'weft/adapters';
 * import { drivers } from 'weft/drivers';
 * import { LinuxKernel } from 'weft/kernel';
 * ```
 */
export type {
  Checkpoint,
  Control,
  DoctorReport,
  EndpointRequest,
  EntryPage,
  EntryQuery,
  Evidence,
  HistoryItem,
  NetworkRequest,
  Repair,
  RequestContext,
  Status,
  Step,
  SubnetRequest,
} from './controller/control.ts';
export { Controller, type ControllerOptions, type ControllerPorts } from './controller/controller.ts';
export type { Kernel } from './dataplane/kernel.ts';
export type { KernelObject } from './dataplane/object.ts';
export type { Driver, HostView } from './driver/driver.ts';
export { type ErrorCode, errorTraits, isWeftError, WeftError } from './errors.ts';
export type { Change } from './fold/change.ts';
export type { Outcome } from './fold/outcome.ts';
export type { State } from './fold/state.ts';
export type { EventLog, LogEntry, Position } from './log/event-log.ts';
export type { LogRecord } from './log/record.ts';
export { type IpAddress, parseAddress } from './model/address.ts';
export type { Endpoint } from './model/endpoint.ts';
export type { Host } from './model/host.ts';
export type { Network, Subnet } from './model/network.ts';
export type { Archive, ArchiveAccount, ArchiveLine, ArchiveSpan, ArchiveTurn } from './ports/archive.ts';
export type { CancelSignal } from './ports/cancel.ts';
export type { Clock } from './ports/clock.ts';
export type { Logger } from './ports/logger.ts';
export type { Random } from './ports/random.ts';

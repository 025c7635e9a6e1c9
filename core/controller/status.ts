/** A controller's account of itself, put together from its parts. */
import type { DesiredState } from '../desired/desired-state.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Phase, Status } from './control.ts';
import type { HostIdentity } from './membership.ts';
import type { Replica } from './replica.ts';

export interface StatusSources {
  readonly options: HostIdentity;
  readonly replica: Replica;
  readonly desired: DesiredState;
  readonly reconciler: Reconciler;
  readonly log: EventLog;
  readonly configuredUrl: string | undefined;
  readonly phase: Phase;
  readonly phaseReason: string | undefined;
  readonly epoch: number | undefined;
  readonly snapshotOrdinal: number;
  /** Undefined where the store did not say in time. */
  readonly caughtUp: boolean | undefined;
  readonly nowMs: number;
}

export function statusOf(sources: StatusSources): Status {
  const { options, replica, phase, phaseReason, epoch, caughtUp, nowMs } = sources;
  const { host, address, version } = options;
  const { state, position, caughtUpAtMs } = replica;
  return {
    host,
    address,
    version,
    phase,
    ...(phaseReason === undefined ? {} : { phaseReason }),
    ...(epoch === undefined ? {} : { epoch }),
    store: storeOf(sources),
    ordinal: state.ordinal,
    position,
    ...(caughtUp === undefined ? {} : { caughtUp }),
    ...(caughtUpAtMs === undefined ? {} : { caughtUpAgoMs: nowMs - caughtUpAtMs }),
    recordHash: state.recordHash,
    stateHash: state.stateHash,
    hosts: state.hosts.size,
    hostsDown: [...state.downHosts.keys()],
    networks: state.networks.size,
    endpoints: state.endpoints.size,
    dataplane: dataplaneOf(sources),
  };
}

function storeOf({ log, replica, configuredUrl, snapshotOrdinal }: StatusSources): Status['store'] {
  const { url } = log;
  const { logId } = replica;
  return {
    url,
    ...(logId === undefined ? {} : { logId }),
    ...log.health,
    ...(configuredUrl === undefined || configuredUrl === url ? {} : { configuredUrl }),
    ...(snapshotOrdinal === 0 ? {} : { snapshotOrdinal }),
  };
}

function dataplaneOf({ desired, reconciler, nowMs }: StatusSources): Status['dataplane'] {
  const { pending, writes, repaired, auditedAtMs } = reconciler;
  return {
    desired: desired.size,
    pending,
    writes,
    repairs: repaired,
    ...(auditedAtMs === undefined ? {} : { auditedAgoMs: nowMs - auditedAtMs }),
  };
}

/** The model's objects as the API shows them. Pure. */
import type {
  DoctorView,
  EndpointView,
  HistoryItemView,
  HostView,
  NetworkDetail,
  NetworkView,
  PlanView,
  StatusView,
  StoreView,
} from '../../api/index.ts';
import type { DoctorReport, HistoryItem, Status, StoreStatus } from '../../core/controller/control.ts';
import type { Plan } from '../../core/controller/planning.ts';
import { driverTraits } from '../../core/fold/driver-traits.ts';
import { gatewayNetworkId, gatewayNetworkOn } from '../../core/fold/gateway-network.ts';
import { endpointsOfNetwork, gatewaysOfHost } from '../../core/fold/lookup.ts';
import type { Outcome, Subject } from '../../core/fold/outcome.ts';
import type { State } from '../../core/fold/state.ts';
import { withoutSecrets } from '../../core/lib/redact.ts';
import { type Endpoint, hasIpv6 } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import { isPredefined, type Network } from '../../core/model/network.ts';
import type { Sight } from '../../core/presence/presence.ts';

/** Where the gateway network is concerned, as the host that answers has it: with its own subnet and endpoints. */
export interface Here {
  readonly state: State;
  /** Name of the host that answers. */
  readonly host: string;
}

/** The network as that host has it, which is the same on all but for the gateway network. */
export function networkHere(network: Network, { state, host }: Here): Network {
  if (network.id !== gatewayNetworkId) return network;
  const isIpv6 = [...gatewaysOfHost(state, host)].some(hasIpv6);
  return gatewayNetworkOn(network, state.hosts.get(host) ?? {}, isIpv6);
}

export function networkView(network: Network): NetworkView {
  const subnets = network.subnets.map((subnet) => ({ ...subnet, aux: [...subnet.aux] }));
  const scope = driverTraits(network.driver)?.isLocal === true ? 'local' : 'global';
  return { ...network, scope, predefined: isPredefined(network), subnets };
}

export function networkDetail(network: Network, here: Here): NetworkDetail {
  const { state, host } = here;
  const isGateway = network.id === gatewayNetworkId;
  const endpoints = [...(isGateway ? gatewaysOfHost(state, host) : endpointsOfNetwork(state, network))];
  return {
    ...networkView(networkHere(network, here)),
    endpoints: endpoints.map((one) => endpointView(one, network.name)),
  };
}

/** An endpoint with the name of its network, or its network's id where that is gone already. */
export function shownEndpoint(endpoint: Endpoint, state: State): EndpointView {
  return endpointView(endpoint, state.networks.get(endpoint.network)?.name ?? endpoint.network);
}

/** What a person looks for first comes first. */
function endpointView(endpoint: Endpoint, networkName: string): EndpointView {
  const { id, name, network, aliases, host, sandbox, ifname, mac, addresses } = endpoint;
  const { gatewayPriority, linkLocal, sysctls, routes, ports = [], created, changed } = endpoint;
  const own = [...(name === undefined ? [] : [name]), ...aliases];
  return {
    id,
    ...(name !== undefined && { name }),
    network,
    networkName,
    aliases: [...aliases],
    names: own.flatMap((one) => [one, `${one}.${networkName}`]),
    host,
    sandbox,
    ...(ifname !== undefined && { ifname }),
    ...(mac !== undefined && { mac }),
    addresses: [...addresses],
    ...(linkLocal !== undefined && { linkLocal: [...linkLocal] }),
    ...(sysctls !== undefined && { sysctls: sysctls.map((one) => ({ ...one })) }),
    ...(routes !== undefined && { routes: routes.map((one) => ({ ...one })) }),
    ...(gatewayPriority !== undefined && { gatewayPriority }),
    ports: ports.map((port) => ({ ...port })),
    created,
    changed,
  };
}

/** @param sight what the daemon that answers has seen of it */
export function hostView(host: Host, self: string, endpoints: number, sight: Sight): HostView {
  const { name, address, epoch, mtu, version, gatewaySubnet, created, changed } = host;
  const { seenAgoMs, account, daemons, partedAt } = sight;
  return {
    name,
    address,
    self: name === self,
    state: hostState(host, sight),
    ...(seenAgoMs !== undefined && { seenAgoMs }),
    ...(account !== undefined && { phase: account.phase, ordinal: account.ordinal }),
    ...(partedAt !== undefined && { partedAt }),
    ...(daemons > 1 && { daemons }),
    epoch,
    mtu,
    version,
    ...(gatewaySubnet !== undefined && { gatewaySubnet }),
    endpoints,
    created,
    changed,
  };
}

function hostState(host: Host, { isSilent }: Sight): HostView['state'] {
  if (host.isDown) return 'down';
  return isSilent ? 'silent' : 'up';
}

export function statusView(status: Status): StatusView {
  const hostsDown = [...status.hostsDown];
  return { ...status, hostsDown, store: { ...status.store }, dataplane: { ...status.dataplane } };
}

/** Reasons are the words of client libraries, which may quote what they were given. */
export function redactedStore(store: StatusView['store']): StatusView['store'] {
  return {
    ...store,
    url: withoutSecrets(store.url),
    ...(store.reason === undefined ? {} : { reason: withoutSecrets(store.reason) }),
  };
}

export function storeView({ store, snapshots, snapshotsReason, ...rest }: StoreStatus): StoreView {
  return {
    ...rest,
    store: redactedStore(store),
    ...(snapshots !== undefined && { snapshots: snapshots.map((snapshot) => ({ ...snapshot })) }),
    ...(snapshotsReason !== undefined && { snapshotsReason: withoutSecrets(snapshotsReason) }),
  };
}

export function historyItemView(item: HistoryItem): HistoryItemView {
  const { outcome, record, attached } = item;
  return {
    ...outcomeView(outcome),
    ...(attached !== undefined && { attached: { ...attached, addresses: [...attached.addresses] } }),
    ...(record !== undefined && { record }),
  };
}

function outcomeView(outcome: Outcome): HistoryItemView {
  const { ordinal, accepted } = outcome;
  if (accepted) return { ordinal, accepted, subject: subjectView(outcome.subject) };
  return { ordinal, accepted, code: outcome.code, message: outcome.message };
}

function subjectView(subject: Subject): { type: string; id: string } {
  return subject.type === 'host'
    ? { type: 'host', id: subject.name }
    : { type: subject.type, id: subject.id };
}

export function planView({ ordinal, subject, hosts }: Plan): PlanView {
  const shown = hosts.map(({ host, commands }) => ({ host, commands: [...commands] }));
  return { ordinal, subject: subjectView(subject), hosts: shown };
}

export function doctorView(report: DoctorReport, status: Status, hosts: readonly HostView[]): DoctorView {
  const troubled = hosts.filter(needsAttention);
  return {
    healthy:
      status.phase === 'running' &&
      status.store.reachable &&
      troubled.length === 0 &&
      report.failing.length === 0 &&
      report.shadowed.length === 0 &&
      report.archive.fault === undefined &&
      report.archive.damage.length === 0,
    ordinal: status.ordinal,
    phase: status.phase,
    ...(status.phaseReason !== undefined && { phaseReason: status.phaseReason }),
    storeReachable: status.store.reachable,
    ...(status.store.reason !== undefined && { storeReason: status.store.reason }),
    hosts: troubled,
    failing: report.failing.map(({ object, text, reason, attempts }) => {
      return { kind: object.kind, namespace: object.ns, text, reason, attempts };
    }),
    archive: archiveView(report.archive),
    droppingChains: report.droppingChains.map((chain) => ({ ...chain })),
    ...(report.firewallsFault !== undefined && { firewallsFault: report.firewallsFault }),
    shadowed: report.shadowed.map(({ listener, endpoint }) => {
      return { ...listener, endpoint: endpoint.id, sandbox: endpoint.sandbox.ref };
    }),
    ...(report.listenersFault !== undefined && { listenersFault: report.listenersFault }),
    repairs: report.repairs.map(({ object, text, at, found, noticed }) => {
      return { kind: object.kind, namespace: object.ns, text, at, found, noticed };
    }),
  };
}

/** Another one that is not at work, or that this one does not agree with; also this one where it is run twice. */
function needsAttention({ state, phase, daemons, partedAt }: HostView): boolean {
  return (
    state !== 'up' ||
    (phase !== undefined && phase !== 'running') ||
    daemons !== undefined ||
    partedAt !== undefined
  );
}

function archiveView({ spans, damage, ...rest }: DoctorReport['archive']): DoctorView['archive'] {
  return { ...rest, spans: spans.map((span) => ({ ...span })), damage: [...damage] };
}

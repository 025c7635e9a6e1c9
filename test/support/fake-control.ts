/**
 * A control without store and kernel, for specs of what stands in front of one: requests go straight through the real
 * fold, so refusals, ids and addresses are the real ones, and ids are the same on every run. What a spec wants otherwise
 * it says in `phase`, `health`, `doctorReport` and `before`.
 */
import { EMPTY, type Observable } from 'rxjs';
import { endpointBody, networkBody } from '../../core/controller/bodies.ts';
import type {
  Control,
  DoctorReport,
  EndpointRequest,
  EntryPage,
  EntryQuery,
  Evidence,
  HistoryItem,
  KernelEvidence,
  NetworkRequest,
  Phase,
  Repair,
  RequestContext,
  Status,
  Step,
} from '../../core/controller/control.ts';
import { lookupEndpoint, lookupEndpointOf, lookupNetwork } from '../../core/controller/lookup.ts';
import { WeftError } from '../../core/errors.ts';
import { apply } from '../../core/fold/apply.ts';
import { hostNamed } from '../../core/fold/lookup.ts';
import { emptyState, type State } from '../../core/fold/state.ts';
import { genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import type { BodyOf, LogRecord, RecordKind } from '../../core/log/record.ts';
import { encodeRecord } from '../../core/log/record-codec.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import { type EntryId, endpointIdOf, networkIdOf, type RecordId } from '../../core/model/ids.ts';
import type { Network } from '../../core/model/network.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';

/** 2015-11-23T12:00:00Z, the first record's time; each further one is a second later. */
const firstRecordAt = 1_448_280_000_000;
const identityDigits = 32;

type Method = 'createNetwork' | 'removeNetwork' | 'connect' | 'disconnect' | 'removeEndpoint' | 'removeHost';

export class FakeControl implements Control {
  state: State = emptyState();
  readonly steps$: Observable<Step> = EMPTY;
  readonly networks$: Observable<readonly Network[]> = EMPTY;
  readonly endpoints$: Observable<readonly Endpoint[]> = EMPTY;
  readonly drift$: Observable<Repair> = EMPTY;

  /** As the log's adapter would say it. */
  health: { reachable: boolean; reason?: string } = { reachable: true };
  phase: Phase = 'running';
  phaseReason: string | undefined;
  doctorReport: DoctorReport = { repairs: [], failing: [] };
  /** Runs before a change and may throw or wait in its place. */
  before: ((method: Method, context: RequestContext) => Promise<void>) | undefined;
  kernelEvidence: KernelEvidence = { objects: [], steady: true };
  /** One a record; the position is their count so far. */
  readonly logEntries: LogEntry[] = [];
  /** Who asked for each change, in order. */
  readonly askedBy: string[] = [];

  readonly #items: HistoryItem[] = [];
  readonly #host: string;

  constructor(host = 'h1', address = '192.168.2.15') {
    this.#host = host;
    this.join(host, address);
  }

  /** A host joins, this one or another. */
  join(host: string, address: string): void {
    const identity = String(this.#items.length).padStart(identityDigits, '0');
    this.#append('host-join', { address, identity, mtu: 1500, version: '0.1.0' }, 'weft', host);
  }

  async status(_signal: CancelSignal): Promise<Status> {
    const { state } = this;
    return {
      host: this.#host,
      address: '192.168.2.15',
      version: '0.1.0',
      phase: this.phase,
      ...(this.phaseReason !== undefined && { phaseReason: this.phaseReason }),
      epoch: 1,
      store: { url: 'memory:', ...this.health },
      ordinal: state.ordinal,
      position: genesis,
      caughtUp: this.health.reachable,
      caughtUpAgoMs: 1_500,
      recordHash: state.recordHash,
      stateHash: state.stateHash,
      hosts: state.hosts.size,
      networks: state.networks.size,
      endpoints: state.endpoints.size,
      dataplane: { desired: 12, pending: 0, writes: 34, repairs: 5, auditedAgoMs: 61_000 },
    };
  }

  history({ after = 0, limit }: { readonly after?: number; readonly limit: number }): readonly HistoryItem[] {
    return this.#items.filter(({ outcome }) => outcome.ordinal > after).slice(-limit);
  }

  doctor(): DoctorReport {
    return this.doctorReport;
  }

  async evidence(_signal: CancelSignal): Promise<Evidence> {
    const { ordinal, recordHash, stateHash } = this.state;
    const position = String(this.logEntries.length) as Position;
    const checkpoints = [{ ordinal, recordHash, stateHash }];
    return { ordinal, recordHash, stateHash, position, checkpoints, kernel: this.kernelEvidence };
  }

  /** Two at a time, so that pages are seen to be put together. */
  async entries({ after, until }: EntryQuery): Promise<EntryPage> {
    if (!this.health.reachable) throw new WeftError('store-unreachable', 'The store gave no entry');
    const entries = this.logEntries.slice(Number(after), Number(until)).slice(0, 2);
    return { entries, end: Number(after) + entries.length >= Number(until) };
  }

  async findNetwork(ref: string): Promise<Network> {
    const network = lookupNetwork(this.state, ref);
    if (network === undefined) throw new WeftError('no-such-network', `No network is named '${ref}'`);
    return network;
  }

  async findEndpoint(ref: string): Promise<Endpoint> {
    const endpoint = lookupEndpoint(this.state, ref);
    if (endpoint === undefined) throw new WeftError('no-such-endpoint', `No endpoint is named '${ref}'`);
    return endpoint;
  }

  async createNetwork(request: NetworkRequest, context: RequestContext): Promise<Network> {
    await this.#enter('createNetwork', context);
    const id = networkIdOf(this.#append('network-create', networkBody(request), context.by));
    return found(this.state.networks.get(id));
  }

  async removeNetwork(ref: string, context: RequestContext): Promise<Network> {
    await this.#enter('removeNetwork', context);
    const network = await this.findNetwork(ref);
    this.#append('network-remove', { network: network.id }, context.by);
    return network;
  }

  async connect(ref: string, request: EndpointRequest, context: RequestContext): Promise<Endpoint> {
    await this.#enter('connect', context);
    const network = await this.findNetwork(ref);
    const inspection = { identity: `boot:${request.sandbox}`, foreignLinks: ['lo'] };
    const id = endpointIdOf(
      this.#append('endpoint-create', endpointBody(network.id, request, inspection), context.by),
    );
    return found(this.state.endpoints.get(id));
  }

  async disconnect(networkRef: string, ref: string, context: RequestContext): Promise<Endpoint> {
    await this.#enter('disconnect', context);
    const network = await this.findNetwork(networkRef);
    const attached = [...this.state.endpoints.values()].find((endpoint) => {
      return endpoint.network === network.id && endpoint.sandbox.ref === ref;
    });
    const endpoint = attached ?? lookupEndpointOf(this.state, network, ref);
    if (endpoint === undefined) throw new WeftError('no-such-endpoint', `No endpoint is named '${ref}'`);
    return this.#remove(endpoint, context);
  }

  async removeEndpoint(ref: string, context: RequestContext): Promise<Endpoint> {
    await this.#enter('removeEndpoint', context);
    return this.#remove(await this.findEndpoint(ref), context);
  }

  async removeHost(name: string, context: RequestContext): Promise<Host> {
    await this.#enter('removeHost', context);
    const host = hostNamed(this.state, name);
    if (host === undefined) throw new WeftError('no-such-host', `No host is named '${name}'`);
    this.#append('host-remove', { name }, context.by);
    return host;
  }

  #remove(endpoint: Endpoint, context: RequestContext): Endpoint {
    this.#append('endpoint-remove', { endpoint: endpoint.id, reason: 'requested' }, context.by);
    return endpoint;
  }

  async #enter(method: Method, context: RequestContext): Promise<void> {
    this.askedBy.push(context.by);
    await this.before?.(method, context);
  }

  /** @throws WeftError what the fold refuses */
  #append<K extends RecordKind>(kind: K, body: BodyOf<K>, by: string, host = this.#host): RecordId {
    const count = this.#items.length;
    const id = count.toString(16).padStart(identityDigits, '0') as RecordId;
    const base = this.state.ordinal;
    const epoch = kind === 'host-join' ? 0 : 1;
    const record = {
      v: 1,
      id,
      host,
      epoch,
      base,
      at: firstRecordAt + count * 1_000,
      by,
      kind,
      body,
    } as LogRecord;
    const bytes = encodeRecord(record);
    const position = String(this.logEntries.length + 1) as Position;
    this.logEntries.push({ position, id: `${id}` as EntryId, bytes });
    const applied = apply(this.state, bytes);
    if (applied.halted) throw new Error('the fold halted');
    this.state = applied.state;
    this.#items.push({ outcome: applied.outcome, record });
    if (!applied.outcome.accepted) throw new WeftError(applied.outcome.code, applied.outcome.message);
    return id;
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the fold did not make what it accepted');
  return value;
}

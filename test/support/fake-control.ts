/**
 * A control without store and kernel, for specs of what stands in front of one: requests go straight through the real
 * fold, so refusals, ids and addresses are the real ones, and ids are the same on every run. What a spec wants otherwise
 * it says in `phase`, `health`, `doctorReport` and `before`.
 */
import { EMPTY, type Observable } from 'rxjs';
import { MemorySnapshots } from '../../adapters/memory/snapshots.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { historyItemOf } from '../../core/archive/archived-record.ts';
import { endpointBody, networkBody } from '../../core/controller/bodies.ts';
import type {
  Control,
  DoctorReport,
  EndpointRequest,
  EntryPage,
  EntryQuery,
  Evidence,
  ExportHead,
  ExportPage,
  HistoryItem,
  HistoryQuery,
  KernelEvidence,
  NetworkRequest,
  Phase,
  PlanRequest,
  Repair,
  RequestContext,
  ReseedRequest,
  RouteOverlap,
  SnapshotStatus,
  Status,
  Step,
  StoreStatus,
} from '../../core/controller/control.ts';
import { Exports } from '../../core/controller/exports.ts';
import { lookupEndpoint, lookupEndpointOf, lookupNetwork } from '../../core/controller/lookup.ts';
import { type Plan, planOf } from '../../core/controller/planning.ts';
import { WeftError } from '../../core/errors.ts';
import { apply } from '../../core/fold/apply.ts';
import type { NextLog } from '../../core/fold/course.ts';
import { hostNamed } from '../../core/fold/lookup.ts';
import { initialState } from '../../core/fold/predefined.ts';
import type { State } from '../../core/fold/state.ts';
import { genesis, type LogEntry, type Position } from '../../core/log/event-log.ts';
import type { BodyOf, LogRecord, RecordKind } from '../../core/log/record.ts';
import { encodeRecord } from '../../core/log/record-codec.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import {
  type EntryId,
  endpointIdOf,
  type LogId,
  networkIdOf,
  type RecordId,
  type SnapshotId,
} from '../../core/model/ids.ts';
import type { Network } from '../../core/model/network.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Sight } from '../../core/presence/presence.ts';
import { linesOf } from '../../core/snapshot/blocks.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { uploadSnapshot } from '../../core/snapshot/upload.ts';
import type { Successor } from '../../core/succession/begin-successor.ts';
import { PlainCompression } from './plain-compression.ts';
import { SeededRandom } from './seeded-random.ts';

/** 2015-11-23T12:00:00Z, the first record's time; each further one is a second later. */
const firstRecordAt = 1_448_280_000_000;
const identityDigits = 32;
const logId = 'b'.repeat(32) as LogId;

type Method =
  | 'createNetwork'
  | 'removeNetwork'
  | 'connect'
  | 'disconnect'
  | 'removeEndpoint'
  | 'removeHost'
  | 'makeSnapshot'
  | 'reseed'
  | 'moveLog';

export class FakeControl implements Control {
  state: State = initialState();
  readonly steps$: Observable<Step> = EMPTY;
  readonly networks$: Observable<readonly Network[]> = EMPTY;
  readonly endpoints$: Observable<readonly Endpoint[]> = EMPTY;
  readonly drift$: Observable<Repair> = EMPTY;

  /** As the log's adapter would say it. */
  health: { reachable: boolean; reason?: string } = { reachable: true };
  phase: Phase = 'running';
  phaseReason: string | undefined;
  readonly #exports = new Exports();
  /** Items of one page, so that pages are seen to be put together. */
  pageItems = 2;
  doctorReport: DoctorReport = {
    repairs: [],
    failing: [],
    archive: { spans: [], bytes: 0, damage: [], waiting: 0, lost: 0 },
    droppingChains: [],
    shadowed: [],
  };
  /** Of every network that is asked for. */
  overlaps: readonly RouteOverlap[] = [];
  readonly reseedRequests: ReseedRequest[] = [];
  /** Runs before a change and may throw or wait in its place. */
  before: ((method: Method, context: RequestContext) => Promise<void>) | undefined;
  kernelEvidence: KernelEvidence = { objects: [], steady: true };
  /** One a record; the position is their count so far. */
  readonly logEntries: LogEntry[] = [];
  /** Who asked for each change, in order. */
  readonly askedBy: string[] = [];
  /** Snapshots that were made, oldest first, and the store that has their chunks. */
  readonly made: Manifest[] = [];
  readonly store: MemoryStore = new MemoryStore();
  readonly snapshots: MemorySnapshots = new MemorySnapshots(this.store, async (_what, _signal, perform) =>
    perform(),
  );
  /** Told of besides. */
  badSnapshots: readonly SnapshotStatus[] = [];
  /** What `storeStatus` was asked for last. */
  checked: boolean | undefined;
  /** Entries that the log has no more. */
  trimmedTo = 0;

  readonly #items: HistoryItem[] = [];
  readonly #random = new SeededRandom(1);
  readonly #host: string;

  constructor(host = 'h1', address = '192.168.2.15') {
    this.#host = host;
    this.join(host, address);
  }

  /** A host joins, this one or another. */
  join(host: string, address: string): void {
    const identity = String(this.logEntries.length).padStart(identityDigits, '0');
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
      store: {
        url: 'memory:',
        logId,
        ...this.health,
        ...(this.made.length > 0 && { snapshotOrdinal: this.made.at(-1)?.ordinal ?? 0 }),
      },
      ordinal: state.ordinal,
      position: genesis,
      caughtUp: this.health.reachable,
      caughtUpAgoMs: 1_500,
      recordHash: state.recordHash,
      stateHash: state.stateHash,
      hosts: state.hosts.size,
      hostsDown: [...state.downHosts.keys()],
      networks: state.networks.size,
      endpoints: state.endpoints.size,
      dataplane: { desired: 12, pending: 0, writes: 34, repairs: 5, auditedAgoMs: 61_000 },
    };
  }

  /** What is seen of a host, where a test says otherwise than nothing. */
  readonly sights = new Map<string, Sight>();

  sightOf({ name }: Host): Sight {
    return this.sights.get(name) ?? { isSilent: false, daemons: 0 };
  }

  /** The others take a host down. */
  takeDown(name: string, epoch = 1): void {
    this.#append('host-down', { name, epoch }, 'daemon');
  }

  /** As a host that went on from a snapshot: it never saw those records. */
  forget(from: number, to: number): void {
    const rest = this.#items.filter(({ outcome }) => outcome.ordinal < from || outcome.ordinal > to);
    this.#items.splice(0, this.#items.length, ...rest);
  }

  async history({ after = 0, limit, from }: HistoryQuery): Promise<readonly HistoryItem[]> {
    const items = this.#items.filter(({ outcome }) => outcome.ordinal > after);
    return from === 'oldest' ? items.slice(0, Math.min(limit, this.pageItems)) : items.slice(-limit);
  }

  async doctor(): Promise<DoctorReport> {
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
    if (Number(after) < this.trimmedTo) throw new WeftError('log-trimmed', 'The log was trimmed further');
    const entries = this.logEntries.slice(Number(after), Number(until)).slice(0, 2);
    return { entries, end: Number(after) + entries.length >= Number(until) };
  }

  /** The log keeps no entry up to here: those up to it are only in a snapshot. */
  trim(): void {
    this.trimmedTo = this.logEntries.length;
  }

  async logStart(): Promise<Manifest | undefined> {
    if (!this.health.reachable) throw new WeftError('store-unreachable', 'The store gave no entry');
    if (this.trimmedTo === 0) return undefined;
    const [made] = this.made;
    if (made === undefined) throw new WeftError('log-trimmed', 'The log was trimmed');
    return made;
  }

  async snapshotLines(id: SnapshotId, chunk: number): Promise<readonly string[]> {
    const bytes = this.store.chunk(id, chunk);
    if (bytes === undefined) throw new WeftError('bad-snapshot', `There is no chunk ${chunk}`);
    return linesOf(Buffer.from(bytes).toString());
  }

  beginExport(): ExportHead {
    const position = String(this.logEntries.length) as Position;
    return this.#exports.begin('e'.repeat(32), this.state, position, logId);
  }

  exportPage(ref: string, page: number): ExportPage {
    return this.#exports.page(ref, page);
  }

  async storeStatus({ check }: { readonly check: boolean }, signal: CancelSignal): Promise<StoreStatus> {
    const { store, ordinal, caughtUp } = await this.status(signal);
    this.checked = check;
    const known = { store, ordinal, ...(caughtUp !== undefined && { caughtUp }) };
    const newest = this.made.at(-1)?.ordinal ?? 0;
    const turns = { newest, next: { host: this.#host, ordinal: newest + 2_048 }, ownTurn: newest + 2_048 };
    if (!this.health.reachable) return { ...known, ...turns, snapshotsReason: 'it is silent' };
    const snapshots = [...this.made].reverse().map(({ id, ordinal: at, host, at: madeAt, chunks, bytes }) => {
      return {
        id,
        ordinal: at,
        records: ordinal - at,
        entries: ordinal - at,
        host,
        at: madeAt,
        chunks,
        bytes,
      };
    });
    return { ...known, ...turns, snapshots: [...snapshots, ...this.badSnapshots], unfinished: 0 };
  }

  async reseed(request: ReseedRequest, context: RequestContext): Promise<Successor> {
    await this.before?.('reseed', context);
    this.reseedRequests.push(request);
    const { ordinal, recordHash, stateHash } = this.state;
    const record: LogRecord = {
      v: 1,
      id: 'e'.repeat(32) as RecordId,
      host: this.#host,
      epoch: 0,
      base: ordinal,
      at: firstRecordAt,
      by: context.by,
      kind: 'log-begin',
      body: { logId: 'd'.repeat(32), succeeds: { logId, ordinal, recordHash, stateHash } },
    };
    return { logId: 'd'.repeat(32) as LogId, beginning: record };
  }

  async moveLog(url: string, context: RequestContext): Promise<NextLog> {
    await this.before?.('moveLog', context);
    return { logId: 'd'.repeat(32) as LogId, url };
  }

  async makeSnapshot(signal: CancelSignal): Promise<Manifest> {
    await this.before?.('makeSnapshot', { by: 'weft', signal });
    const position = String(this.logEntries.length) as Position;
    const source = { state: this.state, position, logId, host: this.#host, at: firstRecordAt };
    const persist = (write: () => Promise<void>): Promise<void> => write();
    const ports = {
      snapshots: this.snapshots,
      compression: new PlainCompression(),
      random: this.#random,
      persist,
    };
    const manifest = await uploadSnapshot(source, ports, signal);
    this.made.push(manifest);
    return manifest;
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

  async routeOverlaps(): Promise<readonly RouteOverlap[]> {
    return this.overlaps;
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
  /** Of changes to networks; the others are the real control's to try. */
  async plan(request: PlanRequest, context: RequestContext): Promise<Plan> {
    const draft =
      request.change === 'createNetwork'
        ? this.#draft('network-create', networkBody(request.body), context.by)
        : this.#draft(
            'network-remove',
            { network: (await this.findNetwork('ref' in request ? request.ref : '')).id },
            context.by,
          );
    const self = { host: this.#host, allowed: {} };
    return planOf(this.state, encodeRecord(draft), { drivers: new Map(), netnsPrefix: 'weft-', self });
  }

  #draft<K extends RecordKind>(kind: K, body: BodyOf<K>, by: string, host = this.#host): LogRecord {
    const count = this.logEntries.length;
    const id = count.toString(16).padStart(identityDigits, '0') as RecordId;
    const base = this.state.ordinal;
    const epoch = kind === 'host-join' ? 0 : 1;
    return {
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
  }

  #append<K extends RecordKind>(kind: K, body: BodyOf<K>, by: string, host = this.#host): RecordId {
    const record = this.#draft(kind, body, by, host);
    const { id } = record;
    const bytes = encodeRecord(record);
    const position = String(this.logEntries.length + 1) as Position;
    this.logEntries.push({ position, id: `${id}` as EntryId, bytes });
    const applied = apply(this.state, bytes);
    if (applied.halted) throw new Error('the fold halted');
    this.state = applied.state;
    this.#items.push(historyItemOf({ ...applied, position, record }));
    if (!applied.outcome.accepted) throw new WeftError(applied.outcome.code, applied.outcome.message);
    return id;
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the fold did not make what it accepted');
  return value;
}

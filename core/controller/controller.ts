/**
 * One host's controller: the log folded into state, the state compiled into desired kernel objects, the kernel held to
 * them, and requests carried through all three.
 *
 * One direction, no side roads: nothing writes the kernel but the reconciler, nothing changes state but the fold,
 * nothing enters the fold but the log. Everything it meets of the world comes in by its ports.
 */
import type { Observable } from 'rxjs';
import { historyItemOf } from '../archive/archived-record.ts';
import { Archivist } from '../archive/archivist.ts';
import type { Kernel } from '../dataplane/kernel.ts';
import { sandboxNamespace } from '../dataplane/namespace.ts';
import { DesiredState } from '../desired/desired-state.ts';
import type { HostAllowances } from '../desired/host-view.ts';
import type { Driver } from '../driver/driver.ts';
import { WeftError } from '../errors.ts';
import type { Change } from '../fold/change.ts';
import type { NextLog } from '../fold/course.ts';
import { endpointsOfHost, endpointsOfSandbox } from '../fold/lookup.ts';
import { initialState } from '../fold/predefined.ts';
import type { State } from '../fold/state.ts';
import { unreachable } from '../lib/assert.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { Wake } from '../lib/wake.ts';
import { Appender } from '../log/appender.ts';
import type { EventLog, Position } from '../log/event-log.ts';
import type { BodyOf, LogRecord, RecordKind } from '../log/record.ts';
import { encodeRecord } from '../log/record-codec.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { RecordId, SnapshotId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import type { Archive } from '../ports/archive.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Compression } from '../ports/compression.ts';
import type { LogMemory } from '../ports/log-memory.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { PresenceOptions } from '../presence/defaults.ts';
import { requireFurthest } from '../presence/lead.ts';
import { Presence, type Sight } from '../presence/presence.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import type { Successor } from '../succession/begin-successor.ts';
import type { CurrentLog } from '../succession/current-log.ts';
import { Succession } from '../succession/succession.ts';
import {
  endpointBody,
  listenersHere,
  networkBodyHere,
  type Removal,
  removalBodyHere,
  requireFitting,
  requireOffered,
  routeOverlapsHere,
} from './bodies.ts';
import { Checkpoints } from './checkpoints.ts';
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
  LogPlace,
  NetworkRequest,
  Phase,
  PlanRequest,
  Repair,
  RequestContext,
  ReseedRequest,
  RouteOverlap,
  Status,
  Step,
  StoreStatus,
} from './control.ts';
import { askedAttemptsMax, catchUpDeadlineMs, rejoinCheckMs, rejoinDelayMs } from './defaults.ts';
import { examine } from './doctor.ts';
import { readEntries } from './entry-pages.ts';
import { takeEvidence } from './evidence.ts';
import { Exports } from './exports.ts';
import { Finder, notOpened } from './finder.ts';
import type { Cursor, Fold } from './fold-entries.ts';
import { History } from './history.ts';
import { LogKeeper, type Standing } from './log-keeper.ts';
import { findLogStart, readSnapshotLines } from './log-start.ts';
import { type HostIdentity, Membership } from './membership.ts';
import { Outcomes } from './outcomes.ts';
import { type Plan, planOf } from './planning.ts';
import { type LogNews, Replica } from './replica.ts';
import { only, Requests } from './requests.ts';
import { rowsOf$ } from './rows.ts';
import { SandboxWatch } from './sandbox-watch.ts';
import { statusOf } from './status.ts';
import { takeAccount } from './store-account.ts';

export interface ControllerPorts {
  readonly log: CurrentLog;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly compression: Compression;
  /** Logs by the URL of their store, not opened: for when the cluster goes on in another one. */
  connect(url: string): Promise<EventLog>;
  /** Which log this host followed last; absent where nothing outlives the process. */
  readonly memory?: LogMemory;
  /** Of this host alone. */
  readonly archive: Archive;
  /** By name. */
  readonly drivers: ReadonlyMap<string, Driver>;
  /** How lines are folded, where that is not to be done by `apply` itself: for many controllers in one process. */
  readonly fold?: Fold;
}

export interface ControllerOptions extends HostIdentity, HostAllowances, Partial<PresenceOptions> {
  /** Prefix of the names of owned namespaces, `weft-` by default. Unique among the daemons of one machine. */
  readonly netnsPrefix: string;
  /** Whether this host has the predefined network `bridge`; it has unless given. */
  readonly hasDefaultBridge?: boolean;
  /** Records between two snapshots at least, 2,048 by default. The same on every host of a cluster. */
  readonly snapshotOrdinals?: number;
}

export class Controller implements Control {
  readonly #ports: ControllerPorts;
  readonly #options: ControllerOptions;
  readonly #replica: Replica;
  readonly #succession: Succession;
  readonly #appender: Appender;
  readonly #outcomes = new Outcomes();
  readonly #requests: Requests;
  readonly #membership: Membership;
  readonly #finder: Finder;
  readonly #history = new History();
  readonly #checkpoints = new Checkpoints();
  readonly #desired: DesiredState;
  readonly #reconciler: Reconciler;
  readonly #sandboxes: SandboxWatch;
  readonly #keeper: LogKeeper;
  readonly #exports = new Exports();
  readonly #archivist: Archivist;
  readonly #presence: Presence;
  readonly #fallen = new Wake();
  /** The state after the last record that was taken note of. */
  #folded: State = initialState();
  /** Whether the kernel is held to the fold: not before the whole log is known. */
  #holding = false;
  /** How far it has come; what keeps it from going on is beside it. */
  #stage: Exclude<Phase, 'halted'> = 'opening';
  /** Why the data plane is frozen: for good, or until the log is found again. */
  #halted: { readonly reason: string; readonly isForGood: boolean } | undefined;
  #stageReason: string | undefined;

  constructor(ports: ControllerPorts, options: ControllerOptions) {
    const { log, kernel, clock, logger } = ports;
    this.#ports = ports;
    this.#options = options;
    this.#succession = new Succession({ ...ports, current: log }, options.host);
    this.#replica = new Replica({ ...ports, succession: this.#succession });
    this.#appender = new Appender(log, ports, {}, () => this.#replica.position);
    this.#requests = new Requests(this.#appender, this.#outcomes, ports);
    this.#membership = new Membership(options, this.#requests, ports);
    this.#finder = new Finder(ports, options.host, this.#replica, () => this.#phase !== 'opening');
    this.#desired = new DesiredState(ports.drivers, options, ports);
    this.#sandboxes = new SandboxWatch(kernel, ports, {
      endpoints: () => endpointsOfHost(this.state, options.host),
      release: (endpoint, signal) => this.#release(endpoint, 'sandbox-gone', { by: 'daemon', signal }),
    });
    this.#archivist = new Archivist(ports);
    this.#keeper = new LogKeeper(ports, options, () => this.#standing());
    this.#presence = new Presence(ports, options, options, () => this.#stand(), {
      say: (kind, host, signal) => this.#judge(kind, host, signal),
      astray: (reason) => this.#goAstray(reason),
    });
    this.#reconciler = new Reconciler(kernel, this.#desired, { clock, logger });
    this.#replica.news$.subscribe((news) => this.#onNews(news));
    this.#replica.entries$.subscribe((cursor) => this.#onEntry(cursor));
    this.#reconciler.suspects$.subscribe(() => this.#sandboxes.wake());
  }

  /**
   * Lives until `signal` aborts: opens the log for as long as it takes, catches up, takes hold of the kernel, joins, and
   * follows. Resolves after the abort, with the data plane left as it is.
   *
   * A log that cannot be followed any further (`unknown-version`, `log-mismatch`, `log-damaged`) does not end it: the
   * data plane is frozen, reads go on answering, and `status` says why.
   *
   * @throws WeftError what no waiting can mend at the start: `host-taken`, `address-in-use-by-host`, `log-damaged`…
   */
  async run(signal: CancelSignal): Promise<void> {
    using scope = cancelScope(signal);
    if (!(await this.#opened(scope.signal))) return;
    this.#enter('catching-up');
    const archiving = this.#archivist.run(scope.signal);
    const following = this.#replica
      .follow(scope.signal)
      .catch((error: unknown) => this.#halt(error, scope.signal));
    await Promise.race([following, this.#begin(scope.signal)]);
    await Promise.all([following, archiving]);
  }

  /** Ends what `run` began; call it after aborting. Objects stay in the kernel. */
  async stop(): Promise<void> {
    await this.#appender.close();
    await this.#presence.leave();
    await this.#reconciler.stop();
    await this.#ports.log.close();
    await this.#archivist.close();
    await this.#ports.kernel.close();
  }

  get state(): State {
    return this.#replica.state;
  }

  get steps$(): Observable<Step> {
    return this.#replica.steps$;
  }

  get networks$(): Observable<readonly Network[]> {
    return rowsOf$(this.#replica, 'network', (state) => state.networks.values());
  }

  get endpoints$(): Observable<readonly Endpoint[]> {
    return rowsOf$(this.#replica, 'endpoint', (state) => state.endpoints.values());
  }

  get drift$(): Observable<Repair> {
    return this.#reconciler.repairs$;
  }

  async history(query: HistoryQuery): Promise<readonly HistoryItem[]> {
    return await this.#history.select(query, this.state.ordinal, (page) => this.#archivist.read(page));
  }

  async doctor(): Promise<DoctorReport> {
    const sources = { kernel: this.#ports.kernel, desired: this.#desired, reconciler: this.#reconciler };
    const self = { state: this.state, host: this.#options.host };
    return await examine({ ...sources, ...self, archivist: this.#archivist });
  }

  evidence(signal: CancelSignal): Promise<Evidence> {
    const { kernel, clock } = this.#ports;
    const stand = () => {
      const { position, state } = this.#replica;
      const { writes, pending } = this.#reconciler;
      return { position, state, writes, pending };
    };
    return takeEvidence(
      { kernel, clock, desired: this.#desired, stand, checkpoints: () => this.#checkpoints.list() },
      signal,
    );
  }

  async entries(query: EntryQuery, signal: CancelSignal): Promise<EntryPage> {
    if (this.#phase === 'opening') throw notOpened();
    return readEntries(this.#ports.log, this.#ports.clock, query, signal);
  }

  async logStart(until: LogPlace, signal: CancelSignal): Promise<Manifest | undefined> {
    if (this.#phase === 'opening') throw notOpened();
    return await findLogStart(this.#ports, this.#replica.logId, until, signal);
  }

  async snapshotLines(id: SnapshotId, chunk: number, signal: CancelSignal): Promise<readonly string[]> {
    if (this.#phase === 'opening') throw notOpened();
    return await readSnapshotLines(this.#ports, id, chunk, signal);
  }

  async makeSnapshot(signal: CancelSignal): Promise<Manifest> {
    return await this.#keeper.make(signal, askedAttemptsMax);
  }

  async reseed({ force, discard }: ReseedRequest, { by, signal }: RequestContext): Promise<Successor> {
    const { state, logId, position } = this.#replica;
    if (logId === undefined || state.ordinal === 0) throw notOpened();
    if (!force) requireFurthest(this.#options.host, state.ordinal, this.#presence.furthest());
    return await this.#succession.reseed({ state, logId, position }, discard, by, signal);
  }

  async moveLog(url: string, context: RequestContext): Promise<NextLog> {
    const author = this.#membership.author(this.state);
    const next = await this.#succession.prepare(url, context.signal);
    await this.#requests.perform(author, 'log-move', next, context);
    return next;
  }

  beginExport(): ExportHead {
    const { state, position, logId } = this.#replica;
    if (logId === undefined || state.ordinal === 0) throw notOpened();
    return this.#exports.begin(this.#ports.random.hex(16), state, position, logId);
  }

  exportPage(ref: string, page: number): ExportPage {
    return this.#exports.page(ref, page);
  }

  sightOf(host: Host): Sight {
    return this.#presence.sightOf(host);
  }

  async storeStatus(query: { readonly check: boolean }, signal: CancelSignal): Promise<StoreStatus> {
    const replica = this.#replica;
    const { host, snapshotOrdinals } = this.#options;
    const { log, clock, compression } = this.#ports;
    const { state, logId } = replica;
    const entriesSince = (position: Position) => replica.entriesSince(position);
    const newest = this.#newestSnapshot();
    const sources = { log, clock, compression, host, snapshotOrdinals, state, logId, entriesSince, newest };
    const [account, { store, caughtUp, caughtUpAgoMs }] = await Promise.all([
      takeAccount(sources, query, signal),
      this.status(signal),
    ]);
    return {
      store,
      ordinal: state.ordinal,
      ...(caughtUp === undefined ? {} : { caughtUp }),
      ...(caughtUpAgoMs === undefined ? {} : { caughtUpAgoMs }),
      ...account,
    };
  }

  async status(signal: CancelSignal): Promise<Status> {
    const caughtUp = await this.#finder.isCaughtUp(signal);
    const { log, memory, clock } = this.#ports;
    return statusOf({
      options: this.#options,
      replica: this.#replica,
      desired: this.#desired,
      reconciler: this.#reconciler,
      log,
      configuredUrl: memory?.configuredUrl,
      phase: this.#phase,
      phaseReason: this.#phaseReason,
      epoch: this.#membership.epoch,
      snapshotOrdinal: this.#newestSnapshot(),
      caughtUp,
      nowMs: clock.monotonicMs(),
    });
  }

  findNetwork(ref: string, signal: CancelSignal): Promise<Network> {
    return this.#finder.network(ref, signal);
  }

  findEndpoint(ref: string, signal: CancelSignal): Promise<Endpoint> {
    return this.#finder.endpoint(ref, signal);
  }

  async plan(request: PlanRequest, { by, signal }: RequestContext): Promise<Plan> {
    const line = encodeRecord(await this.#drafted(request, by, signal));
    const { host, netnsPrefix } = this.#options;
    const self = { host, allowed: this.#options };
    return planOf(this.state, line, { drivers: this.#ports.drivers, netnsPrefix, self });
  }

  async createNetwork(request: NetworkRequest, context: RequestContext): Promise<Network> {
    const author = this.#membership.author(this.state);
    const step = await this.#requests.perform(
      author,
      'network-create',
      await networkBodyHere(this.#ports, request),
      context,
    );
    return only(step, 'network-added').network;
  }

  routeOverlaps(request: NetworkRequest): Promise<readonly RouteOverlap[]> {
    return routeOverlapsHere(this.#ports.kernel, request);
  }

  async removeNetwork(ref: string, context: RequestContext): Promise<Network> {
    const network = await this.findNetwork(ref, context.signal);
    const author = this.#membership.author(this.state);
    const step = await this.#requests.perform(author, 'network-remove', { network: network.id }, context);
    return only(step, 'network-removed').network;
  }

  async connect(networkRef: string, request: EndpointRequest, context: RequestContext): Promise<Endpoint> {
    const body = await this.#endpointBody(networkRef, request, context.signal);
    const author = this.#membership.author(this.state);
    const step = await this.#requests.perform(author, 'endpoint-create', body, context);
    const { endpoint } = only(step, 'endpoint-added');
    await this.#attached(endpoint, context);
    return endpoint;
  }

  async disconnect(networkRef: string, ref: string, context: RequestContext): Promise<Endpoint> {
    return this.#remove(await this.#finder.endpointOn(networkRef, ref, context.signal), context);
  }

  async removeEndpoint(ref: string, context: RequestContext): Promise<Endpoint> {
    return this.#remove(await this.findEndpoint(ref, context.signal), context);
  }

  async removeHost(name: string, context: RequestContext): Promise<Host> {
    const author = this.#membership.author(this.state);
    const step = await this.#requests.perform(author, 'host-remove', { name }, context);
    return only(step, 'host-removed').host;
  }

  /** The record that a change would be. */
  async #drafted(request: PlanRequest, by: string, signal: CancelSignal): Promise<LogRecord> {
    const draft = <K extends RecordKind>(kind: K, body: BodyOf<K>): LogRecord =>
      this.#requests.draft(this.#membership.author(this.state), kind, body, by);
    const removal = async (endpoint: Endpoint) =>
      draft('endpoint-remove', await this.#removalBody(endpoint, 'requested'));
    switch (request.change) {
      case 'createNetwork':
        return draft('network-create', await networkBodyHere(this.#ports, request.body));
      case 'removeNetwork':
        return draft('network-remove', { network: (await this.findNetwork(request.ref, signal)).id });
      case 'connect':
        return draft('endpoint-create', await this.#endpointBody(request.ref, request.body, signal));
      case 'disconnect':
        return await removal(await this.#finder.endpointOn(request.ref, request.body.ref, signal));
      case 'removeEndpoint':
        return await removal(await this.findEndpoint(request.ref, signal));
      case 'removeHost':
        return draft('host-remove', { name: request.ref });
      default:
        return unreachable(request);
    }
  }

  async #endpointBody(
    networkRef: string,
    request: EndpointRequest,
    signal: CancelSignal,
  ): Promise<BodyOf<'endpoint-create'>> {
    const network = await this.findNetwork(networkRef, signal);
    // Asked before the sandbox is looked at: a host that may not write says that first.
    this.#membership.author(this.state);
    const sandbox = await this.#ports.kernel.inspectSandbox(request.sandbox);
    requireOffered(network, this.#options);
    requireFitting(network, request.sandbox, sandbox);
    const ref = this.#refOf(request.sandbox, sandbox.identity);
    const listeners = await listenersHere(this.#ports.kernel, request.ports ?? []);
    return endpointBody(network.id, { ...request, sandbox: ref }, sandbox, listeners);
  }

  /** False when it was told to end before the store let it in. */
  async #opened(signal: CancelSignal): Promise<boolean> {
    try {
      await this.#replica.open(signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** After the replica has begun to follow: take hold of the kernel, join, watch the sandboxes. */
  async #begin(signal: CancelSignal): Promise<void> {
    await this.#caughtUpFirst(signal);
    if (signal.aborted) return;
    // Objects of a host that only shares our name are not ours to make: the join below is refused and says so.
    if (!this.#membership.isForeign(this.state)) this.#takeHold(signal);
    this.#enter('joining');
    await this.#membership.join(() => this.state, signal);
    if (signal.aborted || this.#stage !== 'joining') return;
    if (this.#membership.isMember) this.#enter('running');
    await Promise.all([
      this.#sandboxes.run(signal),
      this.#keeper.run(signal),
      this.#presence.run(signal),
      this.#rejoining(signal),
    ]);
  }

  /** Joins again whenever the others have given this host up, and its beats get through again. */
  async #rejoining(signal: CancelSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      if (!this.#isFallen) {
        await this.#fallen.wait(clock, rejoinCheckMs, signal);
      } else if (await this.#presence.beat(signal)) {
        await this.#membership.join(() => this.state, signal);
        if (this.#membership.isMember && this.#stage === 'joining') this.#enter('running');
        this.#presence.wake();
      } else {
        await clock.sleep(rejoinDelayMs, signal);
      }
    }
  }

  /** Given up by the others, and free to join again. */
  get #isFallen(): boolean {
    const { loss } = this.#membership;
    return this.#phase !== 'halted' && (loss === 'down' || loss === 'expired');
  }

  #stand() {
    return { state: this.state, epoch: this.#membership.livingEpoch, phase: this.#phase };
  }

  async #judge(kind: 'host-down' | 'host-expire', host: Host, signal: CancelSignal): Promise<void> {
    const author = this.#membership.author(this.state);
    const { name, epoch } = host;
    await this.#requests.perform(author, kind, { name, epoch }, { by: 'daemon', signal });
  }

  /** What this host says of the log is not to be trusted: not its own requests either. */
  #goAstray(reason: string): void {
    this.#membership.mute(reason);
    this.#freeze(reason);
  }

  /** A host that was removed, replaced or halted has no part in keeping the log. */
  #standing(): Standing | undefined {
    const { state, position, logId } = this.#replica;
    if (this.#phase !== 'running' || logId === undefined) return undefined;
    return {
      state,
      position,
      logId,
      stateHashAt: (at) => this.#replica.stateHashAt(at),
      archived: (ordinal) => this.#archivist.flush(ordinal),
    };
  }

  #newestSnapshot(): number {
    return Math.max(this.#keeper.newest, this.#replica.newestSnapshot);
  }

  /** Nothing is done to the kernel on partial knowledge: the whole log first, however long the store takes. */
  async #caughtUpFirst(signal: CancelSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#replica.catchUp(signal);
        return;
      } catch (error) {
        this.#ports.logger.warn('cannot see the end of the log yet', { reason: String(error) });
        await this.#ports.clock.sleep(catchUpDeadlineMs, signal);
      }
    }
  }

  /** From here on the kernel is held to the fold. What came before is compiled once, from the state that it led to. */
  #takeHold(signal: CancelSignal): void {
    this.#holding = true;
    this.#desired.load(this.state);
    this.#reconciler.start(signal);
  }

  /** One entry was folded: the data plane first, then those who wait. */
  #onEntry(cursor: Cursor): void {
    this.#follow(cursor.changes, cursor.state);
    for (const step of cursor.steps) this.#follow(step.changes, step.state, step.record?.id);
    if (this.#holding) this.#reconciler.touch(this.#desired.takeDirty());
    for (const step of cursor.steps) {
      this.#checkpoints.push(step.state);
      this.#presence.push(step.state);
      this.#remember(step);
      this.#outcomes.settle(step);
    }
    if (cursor.isLeap) this.#outcomes.passOver(cursor.state);
    this.#folded = cursor.state;
    this.#keeper.notice();
  }

  #remember(step: Step): void {
    const item = historyItemOf(step);
    this.#history.push(item);
    const { logId } = this.#replica;
    if (logId !== undefined) this.#archivist.take(item, this.#folded, step.state, logId);
    this.#folded = step.state;
  }

  /** @param record that made the changes; absent where a leap did */
  #follow(changes: readonly Change[], state: State, record?: RecordId): void {
    if (this.#holding) for (const change of changes) this.#desired.apply(change, state);
    const loss = this.#membership.observe(changes, record, state);
    if (loss === 'removed')
      this.#enter('removed', `host '${this.#options.host}' was removed from the cluster`);
    if (loss === 'superseded') this.#freeze(`another daemon has joined as '${this.#options.host}'`);
    if (loss === 'down' || loss === 'expired') this.#onFallen(loss);
  }

  #onFallen(loss: 'down' | 'expired'): void {
    const reason =
      loss === 'down' ? 'the others have taken this host down' : 'the others have expired this host';
    if (this.#stage === 'running') this.#enter('joining', reason);
    this.#fallen.notify();
  }

  /** The log cannot be followed further: keep everything as it is, say why, and wait for the end. */
  async #halt(error: unknown, signal: CancelSignal): Promise<void> {
    if (signal.aborted) return;
    this.#freeze(reasonOf(error));
    await new Promise<void>((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  #freeze(reason: string, isForGood = true): void {
    if (this.#halted?.isForGood === true) return;
    this.#reconciler.pause(reason);
    this.#halted = { reason, isForGood };
    this.#tell('halted', reason);
  }

  /** What the log's being lost, sealed or found means for the rest of this host. */
  #onNews(news: LogNews): void {
    if (news.type === 'lost') this.#freeze(`${news.reason.message}; ${lostAdvice}`, false);
    if (news.type === 'moving')
      this.#ports.logger.warn('waits for the next log', { reason: news.reason.message });
    if (news.type !== 'found') return;
    this.#appender.logChanged();
    this.#requests.carryOver();
    if (this.#halted?.isForGood !== false) return;
    this.#halted = undefined;
    this.#reconciler.resume();
    this.#fallen.notify();
    this.#tell(this.#stage);
  }

  get #phase(): Phase {
    return this.#halted === undefined ? this.#stage : 'halted';
  }

  get #phaseReason(): string | undefined {
    return this.#halted?.reason ?? this.#stageReason;
  }

  #enter(stage: Exclude<Phase, 'halted'>, reason?: string): void {
    this.#stage = stage;
    this.#stageReason = reason;
    this.#tell(this.#phase, this.#phaseReason);
  }

  #tell(phase: Phase, reason?: string): void {
    const values = { phase, ...(reason === undefined ? {} : { reason }) };
    if (reason === undefined) this.#ports.logger.info('entered a phase', values);
    else this.#ports.logger.error('entered a phase', values);
  }

  /** Waits for the kernel; when it refuses, takes the endpoint back so that nothing half done stays. */
  async #attached(endpoint: Endpoint, context: RequestContext): Promise<void> {
    try {
      await this.#reconciler.settled(this.#desired.keysOf(endpoint.id), context.signal);
    } catch (error) {
      if (context.signal.aborted) throw error;
      throw await this.#takenBack(endpoint, error, context);
    }
  }

  /** Releases an endpoint that could not be attached; the error to tell of it. */
  async #takenBack(endpoint: Endpoint, cause: unknown, context: RequestContext): Promise<WeftError> {
    const what = `Cannot attach '${endpoint.sandbox.ref}': ${reasonOf(cause)}`;
    try {
      await this.#release(endpoint, 'attach-failed', context);
    } catch (error) {
      const id = endpoint.id.slice(0, 12);
      const stays = `the endpoint stays, because it cannot be released (${reasonOf(error)}): remove it with \`weft endpoint rm ${id}\``;
      return new WeftError('attach-failed', `${what}; ${stays}`, { cause });
    }
    return new WeftError('attach-failed', `${what}; nothing was kept`, { cause });
  }

  async #remove(endpoint: Endpoint, context: RequestContext): Promise<Endpoint> {
    await this.#release(endpoint, 'requested', context);
    return endpoint;
  }

  /** Removes an endpoint, and waits until this host's kernel has let go of it. */
  async #release(endpoint: Endpoint, reason: Removal, context: RequestContext): Promise<void> {
    const keys = this.#desired.keysOf(endpoint.id);
    const author = this.#membership.author(this.state);
    await this.#requests.perform(
      author,
      'endpoint-remove',
      await this.#removalBody(endpoint, reason),
      context,
    );
    // Before the next one can be attached to a later sandbox of that name, in which nothing is as it was.
    if (reason === 'sandbox-gone') this.#reconciler.lookAnew(sandboxNamespace(endpoint.sandbox.ref));
    await this.#reconciler.settled(keys, context.signal);
  }

  /**
   * The reference by which a sandbox is known here already, whatever it is called now: the data plane tells namespaces
   * apart by their references, and one under two of them would be two.
   */
  #refOf(ref: string, identity: string): string {
    for (const endpoint of endpointsOfSandbox(this.state, this.#options.host, identity))
      return endpoint.sandbox.ref;
    return ref;
  }

  #removalBody(endpoint: Endpoint, reason: Removal): Promise<BodyOf<'endpoint-remove'>> {
    return removalBodyHere(this.#ports.kernel, this.#options.host, this.state, endpoint, reason);
  }
}

/** What an operator can do about a log that is not in its store any more. */
const lostAdvice =
  'the data plane is kept as it is: bring the right store back, or, where the log is lost, write it back from this ' +
  'host with `weft store reseed`, on the host that is furthest (`weft status`)';

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

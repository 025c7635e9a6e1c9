/**
 * What a front end (API, plugin, embedding program) may ask of a controller. `Controller` implements it.
 *
 * Reads answer at once from the local fold, also with the store unreachable. Changes append a record, wait for its
 * outcome in the local fold and, for attachments, for this host's kernel. All of them reject within
 * `requestDeadlineMs` (5 s) with `store-unreachable` (not carried out) or `outcome-unknown` when the store is lost.
 */
import type { Observable } from 'rxjs';
import type { ArchivistReport } from '../archive/archivist.ts';
import type { DroppingChain } from '../dataplane/dropping-chain.ts';
import type { KernelObject } from '../dataplane/object.ts';
import type { Change } from '../fold/change.ts';
import type { NextLog } from '../fold/course.ts';
import type { Outcome } from '../fold/outcome.ts';
import type { State } from '../fold/state.ts';
import type { LogEntry, Position } from '../log/event-log.ts';
import type { LogRecord } from '../log/record.ts';
import type { InterfaceAddress, Prefix } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { LogId, SnapshotId } from '../model/ids.ts';
import type { Mac } from '../model/mac.ts';
import type { Network } from '../model/network.ts';
import type { Listener } from '../model/published-port.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Sight } from '../presence/presence.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import type { Successor } from '../succession/begin-successor.ts';
import type { Plan } from './planning.ts';

/** How a log is to be written back. */
export interface ReseedRequest {
  /** Also where another host was seen further in the log: what only it knows is given up. */
  readonly force: boolean;
  /** The log that is in the store now, and that nobody needs: it is removed first. */
  readonly discard?: LogId;
}

export interface Control {
  /** The latest fold. Immutable; a later read gives a later one. */
  readonly state: State;
  /** Every record folded from now on, with what it changed. Hot; never skips, however slow the subscriber. */
  readonly steps$: Observable<Step>;
  /** Live networks: at once, and after every change of them. */
  readonly networks$: Observable<readonly Network[]>;
  /** Live endpoints: at once, and after every change of them. */
  readonly endpoints$: Observable<readonly Endpoint[]>;
  /** Every repair of drift, as it is made. */
  readonly drift$: Observable<Repair>;

  status(signal: CancelSignal): Promise<Status>;
  /**
   * Records with their outcomes, oldest first, of those that this host remembers or has in its archive. Where ordinals
   * are left out it has neither.
   */
  history(query: HistoryQuery): Promise<readonly HistoryItem[]>;
  /**
   * Repairs made lately, newest last, objects that cannot be made at present, how the archive is, and, where this host
   * forwards anything, other firewalls that may drop that.
   */
  doctor(): Promise<DoctorReport>;
  /**
   * Where the fold stands and stood, and what the kernel has: what a bundle holds beside the log. Looks at the kernel anew
   * and writes nothing; a kernel that cannot be looked at is told of in `kernel.fault`.
   */
  evidence(signal: CancelSignal): Promise<Evidence>;
  /**
   * Entries as the store has them, a page at a time: those behind `after`, up to and with `until`.
   *
   * @throws WeftError `not-ready` before the log was opened, `store-unreachable` when none comes within `entryPageMs`
   *   (3 s), and what `EventLog.tail` throws
   */
  entries(query: EntryQuery, signal: CancelSignal): Promise<EntryPage>;
  /**
   * What the entries up to a position go on from: the oldest snapshot that can be used and that they follow; undefined
   * where the log has them from its first one. The snapshot was read through, and is what it claims to be.
   *
   * @throws WeftError `not-ready` before the log was opened; `log-trimmed` where no snapshot at or before `until` serves;
   *   `store-unreachable` and what `SnapshotStore` and `EventLog.tail` throw
   */
  logStart(until: LogPlace, signal: CancelSignal): Promise<Manifest | undefined>;
  /**
   * The lines of one chunk of a snapshot, from 0.
   *
   * @throws WeftError `not-ready` before the log was opened; `bad-snapshot` where there is no such chunk, or it is none;
   *   what `SnapshotStore.getChunk` throws
   */
  snapshotLines(id: SnapshotId, chunk: number, signal: CancelSignal): Promise<readonly string[]>;

  /** What this host has seen of the life of another, or of itself. @param host as the fold has it */
  sightOf(host: Host): Sight;

  /**
   * What lies beside the log in the store, and who adds to it next. With the store silent it tells what is known here.
   *
   * @param query.check reads every snapshot through, instead of its manifest alone
   */
  storeStatus(query: { readonly check: boolean }, signal: CancelSignal): Promise<StoreStatus>;
  /**
   * Makes a snapshot of where the fold stands, reads it back, trims the log behind the older of two, and drops those
   * before. One at a time: another call waits, and shares the one before where that stands at the same record.
   *
   * @throws WeftError `not-ready` while this host has no part in keeping the log; `bad-snapshot`; what the store fails with
   */
  makeSnapshot(signal: CancelSignal): Promise<Manifest>;

  /**
   * Writes the log that was lost back into its store, from this host's replica: a new log there that succeeds it. Resolves
   * once it has begun, by this host or by another one that stood at the same record; all hosts go on in it by themselves.
   *
   * @throws WeftError `log-exists` where the store has the log that this host follows, or one that does not go on from
   *   where this host stands, and it is not to be discarded, or this host can follow it; `host-behind` where another host was seen further in the log, unless forced; `not-ready`
   *   while this host knows of no log; what the store fails with
   */
  reseed(request: ReseedRequest, context: RequestContext): Promise<Successor>;
  /**
   * Moves the cluster to another store, which must be empty: begins a log there and seals the present one. Resolves once
   * the seal is folded; all hosts go on in the other log by themselves.
   *
   * @param url without credentials
   * @throws WeftError `bad-store-url`, `log-exists`, `log-moved` where somebody else moves it already, and what either store fails with
   */
  moveLog(url: string, context: RequestContext): Promise<NextLog>;

  /**
   * Holds the state as it is now for an export, which needs no store. One at a time: it ends the one before.
   *
   * @throws WeftError `not-ready` while this host knows of no log, or nothing of it
   */
  beginExport(): ExportHead;
  /**
   * The lines of the state that is held, a page at a time: from page 0 on, each in its turn, the last one once more where
   * its answer was lost.
   *
   * @throws WeftError `not-found`
   */
  exportPage(ref: string, page: number): ExportPage;

  /**
   * Finds a network by full id, exact name, or unambiguous id prefix, in this order. What is not in the local fold is
   * looked for again after catching up with the store, so that "no such network" is true cluster-wide.
   *
   * @throws WeftError `no-such-network`, `ambiguous`, `not-ready` before the log was opened
   */
  findNetwork(ref: string, signal: CancelSignal): Promise<Network>;
  /**
   * Finds an endpoint by full id, `NETWORK/NAME`, name, or unambiguous id prefix, in this order.
   *
   * @throws WeftError `no-such-endpoint`, `ambiguous`, `not-ready` before the log was opened
   */
  findEndpoint(ref: string, signal: CancelSignal): Promise<Endpoint>;

  /**
   * What a change would do, if its record were the next: what the fold would say, and what would be done to the kernel of
   * each host. Nothing is appended and nothing written.
   *
   * @throws WeftError what the change itself would be refused with, as far as the fold decides it
   */
  plan(request: PlanRequest, context: RequestContext): Promise<Plan>;

  createNetwork(request: NetworkRequest, context: RequestContext): Promise<Network>;
  /** What of a network that is asked for this host has other routes to. It is created all the same; people should know. */
  routeOverlaps(request: NetworkRequest): Promise<readonly RouteOverlap[]>;
  /** @throws WeftError `no-such-network`, `ambiguous`, `network-in-use` */
  removeNetwork(ref: string, context: RequestContext): Promise<Network>;
  /**
   * Attaches a sandbox of this host. Resolves when the interface is up with its addresses. When the kernel refuses, the
   * endpoint is removed again and `attach-failed` says why.
   */
  connect(networkRef: string, request: EndpointRequest, context: RequestContext): Promise<Endpoint>;
  /**
   * Detaches: `ref` is a sandbox of this host, or an endpoint of the network wherever it is. Resolves when this host's
   * kernel no longer has it.
   *
   * @throws WeftError `no-such-network`, `no-such-endpoint`, `ambiguous`
   */
  disconnect(networkRef: string, ref: string, context: RequestContext): Promise<Endpoint>;
  /** Removes an endpoint of any host. */
  removeEndpoint(ref: string, context: RequestContext): Promise<Endpoint>;
  /** Removes a host and releases its endpoints. @throws WeftError `no-such-host` */
  removeHost(name: string, context: RequestContext): Promise<Host>;
}

export interface RequestContext {
  /** Who asked, for the record's provenance, e.g. `uid:0`. At most 128 characters. */
  readonly by: string;
  /** Gives up waiting; a record that was appended stays. */
  readonly signal: CancelSignal;
}

/** As the user wrote it: the fold judges the texts. */
export interface NetworkRequest {
  readonly name: string;
  readonly driver: string;
  readonly subnets: readonly SubnetRequest[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly space: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SubnetRequest {
  readonly prefix: string;
  readonly gateway?: string;
  readonly range?: string;
  /** Auxiliary addresses by name. */
  readonly aux: Readonly<Record<string, string>>;
}

/** A subnet that is asked for, and what this host has a route to that overlaps it. */
export interface RouteOverlap {
  readonly subnet: Prefix;
  readonly route: Prefix;
}

/** A change by the name of its method, with what it is given. */
export type PlanRequest =
  | { readonly change: 'createNetwork'; readonly body: NetworkRequest }
  | { readonly change: 'removeNetwork'; readonly ref: string }
  | { readonly change: 'connect'; readonly ref: string; readonly body: EndpointRequest }
  | { readonly change: 'disconnect'; readonly ref: string; readonly body: { readonly ref: string } }
  | { readonly change: 'removeEndpoint'; readonly ref: string }
  | { readonly change: 'removeHost'; readonly ref: string };

export interface EndpointRequest {
  readonly sandbox: string;
  readonly name?: string;
  readonly aliases: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly mac?: string;
  readonly ifname?: string;
  readonly gatewayPriority?: number;
  /** What is published: `[IP:][HOST[-END]:]PORT[-END][/tcp|udp|sctp]` each. */
  readonly ports?: readonly string[];
  /** At most one of each family. */
  readonly linkLocal?: readonly string[];
  /** `DESTINATION[,GATEWAY]` each. */
  readonly routes?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

/** One record folded. */
export interface Step {
  readonly position: Position;
  readonly outcome: Outcome;
  /** Absent where the bytes were no record. */
  readonly record?: LogRecord;
  readonly changes: readonly Change[];
  /** The state after it. */
  readonly state: State;
}

/** Where the fold stood after an ordinal. */
export interface Checkpoint {
  readonly ordinal: number;
  readonly recordHash: string;
  readonly stateHash: string;
}

/** Hashes and position are of one moment: that at which the look at the kernel began. */
export interface Evidence extends Checkpoint {
  readonly position: Position;
  /** Earlier ones, oldest first, evenly along the log. */
  readonly checkpoints: readonly Checkpoint[];
  readonly kernel: KernelEvidence;
}

export interface KernelEvidence {
  /** Everything of weft's, by key; in no namespace twice. */
  readonly objects: readonly KernelObject[];
  /** Neither the fold nor the data plane moved while it was looked at, and nothing was pending. */
  readonly steady: boolean;
  /** Why some of it is missing, where it is. */
  readonly fault?: string;
}

export interface EntryQuery {
  readonly after: Position;
  readonly until: Position;
}

export interface EntryPage {
  readonly entries: readonly LogEntry[];
  /** `until` was reached. */
  readonly end: boolean;
}

/** An entry, and the last record in it. */
export interface LogPlace {
  readonly position: Position;
  readonly ordinal: number;
}

/** What an export stands at, and how its pages are asked for. */
export interface ExportHead extends Checkpoint {
  readonly ref: string;
  readonly logId: LogId;
  readonly position: Position;
}

export interface ExportPage {
  readonly lines: readonly string[];
  /** There is no other page behind it. */
  readonly end: boolean;
}

export interface StoreStatus {
  readonly store: Status['store'];
  readonly ordinal: number;
  /** As in `Status`. */
  readonly caughtUp?: boolean;
  readonly caughtUpAgoMs?: number;
  /** Newest first; absent where the store did not say. */
  readonly snapshots?: readonly SnapshotStatus[];
  /** Why they are absent. */
  readonly snapshotsReason?: string;
  /** Snapshots that are being written, or whose author died over them. */
  readonly unfinished?: number;
  /** Of the newest one that can be used, as far as this host knows; 0 where it knows of none. */
  readonly newest: number;
  /** Whose turn the next one is, and from which ordinal on; absent while there is no host. */
  readonly next?: { readonly host: string; readonly ordinal: number };
  /** From which ordinal on it is this host's turn. */
  readonly ownTurn: number;
}

export interface SnapshotStatus {
  readonly id: SnapshotId;
  readonly ordinal: number;
  /** Records behind it, up to this host's fold; negative where it is ahead. */
  readonly records: number;
  /** Entries behind it, up to this host's fold, where that is not too many to be remembered. */
  readonly entries?: number;
  /** Who made it, when (milliseconds since 1970 UTC), and how large it is; absent where its manifest cannot be read. */
  readonly host?: string;
  readonly at?: number;
  readonly chunks?: number;
  readonly bytes?: number;
  /** Why it cannot be used; absent where it can be, as far as was looked. */
  readonly fault?: string;
}

export interface HistoryQuery {
  /** Only ordinals above it. */
  readonly after?: number;
  /** So many at most: the newest, or with `from: 'oldest'` the oldest, which is how one turns pages. */
  readonly limit: number;
  readonly from?: 'oldest' | 'newest';
}

export interface HistoryItem {
  readonly outcome: Outcome;
  readonly record?: LogRecord;
  /** What the endpoint had, or was given, that an accepted record made or removed. */
  readonly attached?: { readonly addresses: readonly InterfaceAddress[]; readonly mac?: Mac };
}

/**
 * Where a controller is in its life: connecting to its store; reading the log; announcing itself; at work; stopped
 * before a record of a newer version; no longer a member.
 */
export type Phase = 'opening' | 'catching-up' | 'joining' | 'running' | 'halted' | 'removed';

export interface Status {
  readonly host: string;
  readonly address: string;
  readonly version: string;
  readonly phase: Phase;
  /** One line on why it is in this phase, where that needs saying. */
  readonly phaseReason?: string;
  readonly epoch?: number;
  readonly store: {
    readonly url: string;
    readonly logId?: LogId;
    /** The store in this host's configuration, where the cluster has moved to another one: it is to be changed. */
    readonly configuredUrl?: string;
    readonly reachable: boolean;
    readonly reason?: string;
    /** Of the newest snapshot of the log that this host has heard of; absent where it has heard of none. */
    readonly snapshotOrdinal?: number;
  };
  readonly ordinal: number;
  readonly position: Position;
  /** Whether the fold is at the end of the log; absent when the store did not say in time. */
  readonly caughtUp?: boolean;
  /** Milliseconds since the fold was last known to be at the end of the log; absent before that. */
  readonly caughtUpAgoMs?: number;
  readonly recordHash: string;
  readonly stateHash: string;
  readonly hosts: number;
  /** Names of those that are down. */
  readonly hostsDown: readonly string[];
  readonly networks: number;
  readonly endpoints: number;
  readonly dataplane: {
    /** Kernel objects that should be there on this host. */
    readonly desired: number;
    /** Objects that should be there and are not, or are otherwise, at this moment. */
    readonly pending: number;
    /** Kernel operations carried out since the daemon started. A restart that finds all in order makes none. */
    readonly writes: number;
    /** Repairs of drift since the daemon started. */
    readonly repairs: number;
    /** Milliseconds since the last complete audit; absent before the first. */
    readonly auditedAgoMs?: number;
  };
}

/** One difference between the kernel and the fold that was not caused by a change of the fold. */
export interface Repair {
  /** Wall clock, milliseconds since 1970 UTC. */
  readonly at: number;
  readonly object: KernelObject;
  /** What was found: gone, not as it should be, or there without being wanted. */
  readonly found: 'missing' | 'altered' | 'stray';
  /** The object as found, for `altered`. */
  readonly actual?: KernelObject;
  /** Text form in the words of `ip` and `bridge`. */
  readonly text: string;
  /** How it was noticed. */
  readonly noticed: 'event' | 'audit';
}

export interface DoctorReport {
  readonly repairs: readonly Repair[];
  readonly failing: readonly FailingObject[];
  readonly archive: ArchivistReport;
  /** Chains of others through which whatever is forwarded must pass too. */
  readonly droppingChains: readonly DroppingChain[];
  /** Why those could not be read, where they could not. */
  readonly firewallsFault?: string;
  /** Sockets of this host that get nothing, or not all, of what comes to their ports, because those are published. */
  readonly shadowed: readonly ShadowedListener[];
  /** Why those could not be looked for, where they could not. */
  readonly listenersFault?: string;
}

export interface ShadowedListener {
  readonly listener: Listener;
  /** Who publishes the port. */
  readonly endpoint: Endpoint;
}

export interface FailingObject {
  readonly object: KernelObject;
  readonly text: string;
  readonly reason: string;
  readonly attempts: number;
}

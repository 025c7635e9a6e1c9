/**
 * One watch stream between a process and a member: messages arrive in order, each a while after it was sent, and not at
 * all while either side is silent. What the member serves wrong in here was once etcd's own fault.
 */
import type { IKeyValue, IWatchCreateRequest, IWatchRequest, IWatchResponse } from 'etcd3';
import type { RpcError, WatchDuplex } from '../../../../adapters/etcd/channel.ts';
import type { Process } from '../../world/process.ts';
import type { World } from '../../world/world.ts';
import type { Link } from '../link.ts';
import { type EtcdCluster, type EtcdMember, grpc, type Served } from './cluster.ts';
import { textOf, toKv, type Version } from './keyspace.ts';

interface Watching {
  readonly id: string;
  readonly key: string;
  readonly end: string | undefined;
  readonly isFragmentable: boolean;
  next: number;
}

/** Versions of one message: etcd sends up to 1,000 revisions to a watch that is behind. */
const versionsMax = 1_000;
/** What one message may weigh where the life has small ones; others are never cut. */
const smallMessageBytes = 1_200;
const retryMs = 250;

export class WatchSession implements WatchDuplex, Served {
  readonly #world: World;
  readonly #cluster: EtcdCluster;
  readonly #member: EtcdMember;
  readonly #link: Link;
  readonly #process: Process;
  readonly #watches: Watching[] = [];
  readonly #onData: ((message: IWatchResponse) => void)[] = [];
  readonly #onError: ((error: RpcError) => void)[] = [];
  readonly #stopListening: () => void;
  /** Answers that wait to be sent, before any events. */
  readonly #owed: (() => IWatchResponse)[] = [];
  /** What was sent last, for servers that repeat themselves. */
  #lastSent: readonly Version[] = [];
  #isPumping = false;
  #isOver = false;
  #lastArrivalMs = 0;

  constructor(parts: {
    world: World;
    cluster: EtcdCluster;
    member: EtcdMember;
    link: Link;
    process: Process;
  }) {
    this.#world = parts.world;
    this.#cluster = parts.cluster;
    this.#member = parts.member;
    this.#link = parts.link;
    this.#process = parts.process;
    this.#member.streams.add(this);
    this.#stopListening = this.#link.onReset(() => this.break(grpc.unavailable, 'read ECONNRESET'));
  }

  on(event: string, listener: (value: never) => void): void {
    if (event === 'data') this.#onData.push(listener as (message: IWatchResponse) => void);
    if (event === 'error') this.#onError.push(listener as (error: RpcError) => void);
  }

  write(request: IWatchRequest): void {
    this.#world.scheduler.after(this.#link.delayMs(), undefined, () => {
      if (this.#isOver) return;
      if (request.create_request !== undefined) this.#create(request.create_request);
      // A member that lags behind answers with its old revision.
      else this.#owed.push(() => this.#message({ watch_id: '-1' }));
      this.poke();
    });
  }

  cancel(): void {
    this.#isOver = true;
    this.#member.streams.delete(this);
    this.#stopListening();
  }

  poke(): void {
    if (this.#isPumping || this.#isOver) return;
    this.#isPumping = true;
    this.#world.scheduler.after(this.#link.delayMs(), undefined, () => this.#pump());
  }

  compacted(revision: number): void {
    // A watch that has all that it watches is not touched.
    if (!this.#isPumping && this.#member.lagsAt === undefined) {
      for (const watch of this.#watches) watch.next = Math.max(watch.next, revision + 1);
    }
    this.poke();
  }

  break(code: number, details: string): void {
    if (this.#isOver) return;
    const error: RpcError = Object.assign(new Error(details), { code, details });
    this.cancel();
    this.#world.scheduler.after(this.#link.delayMs(), this.#process, () => {
      for (const listener of this.#onError) listener(error);
    });
  }

  #create(request: IWatchCreateRequest): void {
    const from = Number(request.start_revision ?? 0);
    const watch: Watching = {
      id: `${request.watch_id}`,
      key: textOf(request.key),
      end: request.range_end === undefined ? undefined : textOf(request.range_end),
      isFragmentable: request.fragment === true,
      next: from > 0 ? from : this.#cluster.keyspace.revision + 1,
    };
    this.#watches.push(watch);
    this.#owed.push(() => this.#message({ watch_id: watch.id, created: true }));
  }

  #pump(): void {
    this.#isPumping = false;
    if (this.#isOver) return;
    if (this.#process.dead) return this.cancel();
    if (this.#cluster.outage === 'refusing') return this.break(grpc.unavailable, 'connect ECONNREFUSED');
    if (
      this.#cluster.outage === 'silent' ||
      this.#link.silent ||
      this.#member.frozenUntilMs > this.#world.nowMs
    ) {
      this.#isPumping = true;
      this.#world.scheduler.after(retryMs, undefined, () => this.#pump());
      return;
    }
    for (const owed of this.#owed.splice(0)) this.#send(owed());
    for (const watch of [...this.#watches]) this.#serve(watch);
  }

  #serve(watch: Watching): void {
    if (watch.next <= this.#cluster.compacted) {
      this.#watches.splice(this.#watches.indexOf(watch), 1);
      this.#cluster.traps.met('watch cancelled by a compaction');
      // No reason is given (etcd leaves it empty here).
      const compact_revision = `${this.#cluster.compacted}`;
      return this.#send(this.#message({ watch_id: watch.id, canceled: true, compact_revision }));
    }
    const known = this.#cluster.revisionOf(this.#member);
    const versions = this.#cluster.keyspace.since(watch.next, versionsMax).filter(({ mod }) => mod <= known);
    watch.next = Math.max(watch.next, (versions.at(-1)?.mod ?? 0) + 1);
    // The adapter filters deletions out (`Nodelete`).
    const seen = versions.filter(({ key, isTombstone }) => isWithin(watch, key) && isTombstone !== true);
    if (seen.length > 0) this.#sendEvents(watch, this.#asServed(seen));
    if (versions.length >= versionsMax) this.poke();
  }

  /** The faults of servers before 3.4.38. */
  #asServed(versions: readonly Version[]): readonly Version[] {
    const { traps } = this.#cluster;
    const before = this.#lastSent;
    this.#lastSent = versions;
    if (traps.springs('lost-event', 0.1)) {
      const lost = versions.at(-1)?.mod;
      return versions.filter(({ mod }) => mod !== lost);
    }
    if (before.length > 0 && traps.springs('duplicate-event', 0.2)) return [...before, ...versions];
    return versions;
  }

  #sendEvents(watch: Watching, versions: readonly Version[]): void {
    if (versions.length === 0) return;
    const kvs = versions.map((version) => toKv(version));
    const weight = kvs.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
    const isSmall = this.#cluster.traps.has('small-messages');
    if (!isSmall || weight <= smallMessageBytes) return this.#send(this.#eventsOf(watch, kvs, false));
    this.#cluster.traps.met('small-messages');
    if (!watch.isFragmentable) {
      return this.break(
        grpc.exhausted,
        `Received message larger than max (${weight} vs ${smallMessageBytes})`,
      );
    }
    this.#cluster.traps.met('message in fragments');
    kvs.forEach((kv, index) => {
      this.#send(this.#eventsOf(watch, [kv], index < kvs.length - 1));
    });
  }

  #eventsOf(watch: Watching, kvs: readonly IKeyValue[], fragment: boolean): IWatchResponse {
    const events = kvs.map((kv) => ({ type: 'Put', kv })) as IWatchResponse['events'];
    return this.#message({ watch_id: watch.id, events, fragment });
  }

  #message(parts: Partial<IWatchResponse>): IWatchResponse {
    const revision = `${this.#cluster.revisionOf(this.#member)}`;
    return {
      header: { cluster_id: this.#cluster.clusterId, member_id: '1', revision, raft_term: '1' },
      watch_id: '0',
      created: false,
      canceled: false,
      compact_revision: '0',
      cancel_reason: '',
      fragment: false,
      events: [],
      ...parts,
    };
  }

  /** A connection keeps the order of what is sent on it. */
  #send(message: IWatchResponse): void {
    const { scheduler } = this.#world;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, scheduler.nowMs + this.#link.delayMs());
    scheduler.after(this.#lastArrivalMs - scheduler.nowMs, this.#process, () => {
      for (const listener of this.#onData) listener(message);
    });
  }
}

function isWithin({ key, end }: Watching, candidate: string): boolean {
  return end === undefined ? candidate === key : candidate >= key && candidate < end;
}

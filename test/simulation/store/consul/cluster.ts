/**
 * Three servers of Consul, as far as a client can tell them apart: one keyspace that they agree on; any of them may be
 * frozen, or take itself for the leader for a while when it is none; and all of them may lose their leader.
 *
 * Sources of the traps: what was measured on 1.8.7, Consul's documents on consistency modes and blocking queries, and
 * `blockingQuery` in `agent/consul/rpc.go`.
 */
import type { KvOperation, Response } from '../../../../adapters/consul/channel.ts';
import { type LogKeys, parseLogId, placeKeys } from '../../../../adapters/consul/keys.ts';
import { openSegmentOf, toPosition } from '../../../../adapters/consul/transactions.ts';
import type { LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId, LogId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Outage } from '../style.ts';
import { Traps } from '../traps.ts';
import type { Delivery } from '../wire.ts';
import { refusals, shownKeys, shownList, shownTxn, status } from './answers.ts';
import { isWrite, Keyspace, type Listing } from './keyspace.ts';

export type Request =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'names'; readonly folder: string }
  | { readonly type: 'txn'; readonly operations: readonly KvOperation[] }
  | {
      readonly type: 'list';
      readonly folder: string;
      /** Linearizable: only by the leader, who knows that it is. */
      readonly consistent?: true;
      readonly index?: number;
      readonly waitMs?: number;
    };

/** A query that waits at a server. */
interface Waiting {
  readonly server: ConsulServer;
  readonly folder: string;
  readonly index: number;
  reply(listing: Listing): void;
  drop(): void;
}

/** `limits.txn_max_req_len`, and the operations that 1.8 takes in one transaction. */
const bodyBytesMax = 512 * 1024;
const operationsMax = 64;
/** What a lost leader left behind may be carried out until then. */
const leftoverMsMax = 6_000;
const carriedOut = 'append answered with an error was carried out';
const leaderlessMsMax = 4_000;
const frozenMsMax = 8_000;
const staleMsMax = 4_000;

export class ConsulServer {
  readonly address: string;
  frozenUntilMs = 0;
  /** Set while it answers as the leader that it no longer is: the index that it knows. */
  staleAt: number | undefined;

  constructor(address: string) {
    this.address = address;
  }
}

export class ConsulCluster {
  outage: Outage | undefined;
  readonly keyspace: Keyspace = new Keyspace();
  readonly servers: readonly ConsulServer[] = ['s1', 's2', 's3'].map((name) => new ConsulServer(name));
  readonly traps: Traps<'consul'>;
  /** Indexes of the log's entries, in order. */
  entries: number[] = [];
  #leaderlessUntilMs = 0;
  readonly #waiting = new Set<Waiting>();
  readonly #world: World;
  readonly #place = placeKeys('/weft');
  readonly #onEntry: (entry: LogEntry) => void;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#onEntry = onEntry;
    this.traps = new Traps(world, 'consul');
  }

  begin(): void {
    const { traps } = this;
    traps.repeat('foreign-keys', 100, () => this.#writeForeign());
    traps.repeat('tombstones-reaped', 30, () => this.#bury());
    traps.repeat('wake-for-nothing', 40, () => this.#wakeForNothing());
    traps.repeat('frozen-server', 12, () => {
      this.#anyServer().frozenUntilMs = this.#world.nowMs + traps.chance.unit() * frozenMsMax;
      return true;
    });
    traps.repeat('stale-leader', 20, () => this.#depose(this.#anyServer()));
    traps.repeat('leader-change', 12, () => this.#loseLeader());
  }

  heal(): void {
    this.#leaderlessUntilMs = 0;
    for (const server of this.servers) {
      server.frozenUntilMs = 0;
      this.#learn(server);
    }
  }

  handle(server: ConsulServer, request: Request, delivery: Delivery<Response>): void {
    const { nowMs } = this.#world;
    if (server.frozenUntilMs > nowMs) {
      return this.#later(server.frozenUntilMs - nowMs, () => this.handle(server, request, delivery));
    }
    const isStale =
      request.type === 'list' &&
      request.consistent !== true &&
      (server.staleAt !== undefined || delivery.fate !== undefined);
    if (this.#leaderlessUntilMs <= nowMs || isStale) return this.#perform(server, request, delivery);
    const waitMs = this.#leaderlessUntilMs - nowMs;
    // Held until there is a leader (`rpc_hold_timeout`), whether or not anybody still waits for it.
    if (this.traps.chance.happens(0.4)) {
      return this.#later(waitMs, () => this.#perform(server, request, delivery));
    }
    if (this.traps.chance.happens(0.5)) return delivery.reply(status(500, 'No cluster leader'));
    delivery.reply(status(500, 'leadership lost while committing log'));
    if (request.type !== 'txn' || this.traps.chance.happens(0.6)) return;
    this.#leaveBehind(waitMs, server, request, delivery);
  }

  /** An entry where no weft put it. */
  scribble(id: EntryId, bytes: Uint8Array): boolean {
    const keys = this.#logKeys();
    if (keys === undefined) return false;
    const scope = { keys, logId: '' as LogId, url: '' };
    const { value, modify } = this.keyspace.get(keys.open) ?? { value: Buffer.alloc(0), modify: 0 };
    const stored = {
      key: keys.open,
      value: value ?? Buffer.alloc(0),
      createIndex: modify,
      modifyIndex: modify,
    };
    const { segment } = openSegmentOf(scope, stored);
    const set = (Key: string, Value: Uint8Array | string): KvOperation => ({
      Verb: 'set',
      Key,
      Value: Buffer.from(Value).toString('base64'),
    });
    this.#write([
      set(keys.id({ id, base: 0 }), `${segment}`),
      set(keys.entry(segment, id), bytes),
      set(keys.head, `${segment} ${id}`),
    ]);
    return true;
  }

  /** Other servers, or somebody deletes all keys. */
  wipe(): void {
    this.entries = [];
    if (this.traps.chance.happens(0.5)) return this.#replace(() => this.keyspace.clear());
    this.keyspace.delete([...this.keyspace.names()]);
    this.#wake(() => true);
  }

  restore(length: number): void {
    const index = this.entries[length - 1];
    if (index === undefined) throw new Error('Broken invariant: a backup has entries');
    this.entries.length = length;
    // Queries that wait are answered with what they found when they last looked, before the restore.
    for (const query of [...this.#waiting]) this.#answer(query, this.#look(query));
    this.keyspace.restore(index);
    for (const server of this.servers) server.staleAt = undefined;
  }

  #replace(act: () => void): void {
    act();
    for (const server of this.servers) server.staleAt = undefined;
    for (const query of [...this.#waiting]) {
      this.#waiting.delete(query);
      query.drop();
    }
  }

  #perform(server: ConsulServer, request: Request, delivery: Delivery<Response>): void {
    switch (request.type) {
      case 'get': {
        const found = this.keyspace.get(request.key);
        return delivery.reply(
          shownList({ found: found === undefined ? [] : [found], index: this.keyspace.index }),
        );
      }
      case 'names':
        return delivery.reply(shownKeys(this.keyspace.list(request.folder), request.folder));
      case 'list':
        return this.#list(server, request, delivery);
      case 'txn':
        return this.#txn(server, request, delivery);
    }
  }

  #list(server: ConsulServer, request: Request & { type: 'list' }, delivery: Delivery<Response>): void {
    const { folder, consistent, index, waitMs = 0 } = request;
    if (consistent === true) return delivery.reply(shownList(this.keyspace.list(folder)));
    if (delivery.fate === 'stale-read') {
      const asOf = Math.max(1, this.keyspace.index - this.traps.chance.below(40));
      return delivery.reply(shownList(this.keyspace.list(folder, asOf), false));
    }
    const listing = this.keyspace.list(folder, server.staleAt);
    if (index === undefined || listing.index > index) return delivery.reply(shownList(listing));
    if (listing.index < index) this.traps.met('query of a future index');
    const jitterMs = this.traps.chance.unit() * (waitMs / 16);
    const query: Waiting = {
      server,
      folder,
      index,
      reply: (shown) => {
        timer.cancelled = true;
        delivery.reply(shownList(shown));
      },
      drop: () => {
        timer.cancelled = true;
      },
    };
    const timer = this.#world.scheduler.after(waitMs + jitterMs, undefined, () =>
      this.#answer(query, this.#look(query)),
    );
    this.#waiting.add(query);
  }

  #txn(server: ConsulServer, request: Request & { type: 'txn' }, delivery: Delivery<Response>): void {
    const { operations } = request;
    if (operations.length > operationsMax)
      return delivery.reply(status(413, 'Transaction contains too many operations'));
    if (JSON.stringify(operations).length > bodyBytesMax)
      return delivery.reply(status(413, 'Request body too large'));
    const writes = isWrite(operations);
    if (writes && !delivery.isLate && this.traps.springs('unknown-outcome', 0.15)) {
      delivery.reply(
        status(500, this.traps.chance.pick(['rpc error making call: EOF', 'raft apply timed out'])),
      );
      const fate = this.traps.chance.pick(['never', 'now', 'later'] as const);
      if (fate === 'later') this.#leaveBehind(0, server, request, delivery);
      if (fate === 'now' && this.#write(operations).type === 'done' && isAppend(operations))
        this.traps.met(carriedOut);
      return;
    }
    const { index } = this.keyspace;
    const result = writes ? this.#write(operations) : this.keyspace.txn(operations);
    if (!writes && operations.some(({ Key }) => /\/segments\/\d+\/$/.test(Key)))
      this.traps.met('list asked for again');
    if (result.type === 'done') return delivery.reply(shownTxn(result, index));
    if (!isAppend(operations)) return delivery.reply(refusals(result.refusals));
    if (delivery.isLate) this.traps.met('late append finds its retry');
    else if (result.refusals.some(({ OpIndex }) => OpIndex === 0)) this.traps.met('segment ended meanwhile');
    delivery.reply(refusals(result.refusals));
  }

  #leaveBehind(
    afterMs: number,
    server: ConsulServer,
    request: Request & { type: 'txn' },
    delivery: Delivery<Response>,
  ): void {
    const mute = { ...delivery, isLate: true, reply: () => undefined };
    this.#later(afterMs + this.traps.chance.unit() * leftoverMsMax, () => {
      const before = this.entries.length;
      this.#perform(server, request, mute);
      if (this.entries.length > before) this.traps.met(carriedOut);
    });
  }

  #write(operations: readonly KvOperation[]): ReturnType<Keyspace['txn']> {
    const result = this.keyspace.txn(operations);
    if (result.type === 'done') this.#written();
    return result;
  }

  #written(): void {
    const { index } = this.keyspace;
    const versions = this.keyspace.since(index);
    for (const { key, value, create, modify } of versions) {
      if (value === undefined) continue;
      const [, digits, id] = /\/segments\/(\d+)\/([0-9a-f]{32})$/.exec(key) ?? [];
      if (id === undefined || create !== modify) {
        if (key.endsWith('/end')) this.traps.met('segment ended');
        continue;
      }
      const entryId = id as EntryId;
      this.entries.push(index);
      const position = toPosition({ index, segment: Number(digits), id });
      this.#onEntry({ position, id: entryId, bytes: Buffer.from(value) });
    }
    this.#wake((folder) => versions.some(({ key }) => key.startsWith(folder)));
  }

  /** Looks again for the queries that a write concerns. */
  #wake(concerns: (folder: string) => boolean): void {
    for (const query of [...this.#waiting]) {
      if (query.server.staleAt !== undefined) continue;
      if (!concerns(query.folder)) continue;
      const listing = this.#look(query);
      if (listing.index > query.index) this.#answer(query, listing);
    }
  }

  #look({ server, folder }: Waiting): Listing {
    return this.keyspace.list(folder, server.staleAt);
  }

  #answer(query: Waiting, listing: Listing): void {
    const { nowMs } = this.#world;
    if (query.server.frozenUntilMs > nowMs) {
      return this.#later(query.server.frozenUntilMs - nowMs, () => this.#answer(query, listing));
    }
    if (!this.#waiting.delete(query)) return;
    if (listing.index < query.index) this.traps.met('index went down');
    if (this.outage === undefined) query.reply(listing);
    else query.drop();
  }

  #logKeys(): LogKeys | undefined {
    const logId = parseLogId(this.keyspace.get(this.#place.identity)?.value ?? Buffer.alloc(0));
    return logId === undefined ? undefined : this.#place.of(logId);
  }

  /** The folder that tails wait at. */
  #openFolder(): string | undefined {
    const keys = this.#logKeys();
    const open = this.keyspace.get(keys?.open ?? '')?.value?.toString();
    return keys === undefined || open === undefined ? undefined : keys.segment(Number(open)).folder;
  }

  /** Others use the same servers, and somebody may even put a key among ours. */
  #writeForeign(): boolean {
    const folder = this.#openFolder();
    const key = this.traps.chance.happens(0.5) || folder === undefined ? 'other/tenant' : `${folder}notes`;
    this.keyspace.put(key, Buffer.from('foreign'));
    this.#written();
    return true;
  }

  /** A key among ours is made and deleted, and its tombstone is reaped: the index of the folder goes up and down again. */
  #bury(): boolean {
    const folder = this.#openFolder();
    if (folder === undefined) return false;
    const key = `${folder}passing`;
    this.keyspace.put(key, Buffer.from('foreign'));
    this.keyspace.delete([key]);
    this.#written();
    this.#later(this.traps.chance.unit() * 2_000, () => void this.keyspace.reap());
    return true;
  }

  #wakeForNothing(): boolean {
    const [...queries] = this.#waiting;
    if (queries.length === 0) return false;
    const query = this.traps.chance.pick(queries);
    this.#answer(query, this.#look(query));
    return true;
  }

  #depose(server: ConsulServer): boolean {
    if (server.staleAt !== undefined) return false;
    server.staleAt = this.keyspace.index;
    this.#later(this.traps.chance.unit() * staleMsMax, () => this.#learn(server));
    return true;
  }

  #learn(server: ConsulServer): void {
    server.staleAt = undefined;
    this.#wake(() => true);
  }

  #loseLeader(): boolean {
    this.#leaderlessUntilMs = this.#world.nowMs + 500 + this.traps.chance.unit() * leaderlessMsMax;
    const old = this.#anyServer();
    if (this.traps.chance.happens(0.5)) this.#depose(old);
    return true;
  }

  #anyServer(): ConsulServer {
    return this.traps.chance.pick(this.servers);
  }

  #later(ms: number, act: () => void): void {
    this.#world.scheduler.after(ms, undefined, act);
  }
}

/** Its first operation asks whether the segment is still open. */
function isAppend([first]: readonly KvOperation[]): boolean {
  return first?.Key.endsWith('/open') === true;
}

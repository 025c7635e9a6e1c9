/**
 * Three servers of ZooKeeper, as far as a client can tell them apart: each makes the changes that the leader has decided on,
 * in its order, but may be behind; it answers reads from what it has, and a transaction once it has come so far. Watches
 * are those of one server, tell once, and go off as it makes a change.
 *
 * Sources of the traps: what was measured on 3.8.0, and ZooKeeper's programmers' guide on watches and on consistency.
 */
import type { MultiOp, MultiOutcome } from '../../../../adapters/zookeeper/channel.ts';
import { zkCode } from '../../../../adapters/zookeeper/errors.ts';
import {
  formatEntry,
  formatSegment,
  type LogPaths,
  logKeys,
  parseEntry,
  parseLogId,
  parseSegment,
} from '../../../../adapters/zookeeper/keys.ts';
import { toPosition } from '../../../../adapters/zookeeper/transactions.ts';
import type { LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Outage } from '../style.ts';
import { Traps } from '../traps.ts';
import { type Change, type Decision, type Transaction, Tree } from './tree.ts';

/** A client's connection as its server has it. */
export interface Served {
  notify(path: string): void;
  /** The server ends it. */
  cut(why: string): void;
}

const frozenMsMax = 8_000;
const lagMsMax = 8_000;
const leaderlessMsMax = 2_500;
/** An append that a lost leader left behind may be carried out until then. */
const leftoverMsMax = 6_000;

export class ZookeeperServer {
  readonly address: string;
  frozenUntilMs = 0;
  isBehind = false;
  tree: Tree = new Tree();
  /** Transactions that it has made. */
  applied = 0;
  readonly clients = new Set<Served>();
  readonly #watches = new Map<string, Set<Served>>();

  constructor(address: string) {
    this.address = address;
  }

  /** Tells that client once of the next change of that node. */
  watch(path: string, client: Served): void {
    const watching = this.#watches.get(path) ?? new Set();
    this.#watches.set(path, watching.add(client));
  }

  apply(transaction: Transaction): void {
    this.tree.apply(transaction);
    this.applied += 1;
    for (const { path } of transaction.changes) {
      const watching = this.#watches.get(path);
      this.#watches.delete(path);
      for (const client of watching ?? []) client.notify(path);
    }
  }

  cutAll(why: string): boolean {
    const clients = [...this.clients];
    for (const client of clients) client.cut(why);
    this.#watches.clear();
    return clients.length > 0;
  }
}

export class Ensemble {
  readonly servers: readonly ZookeeperServer[] = ['z1', 'z2', 'z3'].map((name) => new ZookeeperServer(name));
  readonly traps: Traps<'zookeeper'>;
  /** Zxids of the log's entries, in order. */
  entries: number[] = [];
  leaderlessUntilMs = 0;
  #outage: Outage | undefined;
  #tree = new Tree();
  #history: Transaction[] = [];
  #zxid = 0;
  /** The highest that was ever given out: a restored ensemble gives numbers out again. */
  #zxidMax = 0;
  readonly #world: World;
  readonly #keys = logKeys('/weft');
  readonly #onEntry: (entry: LogEntry) => void;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#onEntry = onEntry;
    this.traps = new Traps(world, 'zookeeper');
  }

  get outage(): Outage | undefined {
    return this.#outage;
  }

  set outage(outage: Outage | undefined) {
    this.#outage = outage;
    if (outage === 'refusing') this.#cutAll('the server went away');
  }

  begin(): void {
    const { traps } = this;
    traps.repeat('foreign-nodes', 60, () => this.#writeForeign());
    traps.repeat('frozen-server', 12, () => {
      this.#anyServer().frozenUntilMs = this.#world.nowMs + traps.chance.unit() * frozenMsMax;
      return true;
    });
    traps.repeat('lagging-server', 30, () => this.#fallBehind(this.#anyServer()));
    traps.repeat('connection-loss', 30, () => this.#anyServer().cutAll('the server ended the connection'));
    traps.repeat('leader-change', 12, () => {
      this.leaderlessUntilMs = this.#world.nowMs + 300 + traps.chance.unit() * leaderlessMsMax;
      return this.#cutAll('there is no leader');
    });
  }

  heal(): void {
    this.leaderlessUntilMs = 0;
    for (const server of this.servers) {
      server.frozenUntilMs = 0;
      this.#catchUp(server);
    }
  }

  /** Undefined where the connection ends instead of an answer. */
  multi(server: ZookeeperServer, ops: readonly MultiOp[], isLate: boolean): MultiOutcome | undefined {
    const isWrite = ops.some(({ type }) => type !== 'check');
    if (isWrite && !isLate && this.traps.springs('unknown-outcome', 0.15)) {
      const fate = this.traps.chance.pick(['never', 'now', 'later'] as const);
      if (fate === 'now') this.#decide(ops, true);
      if (fate === 'later') {
        this.#later(this.traps.chance.unit() * leftoverMsMax, () => void this.#decide(ops, true));
      }
      return undefined;
    }
    const decision = this.#decide(ops, isLate);
    // Its answer comes behind all that was decided before it.
    this.#catchUp(server);
    return decision.type === 'done' ? { type: 'done', paths: decision.paths } : decision;
  }

  /** An entry where no weft put it. */
  scribble(id: EntryId, bytes: Uint8Array): boolean {
    const paths = this.#logPaths();
    if (paths === undefined) return false;
    const segment = parseSegment(this.#tree.get(paths.open)?.data ?? Buffer.alloc(0)) ?? 1;
    const ref = { id, base: 0 };
    this.#decide([{ type: 'create', path: paths.bucket(ref) }], false);
    this.#decide(
      [
        { type: 'create', path: paths.id(ref), data: formatSegment(segment) },
        { type: 'create', path: paths.newEntry(segment), data: formatEntry(ref, bytes), sequential: true },
      ],
      false,
    );
    return true;
  }

  /** Other servers, or somebody deletes all nodes, one after the other. */
  wipe(): void {
    this.entries = [];
    if (this.traps.chance.happens(0.5)) return this.#replace([]);
    for (const path of this.#tree.paths()) this.#decide([{ type: 'delete', path }], false);
  }

  restore(length: number): void {
    const zxid = this.entries[length - 1];
    if (zxid === undefined) throw new Error('Broken invariant: a backup has entries');
    this.entries.length = length;
    this.#replace(this.#history.filter((transaction) => transaction.zxid <= zxid));
  }

  #replace(history: readonly Transaction[]): void {
    this.#cutAll('the server was stopped');
    this.#history = [...history];
    this.#zxid = history.at(-1)?.zxid ?? 0;
    this.#tree = new Tree();
    for (const transaction of history) this.#tree.apply(transaction);
    for (const server of this.servers) {
      server.tree = new Tree();
      server.applied = 0;
      this.#catchUp(server);
    }
  }

  #decide(ops: readonly MultiOp[], isLate: boolean): Decision {
    // Also one that is refused has a zxid.
    this.#zxid += 1;
    const decision = this.#tree.decide(ops);
    if (decision.type === 'done') this.#commit({ zxid: this.#zxid, changes: decision.changes });
    else if (isLate && decision.code === zkCode.nodeExists && isAppend(ops))
      this.traps.met('late append finds its retry');
    return decision;
  }

  #commit(transaction: Transaction): void {
    if (transaction.changes.length === 0) return;
    this.#tree.apply(transaction);
    this.#history.push(transaction);
    for (const change of transaction.changes) this.#note(change, transaction.zxid);
    this.#zxidMax = Math.max(this.#zxidMax, transaction.zxid);
    for (const server of this.servers) if (!server.isBehind) this.#applyTo(server);
  }

  #note(change: Change, zxid: number): void {
    const { type, path } = change;
    const [, segment, number] = /\/segments\/(\d+)\/e-(\d+)$/.exec(path) ?? [];
    if (type === 'set' && path.endsWith('/open')) this.traps.met('segment opened');
    if (type !== 'create' || number === undefined) return;
    const entry = parseEntry(change.data);
    if (entry === undefined) return;
    if (zxid <= this.#zxidMax) this.traps.met('zxid given out again');
    this.entries.push(zxid);
    const position = toPosition({ segment: Number(segment), sequence: Number(number), id: entry.id });
    this.#onEntry({ position, id: entry.id, bytes: Buffer.from(entry.bytes) });
  }

  /** Others use the same servers, and somebody may even make a node among the entries, which uses a number up. */
  #writeForeign(): boolean {
    const paths = this.#logPaths();
    const data = paths === undefined ? undefined : this.#tree.get(paths.open)?.data;
    const isOurs = paths !== undefined && data !== undefined && this.traps.chance.happens(0.5);
    if (isOurs) this.traps.met('number used up by a foreign node');
    const folder = isOurs ? paths.segment(parseSegment(data) ?? 1) : '';
    this.#decide([{ type: 'create', path: `${folder}/other-${this.traps.chance.hex(4)}` }], false);
    return true;
  }

  #logPaths(): LogPaths | undefined {
    const logId = parseLogId(this.#tree.get(this.#keys.logId)?.data ?? Buffer.alloc(0));
    return logId === undefined ? undefined : this.#keys.log(logId);
  }

  #fallBehind(server: ZookeeperServer): boolean {
    if (server.isBehind) return false;
    server.isBehind = true;
    this.#later(this.traps.chance.unit() * lagMsMax, () => this.#catchUp(server));
    return true;
  }

  #catchUp(server: ZookeeperServer): void {
    if (server.isBehind && server.applied < this.#history.length) this.traps.met('server behind catches up');
    server.isBehind = false;
    this.#applyTo(server);
  }

  #applyTo(server: ZookeeperServer): void {
    for (let next = this.#history[server.applied]; next !== undefined; next = this.#history[server.applied]) {
      server.apply(next);
    }
  }

  #cutAll(why: string): boolean {
    return this.servers.map((server) => server.cutAll(why)).includes(true);
  }

  #anyServer(): ZookeeperServer {
    return this.traps.chance.pick(this.servers);
  }

  #later(ms: number, act: () => void): void {
    this.#world.scheduler.after(ms, undefined, act);
  }
}

function isAppend(ops: readonly MultiOp[]): boolean {
  return ops.some((op) => op.type === 'create' && op.sequential === true);
}

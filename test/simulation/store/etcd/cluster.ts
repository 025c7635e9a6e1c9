/**
 * Three members of etcd, as far as a client can tell them apart: one keyspace that they agree on, each with watches of its
 * own, which may be frozen, lag behind, or lose their leader.
 *
 * Sources of the traps: CHANGELOG-3.4 of etcd for lost and repeated events, `quotaApplierV3` for an append that is carried
 * out and refused; the rest was seen on 3.4.23.
 */
import type { ITxnRequest, ITxnResponse } from 'etcd3';
import { logKeys } from '../../../../adapters/etcd/keys.ts';
import { toPosition } from '../../../../adapters/etcd/transactions.ts';
import type { LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Outage } from '../style.ts';
import { Traps } from '../traps.ts';
import type { Delivery } from '../wire.ts';
import { invalidityOf, isSerializable, Keyspace, mayWrite, type TxnResult, textOf } from './keyspace.ts';

/** What one member answers: of gRPC, a status and its text, or the answer. */
export type Answer<A> =
  | { readonly type: 'ok'; readonly value: A }
  | { readonly type: 'error'; readonly code: number; readonly details: string };

/** A watch stream that a member serves. */
export interface Served {
  /** Something was written. */
  poke(): void;
  /** History up to that revision is gone. */
  compacted(revision: number): void;
  /** The member ends it. */
  break(code: number, details: string): void;
}

export const grpc = { cancelled: 1, invalid: 3, exhausted: 8, unavailable: 14 } as const;
const noSpace = {
  type: 'error',
  code: grpc.exhausted,
  details: 'etcdserver: mvcc: database space exceeded',
} as const;
/** grpc-js takes no larger answer unless it is told to; production does not rely on that for what it asks at once. */
const answerBytesMax = 4 * 1024 * 1024;
/** An append that a lost leader left behind may be carried out until then. */
const leftoverMsMax = 6_000;
const leaderlessMsMax = 2_500;
const frozenMsMax = 8_000;
const lagMsMax = 15_000;
const fullMsMax = 6_000;

export class EtcdMember {
  readonly address: string;
  frozenUntilMs = 0;
  /** Set while it applies nothing: what its watches and its own reads go by. */
  lagsAt: number | undefined;
  readonly streams = new Set<Served>();

  constructor(address: string) {
    this.address = address;
  }
}

export class EtcdCluster {
  outage: Outage | undefined;
  readonly keyspace: Keyspace = new Keyspace();
  readonly members: readonly EtcdMember[] = ['m1', 'm2', 'm3'].map((name) => new EtcdMember(name));
  readonly traps: Traps<'etcd'>;
  /** Revisions of the log's entries, in order. */
  entries: number[] = [];
  #clusterId = 1;
  #compacted = 0;
  #leaderlessUntilMs = 0;
  #fullUntilMs = 0;
  #isAlarmRaised = false;
  readonly #world: World;
  readonly #keys = logKeys('/weft');
  readonly #onEntry: (entry: LogEntry) => void;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#onEntry = onEntry;
    this.traps = new Traps(world, 'etcd');
  }

  get clusterId(): string {
    return `${this.#clusterId}`;
  }

  get compacted(): number {
    return this.#compacted;
  }

  begin(): void {
    const { traps } = this;
    traps.repeat('foreign-keys', 120, () => this.#writeForeign());
    traps.repeat('frozen-member', 12, () => {
      this.#anyMember().frozenUntilMs = this.#world.nowMs + traps.chance.unit() * frozenMsMax;
      return true;
    });
    traps.repeat('lagging-member', 12, () => this.#lag(this.#anyMember()));
    traps.repeat('watch-cancelled', 20, () =>
      this.#breakStreams(this.#anyMember(), 'etcdserver: watch cancelled'),
    );
    traps.repeat('no-space', 8, () => {
      this.#fullUntilMs = this.#world.nowMs + traps.chance.unit() * fullMsMax;
      this.#isAlarmRaised = false;
      return true;
    });
    traps.repeat('leader-change', 12, () => this.#loseLeader());
  }

  heal(): void {
    this.#leaderlessUntilMs = 0;
    this.#fullUntilMs = 0;
    for (const member of this.members) {
      member.frozenUntilMs = 0;
      this.#catchUp(member);
    }
  }

  txn(member: EtcdMember, request: ITxnRequest, delivery: Delivery<Answer<ITxnResponse>>): void {
    const waitMs = Math.max(member.frozenUntilMs, this.#leaderlessUntilMs) - this.#world.nowMs;
    if (waitMs <= 0) return this.#perform(member, request, delivery);
    // A follower holds it until there is a leader; a frozen member until it thaws.
    const isLeaderless = this.#leaderlessUntilMs > this.#world.nowMs;
    if (!isLeaderless || !mayWrite(request) || this.traps.chance.happens(0.4)) {
      this.#later(waitMs, () => this.#perform(member, request, delivery));
      return;
    }
    const details = this.traps.chance.pick(['etcdserver: leader changed', 'etcdserver: request timed out']);
    delivery.reply({ type: 'error', code: grpc.unavailable, details });
    if (this.traps.chance.happens(0.3)) return;
    const mute = { ...delivery, isLate: true, reply: () => undefined };
    this.#later(waitMs + this.traps.chance.unit() * leftoverMsMax, () =>
      this.#perform(member, request, mute),
    );
  }

  /** An entry where no weft put it. */
  scribble(id: EntryId, bytes: Uint8Array): boolean {
    if (!this.keyspace.has(this.#keys.logId)) return false;
    const before = this.keyspace.revision;
    const { head } = this.#keys;
    const key = this.#keys.entry({ id, base: 0 });
    const success = [
      { request_put: { key, value: Buffer.from(bytes) } },
      { request_put: { key: head, value: Buffer.from(id) } },
    ];
    this.keyspace.txn({ success });
    this.#written(before);
    return true;
  }

  /** What a watch on this member can know of. */
  revisionOf(member: EtcdMember): number {
    return member.lagsAt ?? this.keyspace.revision;
  }

  wipe(): void {
    this.keyspace.clear();
    this.entries = [];
    this.#clusterId += 1;
    this.#restart();
  }

  restore(length: number): void {
    const revision = this.entries[length - 1];
    if (revision === undefined) throw new Error('Broken invariant: a backup has entries');
    this.keyspace.restore(revision);
    this.entries.length = length;
    this.#restart();
  }

  #perform(member: EtcdMember, request: ITxnRequest, delivery: Delivery<Answer<ITxnResponse>>): void {
    const isWrite = mayWrite(request);
    const details = invalidityOf(request);
    if (details !== undefined) return delivery.reply({ type: 'error', code: grpc.invalid, details });
    if (isWrite && delivery.fate === 'full') return delivery.reply(noSpace);
    const isFull = isWrite && this.#fullUntilMs > this.#world.nowMs;
    if (isFull && this.#isAlarmRaised) return delivery.reply(noSpace);
    const asOf = !isWrite && isSerializable(request) ? member.lagsAt : undefined;
    const before = this.keyspace.revision;
    const result = this.keyspace.txn(request, asOf);
    if (delivery.isLate && !result.succeeded && operationOf(request) === 'append')
      this.traps.met('late append finds its retry');
    if (this.keyspace.revision > before) this.#written(before);
    if (isFull) {
      // The member that finds its quota exceeded while applying raises the alarm, and has applied.
      this.#isAlarmRaised = true;
      if (this.keyspace.revision > before) this.traps.met('append refused for space was carried out');
      return delivery.reply(noSpace);
    }
    delivery.reply(this.#answer(result, asOf ?? this.keyspace.revision));
  }

  #answer({ succeeded, responses, bytes }: TxnResult, revision: number): Answer<ITxnResponse> {
    if (bytes > answerBytesMax) {
      const details = `Received message larger than max (${bytes} vs ${answerBytesMax})`;
      return { type: 'error', code: grpc.exhausted, details };
    }
    const header = { cluster_id: this.clusterId, member_id: '1', revision: `${revision}`, raft_term: '1' };
    return { type: 'ok', value: { header, succeeded, responses } };
  }

  #written(before: number): void {
    for (const { key, create, mod, value, isTombstone } of this.keyspace.since(before + 1, 8)) {
      if (isTombstone === true) continue;
      const id = this.#keys.entryIdOf(Buffer.from(key, 'latin1'));
      if (id === undefined || create !== mod) continue;
      this.entries.push(mod);
      this.#onEntry({ position: toPosition(mod, id), id, bytes: Buffer.from(value) });
    }
    this.#poke();
    if (this.traps.springs('compaction', 0.15)) this.#compact();
  }

  /** Others use the same cluster, and somebody may even put a key among ours. */
  #writeForeign(): boolean {
    const key = this.traps.chance.pick(['/other/tenant', '/weft/log/notes', '/weft/meta/notes']);
    this.keyspace.put(key, Buffer.from('foreign'));
    this.#poke();
    return true;
  }

  #compact(): void {
    this.#compacted = this.keyspace.revision;
    for (const member of this.members)
      for (const stream of [...member.streams]) stream.compacted(this.#compacted);
  }

  #lag(member: EtcdMember): boolean {
    if (member.lagsAt !== undefined) return false;
    member.lagsAt = this.keyspace.revision;
    this.#later(this.traps.chance.unit() * lagMsMax, () => this.#catchUp(member));
    return true;
  }

  #catchUp(member: EtcdMember): void {
    member.lagsAt = undefined;
    for (const stream of [...member.streams]) stream.poke();
  }

  #loseLeader(): boolean {
    this.#leaderlessUntilMs = this.#world.nowMs + 300 + this.traps.chance.unit() * leaderlessMsMax;
    for (const member of this.members) this.#breakStreams(member, 'etcdserver: no leader');
    return true;
  }

  #breakStreams(member: EtcdMember, details: string): boolean {
    const streams = [...member.streams];
    for (const stream of streams) stream.break(grpc.unavailable, details);
    return streams.length > 0;
  }

  #restart(): void {
    this.#compacted = 0;
    for (const member of this.members) {
      member.lagsAt = undefined;
      this.#breakStreams(member, 'read ECONNRESET');
    }
  }

  #poke(): void {
    for (const { streams } of this.members) for (const stream of streams) stream.poke();
  }

  #anyMember(): EtcdMember {
    return this.traps.chance.pick(this.members);
  }

  #later(ms: number, act: () => void): void {
    this.#world.scheduler.after(ms, undefined, act);
  }
}

/** For the link: what kind of request it is. */
export function operationOf(request: ITxnRequest): 'open' | 'append' | 'write' | 'head' | 'read' {
  if (!mayWrite(request)) return isSerializable(request) ? 'read' : 'head';
  const isUpkeep = request.success?.some(
    ({ request_put: put, request_delete_range: range }) =>
      range !== undefined || /\/(?:snap\/|meta\/floor$)/.test(textOf(put?.key)),
  );
  if (isUpkeep === true) return 'write';
  const isGenesis = request.success?.some(({ request_put }) => textOf(request_put?.key).endsWith('/log-id'));
  return isGenesis === true ? 'open' : 'append';
}

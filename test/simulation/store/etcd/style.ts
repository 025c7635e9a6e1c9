/** The production adapter of etcd over the model of its servers: what is replaced is the gRPC channel, and nothing else. */
import type { IStatusResponse, ITxnRequest, ITxnResponse } from 'etcd3';
import {
  type Channel,
  channelState,
  type RpcCall,
  type RpcError,
  type Service,
  type ServiceName,
} from '../../../../adapters/etcd/channel.ts';
import { EtcdEventLog } from '../../../../adapters/etcd/event-log.ts';
import { formatEtcdUrl } from '../../../../adapters/etcd/options.ts';
import type { EventLog, LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Handle, Outage, StoreModel } from '../style.ts';
import { type Ending, Wire } from '../wire.ts';
import { type Answer, EtcdCluster, type EtcdMember, grpc, operationOf } from './cluster.ts';
import { WatchSession } from './watch-session.ts';

type Done<A> = (error: RpcError | null, answer?: A) => void;

export class EtcdStyle implements StoreModel {
  readonly #world: World;
  readonly #cluster: EtcdCluster;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#cluster = new EtcdCluster(world, onEntry);
  }

  get url(): string {
    return formatEtcdUrl(this.#options);
  }

  get outage(): Outage | undefined {
    return this.#cluster.outage;
  }

  set outage(outage: Outage | undefined) {
    this.#cluster.outage = outage;
  }

  get length(): number {
    return this.#cluster.entries.length;
  }

  connect(handle: Handle): EventLog {
    const channelTo = (host: string): Channel => {
      const member = this.#cluster.members.find(({ address }) => address === host);
      if (member === undefined) throw new Error(`Broken invariant: no member ${host}`);
      return new ModelChannel(this.#world, this.#cluster, member, handle);
    };
    return new EtcdEventLog(this.#options, handle, {
      openChannel: ({ host }) => channelTo(host),
    });
  }

  get #options() {
    const hosts = this.#cluster.members.map(({ address }) => ({ host: address, port: 2379 }));
    return { hosts, prefix: '/weft' };
  }

  scribble(id: EntryId, bytes: Uint8Array): boolean {
    return this.#cluster.scribble(id, bytes);
  }

  begin(): void {
    this.#cluster.begin();
  }

  heal(): void {
    this.#cluster.heal();
  }

  wipe(): void {
    this.#cluster.wipe();
  }

  restore(length: number): void {
    this.#cluster.restore(length);
  }
}

class ModelChannel implements Channel {
  readonly #world: World;
  readonly #cluster: EtcdCluster;
  readonly #member: EtcdMember;
  readonly #handle: Handle;
  readonly #wire: Wire;

  constructor(world: World, cluster: EtcdCluster, member: EtcdMember, handle: Handle) {
    this.#world = world;
    this.#cluster = cluster;
    this.#member = member;
    this.#handle = handle;
    this.#wire = new Wire({ world, link: handle.link, process: handle.process, store: cluster });
  }

  async service<S extends ServiceName>(name: S): Promise<Service<S>> {
    const channel = {
      getConnectivityState: () => channelState.ready,
      watchConnectivityState: () => undefined,
    };
    const stubs = {
      KV: {
        txn: (request: ITxnRequest, _metadata: unknown, _options: unknown, done: Done<ITxnResponse>) =>
          this.#txn(request, done),
      },
      Maintenance: {
        status: (_request: unknown, _metadata: unknown, _options: unknown, done: Done<IStatusResponse>) =>
          this.#status(done),
      },
      Watch: { watch: () => this.#watch() },
      Auth: {},
    };
    return {
      // The stubs have what the adapter calls of each service, and no more.
      stub: { ...stubs[name], getChannel: () => channel } as unknown as Service<S>['stub'],
      metadata: { set: () => undefined },
    };
  }

  close(): void {
    // Nothing is held open between calls; streams are cancelled by their owners.
  }

  #txn(request: ITxnRequest, done: Done<ITxnResponse>): RpcCall {
    const giveUp = this.#wire.send<Answer<ITxnResponse>>(
      operationOf(request),
      (delivery) => this.#cluster.txn(this.#member, request, delivery),
      (ending) => conclude(ending, done),
    );
    return cancellable(giveUp, done);
  }

  #status(done: Done<IStatusResponse>): RpcCall {
    const giveUp = this.#wire.send<Answer<IStatusResponse>>(
      'head',
      // The rest of a status is for people.
      ({ reply }) => reply({ type: 'ok', value: { version: '3.4.23' } as IStatusResponse }),
      (ending) => conclude(ending, done),
    );
    return cancellable(giveUp, done);
  }

  #watch(): WatchSession {
    const { link, process } = this.#handle;
    return new WatchSession({
      world: this.#world,
      cluster: this.#cluster,
      member: this.#member,
      link,
      process,
    });
  }
}

function conclude<A>(ending: Ending<Answer<A>>, done: Done<A>): void {
  if (ending.type === 'refused') {
    return done(rpcError(grpc.unavailable, 'No connection established. Last error: connect ECONNREFUSED'));
  }
  if (ending.type === 'broken') return done(rpcError(grpc.unavailable, 'read ECONNRESET'));
  const { answer } = ending;
  if (answer.type === 'ok') return done(null, answer.value);
  done(rpcError(answer.code, answer.details));
}

function cancellable<A>(giveUp: () => void, done: Done<A>): RpcCall {
  let isCancelled = false;
  return {
    cancel: () => {
      if (isCancelled) return;
      isCancelled = true;
      giveUp();
      queueMicrotask(() => done(rpcError(grpc.cancelled, 'Cancelled on client')));
    },
  };
}

function rpcError(code: number, details: string): RpcError {
  return Object.assign(new Error(details), { code, details });
}

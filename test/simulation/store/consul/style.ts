/** The production adapter of Consul over the model of its servers: what is replaced is the HTTP client, and nothing else. */
import {
  type CallLimits,
  type Channel,
  type KvOperation,
  RefusedRequest,
  type Response,
} from '../../../../adapters/consul/channel.ts';
import { ConsulCallError } from '../../../../adapters/consul/errors.ts';
import { ConsulEventLog } from '../../../../adapters/consul/event-log.ts';
import { formatConsulUrl } from '../../../../adapters/consul/options.ts';
import type { EventLog, LogEntry } from '../../../../core/log/event-log.ts';
import type { EntryId } from '../../../../core/model/ids.ts';
import type { World } from '../../world/world.ts';
import type { Operation } from '../link.ts';
import type { Handle, Outage, StoreModel } from '../style.ts';
import { type Ending, Wire } from '../wire.ts';
import { ConsulCluster, type ConsulServer, type Request } from './cluster.ts';
import { isWrite } from './keyspace.ts';

/** Few, so that a life sees several segments. */
const segmentEntriesMean = 16;

export class ConsulStyle implements StoreModel {
  readonly #world: World;
  readonly #cluster: ConsulCluster;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#cluster = new ConsulCluster(world, onEntry);
  }

  get url(): string {
    return formatConsulUrl(this.#options);
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
    return new ConsulEventLog(this.#options, handle, {
      openChannel: ({ host }) => {
        const server = this.#cluster.servers.find(({ address }) => address === host);
        if (server === undefined) throw new Error(`Broken invariant: no server ${host}`);
        return new ModelChannel(this.#world, this.#cluster, server, handle);
      },
      segmentEntriesMean,
    });
  }

  get #options() {
    const hosts = this.#cluster.servers.map(({ address }) => ({ host: address, port: 8500 }));
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

/** What the adapter asks for beside the key. */
interface More {
  readonly consistent?: boolean;
  readonly recurse?: boolean;
  readonly index?: number;
  readonly wait?: string;
}

class ModelChannel implements Channel {
  readonly #world: World;
  readonly #cluster: ConsulCluster;
  readonly #server: ConsulServer;
  readonly #handle: Handle;
  readonly #wire: Wire;
  readonly #breaks = new Set<() => void>();

  constructor(world: World, cluster: ConsulCluster, server: ConsulServer, handle: Handle) {
    this.#world = world;
    this.#cluster = cluster;
    this.#server = server;
    this.#handle = handle;
    this.#wire = new Wire({ world, link: handle.link, process: handle.process, store: cluster });
  }

  async get(key: string, more: More, limits: CallLimits): Promise<Response> {
    const { recurse, consistent, index, wait } = more;
    if (recurse !== true) return await this.#ask('head', { type: 'get', key }, limits);
    if (consistent === true) {
      if (index !== undefined) throw new Error('The model of Consul has no linearizable waits');
      return await this.#ask('head', { type: 'list', folder: key, consistent }, limits);
    }
    const waiting = index === undefined ? {} : { index, waitMs: Number.parseInt(wait ?? '', 10) };
    return await this.#ask('read', { type: 'list', folder: key, ...waiting }, limits);
  }

  async keys(folder: string, _more: object, limits: CallLimits): Promise<Response> {
    return await this.#ask('head', { type: 'names', folder }, limits);
  }

  async transact(operations: readonly KvOperation[], _more: object, limits: CallLimits): Promise<Response> {
    return await this.#ask(operationOf(operations), { type: 'txn', operations }, limits);
  }

  dropIdle(): void {
    // No connection is idle here: each request is by itself.
  }

  close(): void {
    for (const broken of [...this.#breaks]) broken();
  }

  #ask(operation: Operation, request: Request, limits: CallLimits): Promise<Response> {
    const { signal, deadlineMs } = limits;
    if (signal.aborted) return Promise.reject(new ConsulCallError('not-sent', 'it was given up before'));
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        giveUp();
        timer.cancelled = true;
        signal.removeEventListener('abort', cancel);
        this.#breaks.delete(broken);
        act();
      };
      const fail = (stage: ConstructorParameters<typeof ConsulCallError>[0]) => (): void =>
        end(() => reject(new ConsulCallError(stage, `the call to ${this.#server.address}: ${stage}`)));
      const cancel = fail('cancelled');
      const broken = fail('broken');
      const timer = this.#world.scheduler.after(deadlineMs, this.#handle.process, fail('timed-out'));
      signal.addEventListener('abort', cancel, { once: true });
      this.#breaks.add(broken);
      const giveUp = this.#wire.send<Response>(
        operation,
        (delivery) => {
          const isWait = request.type === 'list' && request.index !== undefined;
          const reply = (answer: Response): void => {
            // What the server says by itself does not come through while wake-ups are lost.
            if (!isWait || !this.#handle.link.silent) delivery.reply(answer);
          };
          this.#cluster.handle(this.#server, request, { ...delivery, reply });
        },
        (ending) => end(() => conclude(ending, resolve, reject)),
      );
    });
  }
}

function conclude(
  ending: Ending<Response>,
  resolve: (response: Response) => void,
  reject: (error: Error) => void,
): void {
  if (ending.type === 'refused') return reject(new ConsulCallError('not-sent', 'connect ECONNREFUSED'));
  if (ending.type === 'broken') return reject(new ConsulCallError('broken', 'read ECONNRESET'));
  const { answer } = ending;
  if (answer.statusCode === 200) return resolve(answer);
  reject(new RefusedRequest(answer));
}

/** For the link. No Consul is ever full. */
function operationOf(operations: readonly KvOperation[]): Operation {
  if (!isWrite(operations)) return 'resolve';
  const [first] = operations;
  // The writes of snapshots only ask for the identity.
  return first?.Verb === 'cas' && first.Key.endsWith('/log-id') ? 'open' : 'put';
}

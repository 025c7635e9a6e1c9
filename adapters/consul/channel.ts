/**
 * The seam to the package `consul`: its client for one member, with deadlines, cancellation and checked answers.
 *
 * What is used of the package is its requests of the key/value store and of transactions. Its `watch` hides a missing key
 * and the rules of the index, and starts again by its own lights, so the tail has a loop of its own; its promises never
 * settle when a connection ends in the middle of an answer, so every call has a deadline here.
 */
import { EventEmitter } from 'node:events';
import Consul from 'consul';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type ClusterHost, formatHost } from '../cluster-url.ts';
import { type Agent, dropIdle, isUnsent, openAgent } from './agent.ts';
import { ConsulCallError } from './errors.ts';
import type { ConsulOptions } from './options.ts';

export interface CallLimits {
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
}

/** One operation of a transaction, as Consul's API has it (https://developer.hashicorp.com/consul/api-docs/txn). */
export interface KvOperation {
  readonly Verb: 'cas' | 'check-index' | 'delete-cas' | 'delete-tree' | 'get-tree' | 'set';
  readonly Key: string;
  readonly Index?: number;
  /** In base64. */
  readonly Value?: string;
}

export interface ReadOptions {
  /** Linearizable: the leader asks a majority whether it still leads. Otherwise what the leader knows, perhaps of late. */
  readonly consistent?: boolean;
  /** Waits until something has changed since this index, at most `waitMs`. */
  readonly index?: number;
  readonly waitMs?: number;
}

/** A response of Node, as the package gives it. */
export interface Response {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
}

/** What the package takes and gives, also where its types leave it out. */
interface Requests {
  readonly kv: {
    get(options: object): Promise<readonly [Response, unknown]>;
    keys(options: object): Promise<readonly [Response, unknown]>;
  };
  readonly transaction: {
    create(operations: readonly object[], options: object): Promise<readonly unknown[]>;
  };
}

interface FailedRequest {
  readonly isResponse?: boolean;
  readonly isCodec?: boolean;
  readonly response?: Response;
}

export interface ChannelOptions {
  readonly clock: Clock;
  readonly connectionsMax: number;
}

/** A way to one member: what `openChannel` opens, and what tests put in its place. */
export type Channel = Pick<ConsulChannel, 'get' | 'keys' | 'transact' | 'dropIdle' | 'close'>;
export type OpenChannel = (host: ClusterHost, options: ConsulOptions, settings: ChannelOptions) => Channel;

export const openChannel: OpenChannel = (host, options, settings) =>
  new ConsulChannel(host, options, settings);

/** An answer that says no, also one that is no failure for whoever asked. */
export class RefusedRequest extends Error {
  readonly response: Response;

  constructor(response: Response) {
    super(`status ${response.statusCode}`);
    this.response = response;
  }
}

/** One client of one member. Its connections are its own. */
export class ConsulChannel {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #requests: Requests;
  /** With one connection, its end is the end of the one call. */
  readonly #isSingle: boolean;
  #breakCall: (() => void) | undefined;

  constructor(host: ClusterHost, options: ConsulOptions, { clock, connectionsMax }: ChannelOptions) {
    this.#address = formatHost(host);
    this.#clock = clock;
    this.#isSingle = connectionsMax === 1;
    const { tls } = options;
    this.#agent = openAgent({ clock, connectionsMax, tls, onClosed: () => this.#breakCall?.() });
    const secure = tls !== undefined;
    const name = host.host.includes(':') ? `[${host.host}]` : host.host;
    const client = new Consul({ host: name, port: host.port, secure, agent: this.#agent });
    this.#requests = client as unknown as Requests;
  }

  /** @throws ConsulCallError, RefusedRequest */
  async get(key: string, more: object, limits: CallLimits): Promise<Response> {
    return this.#call(limits, async (common) => {
      const [response] = await this.#requests.kv.get({ key, ...more, ...common });
      return response;
    });
  }

  /** Names of what lies directly under a folder. @throws ConsulCallError, RefusedRequest */
  async keys(key: string, more: object, limits: CallLimits): Promise<Response> {
    return this.#call(limits, async (common) => {
      const [response] = await this.#requests.kv.keys({ key, separator: '/', ...more, ...common });
      return response;
    });
  }

  /** @throws ConsulCallError, RefusedRequest */
  async transact(operations: readonly KvOperation[], more: object, limits: CallLimits): Promise<Response> {
    return this.#call(limits, async (common) => {
      const list = operations.map((operation) => ({ KV: operation }));
      const [response] = await this.#requests.transaction.create(list, { ...more, ...common });
      return response as Response;
    });
  }

  /** Drops connections that no call uses. */
  dropIdle(): void {
    dropIdle(this.#agent);
  }

  /** Ends all connections; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  async #call(limits: CallLimits, start: (common: object) => Promise<Response>): Promise<Response> {
    if (limits.signal.aborted) throw new ConsulCallError('not-sent', 'it was given up before it was sent');
    const context = Object.assign(new EventEmitter(), { includeResponse: true });
    let givenUp: 'timed-out' | 'cancelled' | 'broken' | undefined;
    const giveUp = (how: typeof givenUp) => {
      givenUp ??= how;
      context.emit('cancel');
    };
    const onAbort = () => giveUp('cancelled');
    using deadline = cancelScope();
    try {
      const answer = start({ ctx: context });
      limits.signal.addEventListener('abort', onAbort, { once: true });
      if (this.#isSingle) this.#breakCall = () => giveUp('broken');
      void this.#clock.sleep(limits.deadlineMs, deadline.signal).then(() => {
        if (!deadline.signal.aborted) giveUp('timed-out');
      });
      return await answer;
    } catch (error) {
      throw this.#failure(error, givenUp, limits);
    } finally {
      this.#breakCall = undefined;
      limits.signal.removeEventListener('abort', onAbort);
    }
  }

  #failure(error: unknown, givenUp: string | undefined, limits: CallLimits): Error {
    const { isResponse, isCodec, response } = error as FailedRequest;
    if (isResponse === true && response !== undefined) return new RefusedRequest(response);
    const reason =
      error instanceof Error ? error.message.replace(/^(consul|[a-z.]+): /gi, '') : String(error);
    if (isUnsent(error)) return new ConsulCallError('not-sent', `no way to ${this.#address}: ${reason}`);
    switch (givenUp) {
      case 'timed-out':
        return new ConsulCallError(
          'timed-out',
          `${this.#address} did not answer within ${limits.deadlineMs} ms`,
        );
      case 'cancelled':
        return new ConsulCallError('cancelled', `the call to ${this.#address} was given up`);
      case 'broken':
        return new ConsulCallError('broken', `${this.#address} broke the connection`);
      default:
        if (isCodec !== true && !(error instanceof Error && 'code' in error)) return error as Error;
        return new ConsulCallError('broken', `${this.#address}: ${reason}`);
    }
  }
}

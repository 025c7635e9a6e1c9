/** One member of the cluster: its connections, the token for it, and the few requests that the log is made of. */
import { isWeftError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type ClusterHost, formatHost } from '../cluster-url.ts';
import { readSecret } from '../credentials.ts';
import {
  parseIndex,
  parseList,
  parseNames,
  parseRefusals,
  parseResults,
  type Refusal,
  type StoredKey,
} from './answers.ts';
import {
  type CallLimits,
  type Channel,
  type KvOperation,
  type OpenChannel,
  type ReadOptions,
  RefusedRequest,
  type Response,
} from './channel.ts';
import { ConsulCallError, judge } from './errors.ts';
import { connectionsMax } from './limits.ts';
import type { ConsulOptions } from './options.ts';

export interface ListAnswer {
  readonly found: readonly StoredKey[];
  /** To wait for the next change with. */
  readonly index: number | undefined;
}

export type TransactionAnswer =
  | { readonly type: 'done'; readonly results: readonly StoredKey[] }
  /** Nothing of it was carried out. */
  | { readonly type: 'refused'; readonly refusals: readonly Refusal[] };

export class Member {
  /** `host:port`. */
  readonly address: string;
  readonly #host: ClusterHost;
  readonly #options: ConsulOptions;
  readonly #clock: Clock;
  readonly #newChannel: OpenChannel;
  readonly #connectionsMax: number;
  #channel: Channel | undefined;
  #token: string | undefined;

  constructor(
    host: ClusterHost,
    options: ConsulOptions,
    clock: Clock,
    newChannel: OpenChannel,
    connections = connectionsMax,
  ) {
    this.address = formatHost(host);
    this.#host = host;
    this.#options = options;
    this.#clock = clock;
    this.#newChannel = newChannel;
    this.#connectionsMax = connections;
  }

  /** The same member over one connection of its own, for one call at a time. Whoever asks for it closes it. */
  line(): Member {
    return new Member(this.#host, this.#options, this.#clock, this.#newChannel, 1);
  }

  /** One key, linearizable; undefined when it is not there. @throws ConsulCallError */
  async get(key: string, limits: CallLimits): Promise<StoredKey | undefined> {
    const more = { buffer: true, consistent: true };
    const response = await this.#call(limits, (channel, common) =>
      channel.get(key, { ...more, ...common }, limits),
    );
    return this.#isMissing(response) ? undefined : parseList(response.body)[0];
  }

  /** All keys under a folder, in the order of keys. @throws ConsulCallError */
  async list(folder: string, options: ReadOptions, limits: CallLimits): Promise<ListAnswer> {
    const { consistent, index, waitMs } = options;
    const more = {
      recurse: true,
      buffer: true,
      ...(consistent === true ? { consistent } : {}),
      ...(index === undefined ? {} : { index, wait: `${waitMs ?? 0}ms` }),
    };
    const response = await this.#call(limits, (channel, common) =>
      channel.get(folder, { ...more, ...common }, limits),
    );
    const found = this.#isMissing(response) ? [] : parseList(response.body);
    return { found, index: parseIndex(response.headers['x-consul-index']) };
  }

  /** Names directly under a folder, linearizable. @throws ConsulCallError */
  async names(folder: string, limits: CallLimits): Promise<readonly string[]> {
    const response = await this.#call(limits, (channel, common) =>
      channel.keys(folder, { consistent: true, ...common }, limits),
    );
    return this.#isMissing(response) ? [] : parseNames(response.body);
  }

  /** Linearizable, also where it only reads. @throws ConsulCallError */
  async transact(operations: readonly KvOperation[], limits: CallLimits): Promise<TransactionAnswer> {
    const response = await this.#call(limits, (channel, common) =>
      channel.transact(operations, { consistent: true, ...common }, limits),
    );
    if (response.statusCode === 404) throw this.#no(response);
    if (response.statusCode !== 409) return { type: 'done', results: parseResults(response.body) };
    return { type: 'refused', refusals: parseRefusals(response.body) };
  }

  /** Drops the connections; the next call makes new ones. */
  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  async #call(
    limits: CallLimits,
    start: (channel: Channel, common: object) => Promise<Response>,
  ): Promise<Response> {
    const token = this.#readToken();
    try {
      return await this.#exchange(token, start);
    } catch (error) {
      if (!(error instanceof ConsulCallError)) throw error;
      // The connections may be half-open: nothing else would tell.
      if (error.stage === 'timed-out') this.#channel?.dropIdle();
      if (judge(error) !== 'store-auth' || limits.signal.aborted) throw error;
      // Refused means that nothing happened. Only another token is worth another try.
      this.#token = undefined;
      const renewed = this.#readToken();
      if (renewed === token) throw error;
      return this.#exchange(renewed, start);
    }
  }

  async #exchange(
    token: string | undefined,
    start: (channel: Channel, common: object) => Promise<Response>,
  ): Promise<Response> {
    const settings = { clock: this.#clock, connectionsMax: this.#connectionsMax };
    this.#channel ??= this.#newChannel(this.#host, this.#options, settings);
    try {
      return await start(this.#channel, token === undefined ? {} : { token });
    } catch (error) {
      if (error instanceof RefusedRequest) return this.#refused(error.response);
      throw error;
    }
  }

  /** A missing key and a transaction that was not carried out are answers; what else says no is a failure. */
  #refused(response: Response): Response {
    const { statusCode = 0, body } = response;
    if (statusCode === 404) return response;
    if (statusCode === 409) {
      const forbidden = parseRefusals(body).find(({ what }) => /permission denied/i.test(what));
      if (forbidden === undefined) return response;
      throw new ConsulCallError('status', forbidden.what, 403);
    }
    throw this.#no(response);
  }

  /** Only Consul itself may say that a key is not there: a log that a proxy cannot find is no log that is gone. */
  #isMissing(response: Response): boolean {
    if (response.statusCode !== 404) return false;
    if (response.headers['x-consul-index'] === undefined) throw this.#no(response);
    return true;
  }

  #no({ statusCode = 0, body }: Response): ConsulCallError {
    const words = typeof body === 'string' && body !== '' ? body : 'no reason given';
    return new ConsulCallError('status', `${this.address} answered ${statusCode}: ${words}`, statusCode);
  }

  #readToken(): string | undefined {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) return undefined;
    try {
      this.#token ??= readSecret('Consul', tokenFile).trim();
    } catch (error) {
      // A file that cannot be read while its replacement is put in place is trouble with the connection, not a defect.
      if (isWeftError(error)) throw new ConsulCallError('not-sent', error.message.replace(/\.$/, ''));
      throw error;
    }
    return this.#token;
  }
}

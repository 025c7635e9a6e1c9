/**
 * One member of the cluster: its connection, the token for it, and calls with a deadline that can be cancelled.
 *
 * A token is asked of the member that it is used with: etcd keeps simple tokens in memory, so a member that restarted
 * does not know those of before.
 */
import type { IAuthenticateResponse, IStatusResponse, ITxnRequest, ITxnResponse } from 'etcd3';
import { isWeftError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { formatHost } from '../cluster-url.ts';
import { readSecret } from '../credentials.ts';
import type {
  Channel,
  OpenChannel,
  RpcCall,
  RpcError,
  Service,
  ServiceName,
  WatchDuplex,
} from './channel.ts';
import { channelState } from './channel.ts';
import { EtcdCallError, judge, wantsNewToken } from './errors.ts';
import { callDeadlineMs, connectDeadlineMs } from './limits.ts';
import type { EtcdHost, EtcdOptions } from './options.ts';

export interface CallLimits {
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
}

/** A watch stream on a connection of its own. */
export interface OpenWatch {
  readonly duplex: WatchDuplex;
  close(): void;
}

type Done<A> = (error: RpcError | null, answer?: A) => void;
type Start<S extends ServiceName, A> = (service: Service<S>, done: Done<A>) => RpcCall;

export class Member {
  /** `host:port`. */
  readonly address: string;
  readonly #host: EtcdHost;
  readonly #options: EtcdOptions;
  readonly #clock: Clock;
  readonly #newChannel: OpenChannel;
  #channel: Channel | undefined;
  #token: Promise<string | undefined> | undefined;

  constructor(host: EtcdHost, options: EtcdOptions, clock: Clock, newChannel: OpenChannel) {
    this.address = formatHost(host);
    this.#host = host;
    this.#options = options;
    this.#clock = clock;
    this.#newChannel = newChannel;
  }

  /** @throws EtcdCallError */
  async txn(request: ITxnRequest, limits: CallLimits): Promise<ITxnResponse> {
    return this.#withToken(limits, () =>
      this.#unary('KV', limits, ({ stub, metadata }, done) => stub.txn(request, metadata, {}, done)),
    );
  }

  /** @throws EtcdCallError */
  async status(limits: CallLimits): Promise<IStatusResponse> {
    return this.#withToken(limits, () =>
      this.#unary('Maintenance', limits, ({ stub, metadata }, done) => stub.status({}, metadata, {}, done)),
    );
  }

  /**
   * A new watch stream on a new connection: a slow reader of it holds up nothing else, and it never inherits a dead
   * connection. The member ends it when it loses its leader.
   *
   * @throws EtcdCallError
   */
  async watch(signal: CancelSignal): Promise<OpenWatch> {
    const token = await this.#freshToken({ deadlineMs: callDeadlineMs, signal });
    const channel = this.#openChannel();
    try {
      const { stub, metadata } = await this.#service(channel, 'Watch');
      await this.#connected(stub.getChannel(), signal);
      // etcd: `rpctypes.MetadataRequireLeaderKey`.
      metadata.set('hasleader', 'true');
      if (token !== undefined) metadata.set('token', token);
      const duplex = stub.watch(metadata);
      return {
        duplex,
        close: () => {
          duplex.cancel();
          channel.close();
        },
      };
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /** Drops the connection; the next call makes a new one. Calls under way end by their own deadlines. */
  reset(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#token = undefined;
  }

  async #withToken<A>(limits: CallLimits, call: () => Promise<A>): Promise<A> {
    try {
      return await call();
    } catch (error) {
      const renewable = error instanceof EtcdCallError && wantsNewToken(error);
      if (!renewable || this.#options.auth === undefined || limits.signal.aborted) throw error;
      this.#token = undefined;
      return call();
    }
  }

  async #unary<S extends ServiceName, A>(name: S, limits: CallLimits, start: Start<S, A>): Promise<A> {
    const token = name === 'Auth' ? undefined : await this.#freshToken(limits);
    const service = await this.#service(this.#open(), name);
    await this.#connected(service.stub.getChannel(), limits.signal);
    if (token !== undefined) service.metadata.set('token', token);
    try {
      return await this.#exchange(limits, (done) => start(service, done));
    } catch (error) {
      // The connection may be half-open: nothing would tell before gRPC's keepalive, seconds later.
      const isHalfOpen = error instanceof EtcdCallError && error.stage === 'timed-out';
      // gRPC dials on for ever with the certificates that the channel was made with; they may have been put right since.
      const isOutdated = this.#options.tls !== undefined && isFailing(service.stub.getChannel());
      if (isHalfOpen || isOutdated) this.reset();
      throw error;
    }
  }

  async #exchange<A>(limits: CallLimits, start: (done: Done<A>) => RpcCall): Promise<A> {
    const settled = new AbortController();
    let cancel: (() => void) | undefined;
    try {
      return await new Promise<A>((resolve, reject) => {
        let givenUp: 'timed-out' | 'cancelled' | undefined;
        const call = this.#begin(start, (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(this.#callError(givenUp, error, limits));
        });
        const giveUp = (how: 'timed-out' | 'cancelled') => {
          givenUp ??= how;
          call.cancel();
        };
        cancel = () => giveUp('cancelled');
        limits.signal.addEventListener('abort', cancel, { once: true });
        if (limits.signal.aborted) cancel();
        void this.#clock.sleep(limits.deadlineMs, settled.signal).then(() => {
          if (!settled.signal.aborted) giveUp('timed-out');
        });
      });
    } finally {
      settled.abort();
      if (cancel !== undefined) limits.signal.removeEventListener('abort', cancel);
    }
  }

  /** grpc-js throws at once when the channel was closed by a reset since it was taken. */
  #begin<A>(start: (done: Done<A>) => RpcCall, done: Done<A>): RpcCall {
    try {
      return start(done);
    } catch (error) {
      throw new EtcdCallError('not-sent', error instanceof Error ? error.message : String(error));
    }
  }

  #callError(
    givenUp: 'timed-out' | 'cancelled' | undefined,
    error: RpcError | null,
    limits: CallLimits,
  ): EtcdCallError {
    if (givenUp === 'cancelled')
      return new EtcdCallError('cancelled', `the call to ${this.address} was given up`);
    if (givenUp === 'timed-out') {
      return new EtcdCallError('timed-out', `${this.address} did not answer within ${limits.deadlineMs} ms`);
    }
    const details = error?.details ?? error?.message ?? 'an empty answer';
    return new EtcdCallError('status', details, error?.code);
  }

  /** Returns when a call would be sent, or would fail at once and say why. */
  async #connected(
    channel: ReturnType<Service<'KV'>['stub']['getChannel']>,
    signal: CancelSignal,
  ): Promise<void> {
    const timer = new AbortController();
    const onAbort = () => timer.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    let late = false;
    const limit = this.#clock.sleep(connectDeadlineMs, timer.signal).then(() => {
      late = true;
    });
    try {
      while (!late && !signal.aborted) {
        const state = channel.getConnectivityState(true);
        if (state !== channelState.idle && state !== channelState.connecting) return;
        const changed = new Promise<void>((resolve) => {
          channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, resolve);
        });
        await Promise.race([changed, limit]);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      timer.abort();
    }
    if (signal.aborted) throw new EtcdCallError('not-sent', 'it was given up before it was sent');
    this.reset();
    throw new EtcdCallError('not-sent', `no connection to ${this.address} within ${connectDeadlineMs} ms`);
  }

  async #freshToken(limits: CallLimits): Promise<string | undefined> {
    const { auth } = this.#options;
    if (auth === undefined) return undefined;
    this.#token ??= this.#authenticate(auth.user, auth.passwordFile, limits);
    const token = this.#token;
    try {
      return await token;
    } catch (error) {
      if (this.#token === token) this.#token = undefined;
      // Nothing of the caller's own was sent yet, whatever became of the request for a token.
      if (error instanceof EtcdCallError && judge(error) === 'outcome-unknown') {
        throw new EtcdCallError('not-sent', error.message);
      }
      throw error;
    }
  }

  async #authenticate(name: string, passwordFile: string, limits: CallLimits): Promise<string | undefined> {
    const password = this.#reading(() => readSecret('etcd', passwordFile));
    try {
      const answer = await this.#unary<'Auth', IAuthenticateResponse>(
        'Auth',
        limits,
        ({ stub, metadata }, done) => stub.authenticate({ name, password }, metadata, {}, done),
      );
      return answer.token;
    } catch (error) {
      // A store without users takes anyone; `etcdctl auth enable` may come later.
      if (error instanceof EtcdCallError && /authentication is not enabled/.test(error.message))
        return undefined;
      throw error;
    }
  }

  async #service<S extends ServiceName>(channel: Channel, name: S): Promise<Service<S>> {
    try {
      return await channel.service(name);
    } catch (error) {
      // etcd3 refuses a client that a reset closed meanwhile.
      throw new EtcdCallError('not-sent', error instanceof Error ? error.message : String(error));
    }
  }

  #open(): Channel {
    this.#channel ??= this.#openChannel();
    return this.#channel;
  }

  #openChannel(): Channel {
    return this.#reading(() => this.#newChannel(this.#host, this.#options));
  }

  /** A file that cannot be read while its replacement is put in place is trouble with the connection, not a defect. */
  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isWeftError(error)) throw new EtcdCallError('not-sent', error.message.replace(/\.$/, ''));
      throw error;
    }
  }
}

function isFailing(channel: { getConnectivityState(connect: boolean): number }): boolean {
  return channel.getConnectivityState(false) === channelState.failing;
}

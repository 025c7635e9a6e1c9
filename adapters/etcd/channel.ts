/**
 * The seam to `etcd3`: its client for one member, with everything that it would do behind our back switched off.
 *
 * What is used of the package is its generated gRPC services over a channel. Its retries repeat writes, its circuit
 * breaker refuses calls for 5 s, its watcher resumes from the store's revision instead of the last delivered event and so
 * loses entries in silence, and its authenticator renews a refused token without end: none of them is used.
 */
import { noop } from 'cockatiel';
import type {
  IAuthenticateRequest,
  IAuthenticateResponse,
  IStatusRequest,
  IStatusResponse,
  ITxnRequest,
  ITxnResponse,
  IWatchRequest,
  IWatchResponse,
} from 'etcd3';
import { Etcd3 } from 'etcd3';
import { formatHost } from '../cluster-url.ts';
import { readTlsFiles } from '../credentials.ts';
import { keepaliveTimeMs, keepaliveTimeoutMs, reconnectDelayMsMax, reconnectDelayMsMin } from './limits.ts';
import type { EtcdHost, EtcdOptions } from './options.ts';

/** The part of grpc-js' metadata that we use. */
export interface RpcMetadata {
  set(key: string, value: string): void;
}

/** A failed call as grpc-js reports it. */
export interface RpcError extends Error {
  readonly code?: number;
  readonly details?: string;
}

export interface RpcCall {
  cancel(): void;
}

type Unary<Q, A> = (
  request: Q,
  metadata: RpcMetadata,
  options: object,
  done: (error: RpcError | null, answer?: A) => void,
) => RpcCall;

export interface WatchDuplex extends RpcCall {
  write(request: IWatchRequest): unknown;
  on(event: 'data', listener: (message: IWatchResponse) => void): unknown;
  on(event: 'error', listener: (error: RpcError) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** Channel states of gRPC (https://grpc.github.io/grpc/core/md_doc_connectivity-semantics-and-api.html). */
export const channelState = { idle: 0, connecting: 1, ready: 2, failing: 3, shutdown: 4 } as const;

interface RpcChannel {
  getConnectivityState(connect: boolean): number;
  watchConnectivityState(current: number, deadline: number, done: () => void): void;
}

interface RpcServices {
  readonly KV: { txn: Unary<ITxnRequest, ITxnResponse> };
  readonly Auth: { authenticate: Unary<IAuthenticateRequest, IAuthenticateResponse> };
  readonly Maintenance: { status: Unary<IStatusRequest, IStatusResponse> };
  readonly Watch: { watch(metadata: RpcMetadata): WatchDuplex };
}

export type ServiceName = keyof RpcServices;

export interface Service<S extends ServiceName> {
  readonly stub: RpcServices[S] & { getChannel(): RpcChannel };
  /** Fresh for this call. */
  readonly metadata: RpcMetadata;
}

/** A way to one member: what `openChannel` opens, and what tests put in its place. */
export interface Channel {
  service<S extends ServiceName>(name: S): Promise<Service<S>>;
  close(): void;
}

/** @throws WeftError `bad-configuration` when a certificate or key cannot be read */
export type OpenChannel = (host: EtcdHost, options: EtcdOptions) => Channel;

/** One client of one member. Its connections are its own: closing it and making another gives a new connection. */
export class EtcdChannel extends Etcd3 implements Channel {
  async service<S extends ServiceName>(name: S): Promise<Service<S>> {
    return this.pool.withConnection(name, ({ client, metadata }) => ({
      // The stub is made from etcd's protocol file at run time; etcd3 types it as a bare gRPC client.
      stub: client as unknown as Service<S>['stub'],
      metadata: metadata.clone(),
    }));
  }
}

export const openChannel: OpenChannel = (host, options) => {
  const credentials = options.tls === undefined ? undefined : readCredentials(options);
  return new EtcdChannel({
    hosts: [`${options.tls === undefined ? 'http' : 'https'}://${formatHost(host)}`],
    faultHandling: { host: () => noop, global: noop },
    ...(credentials === undefined ? {} : { credentials }),
    grpcOptions: {
      // The default of 4 MiB fails every catch-up that is larger, for ever.
      'grpc.max_receive_message_length': -1,
      'grpc.keepalive_time_ms': keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': reconnectDelayMsMin,
      'grpc.max_reconnect_backoff_ms': reconnectDelayMsMax,
      'grpc.enable_retries': 0,
      // Otherwise a new channel would be given the old, perhaps half-open connection.
      'grpc.use_local_subchannel_pool': 1,
      // The store is reached directly, whatever http_proxy says; and no TXT look-ups for service configurations.
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
    },
  });
};

/** What etcd3 calls credentials; without a CA file the system's certificates are used. */
type Credentials = { rootCertificate: Buffer; privateKey?: Buffer; certChain?: Buffer };

function readCredentials({ tls = {} }: EtcdOptions): Credentials | undefined {
  const { ca, cert, key } = readTlsFiles('etcd', tls);
  if (ca === undefined && cert === undefined) return undefined;
  const own = cert === undefined || key === undefined ? {} : { certChain: cert, privateKey: key };
  // grpc-js takes a null root for "those of the system"; etcd3's types leave that out.
  return { rootCertificate: ca ?? (null as unknown as Buffer), ...own };
}

/**
 * Connections to one member, as Node's HTTP agents keep them, with three things that those do not do: give up on a
 * connection that does not come about, tell a failure before anything was sent from one after, and tell when a connection
 * ends in the middle of an answer, about which the client library says nothing.
 *
 * Certificates are read for every new connection.
 */
import { Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/ports/clock.ts';
import type { ClusterTls } from '../cluster-url.ts';
import { readTlsFiles, type TlsFiles } from '../credentials.ts';
import { connectDeadlineMs } from './limits.ts';

export interface AgentOptions {
  readonly clock: Clock;
  readonly connectionsMax: number;
  readonly tls: ClusterTls | undefined;
  /** Called whenever a connection has ended, for whatever reason. */
  readonly onClosed: () => void;
}

export type Agent = PlainAgent | TlsAgent;

/** Errors of sockets that had not come about yet: no byte of a request was sent. */
const unsentErrors = new WeakSet<object>();

/** Whether this error, as a request reports it, came before anything could be sent. */
export function isUnsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsentErrors.has(error);
}

export function openAgent(options: AgentOptions): Agent {
  const { connectionsMax: maxSockets, tls } = options;
  return tls === undefined
    ? new WatchedPlainAgent({ keepAlive: true, maxSockets }, options)
    : new WatchedTlsAgent({ keepAlive: true, maxSockets }, options, tls);
}

/** Closes connections that no call uses: they may be half-open. */
export function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

class WatchedPlainAgent extends PlainAgent {
  readonly #watched: AgentOptions;

  constructor(settings: { keepAlive: boolean; maxSockets: number }, watched: AgentOptions) {
    super(settings);
    this.#watched = watched;
  }

  override createConnection(
    ...[options, done]: Parameters<PlainAgent['createConnection']>
  ): Duplex | null | undefined {
    return watch(super.createConnection(bare(options), done), 'connect', this.#watched);
  }
}

class WatchedTlsAgent extends TlsAgent {
  readonly #watched: AgentOptions;
  readonly #tls: ClusterTls;

  constructor(settings: { keepAlive: boolean; maxSockets: number }, watched: AgentOptions, tls: ClusterTls) {
    super(settings);
    this.#watched = watched;
    this.#tls = tls;
  }

  override createConnection(
    ...[options, done]: Parameters<TlsAgent['createConnection']>
  ): Duplex | null | undefined {
    let files: TlsFiles;
    try {
      files = readTlsFiles('Consul', this.#tls);
    } catch (error) {
      // Thrown from here it would end the process: Node calls this also when no request is on the stack.
      return watch(new Socket().destroy(error as Error), 'connect', this.#watched);
    }
    return watch(
      super.createConnection({ ...bare(options), ...files }, done),
      'secureConnect',
      this.#watched,
    );
  }
}

/** An IPv6 address comes in the brackets that it has in a URL, under which no resolver knows it. */
function bare<O extends { host?: string | null | undefined }>(options: O): O {
  return { ...options, host: options.host?.replace(/^\[(.*)\]$/, '$1') };
}

function watch<S extends Duplex | null | undefined>(socket: S, ready: string, options: AgentOptions): S {
  if (socket === null || socket === undefined) return socket;
  const settled = new AbortController();
  let isReady = false;
  socket.once(ready, () => {
    isReady = true;
    settled.abort();
  });
  socket.on('error', (error: Error) => {
    if (!isReady) unsentErrors.add(error);
  });
  socket.once('close', () => {
    settled.abort();
    options.onClosed();
  });
  void options.clock.sleep(connectDeadlineMs, settled.signal).then(() => {
    if (!settled.signal.aborted) socket.destroy(new Error(`no connection within ${connectDeadlineMs} ms`));
  });
  return socket;
}

/**
 * The HTTP side of the API: every route of the contract, requests validated on the way in, errors made into problem
 * documents on the way out, and a request's work cancelled when its client goes away. Knows nothing of what the
 * handlers do.
 */
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { contract, type Operation } from '../../api/contract.ts';
import { explainIssues } from '../../api/explain.ts';
import {
  bodyBytesMax,
  connectionsMax,
  keepAliveMs,
  refLengthMax,
  requestReceiveMsMax,
} from '../../api/limits.ts';
import { problemMediaType, problemOf } from '../../api/problem.ts';
import {
  ordinalHeader,
  type Route,
  type RouteName,
  routeNames,
  routes,
  storeHeader,
  versionHeader,
} from '../../api/routes.ts';
import { WeftError } from '../../core/errors.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { Callers, type PeerUid } from './caller.ts';
import { failureOf, malformed } from './failures.ts';
import type { Call, Handlers } from './handlers/handler.ts';
import { acceptJson } from './json-body.ts';

/** What every answer says of the daemon, beside what the route is about. */
export interface Standing {
  readonly version: string;
  readonly ordinal: number;
  readonly storeReachable: boolean;
}

export interface HttpServerPorts {
  readonly handlers: Handlers;
  readonly standing: () => Standing;
  readonly peerUid: PeerUid;
  readonly logger: Logger;
}

/** How often Node looks for clients that are too slow in sending. */
const slowClientCheckMs = 1_000;

type AnyHandler = (call: Call<RouteName>) => Promise<unknown>;

export class HttpServer {
  readonly #ports: HttpServerPorts;
  readonly #callers: Callers;
  readonly #app: FastifyInstance;
  readonly #underWay = new Map<AbortController, Promise<void>>();
  #stopping = false;

  constructor(ports: HttpServerPorts) {
    this.#ports = ports;
    this.#callers = new Callers(ports.peerUid);
    this.#app = fastify({
      bodyLimit: bodyBytesMax,
      requestTimeout: requestReceiveMsMax,
      keepAliveTimeout: keepAliveMs,
      http: { connectionsCheckingInterval: slowClientCheckMs, headersTimeout: requestReceiveMsMax },
      // Percent-encoding makes at most nine characters of one (three bytes of UTF-8).
      routerOptions: { maxParamLength: 9 * refLengthMax },
      clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket),
      frameworkErrors: (error, _request, reply) => void this.#refuse(reply as unknown as FastifyReply, error),
    });
    this.#app.server.maxConnections = connectionsMax;
    acceptJson(this.#app);
    this.#app.addHook('onRequest', async (_request, reply) => this.#describe(reply));
    this.#app.setErrorHandler((error, request, reply) => this.#refuse(reply, error, request));
    this.#app.setNotFoundHandler((request, reply) => this.#refuse(reply, noSuchRoute(request), request));
    for (const name of routeNames) this.#addRoute(name);
  }

  /** @param listen binds the server; called once all routes are in place */
  async start(listen: (server: FastifyInstance['server']) => Promise<void>): Promise<void> {
    await this.#app.ready();
    await listen(this.#app.server);
  }

  /** Cancels what is under way, lets it answer for at most `graceMs`, then ends every connection. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const server = this.#app.server;
    const closed = new Promise<void>((resolve) => {
      // Not listening any more is what we want; an error says no more than that it was so already.
      server.close(() => resolve());
    });
    for (const scope of this.#underWay.keys()) scope.abort();
    await Promise.race([Promise.allSettled(this.#underWay.values()), pause(graceMs)]);
    server.closeAllConnections();
    await closed;
    await this.#app.close();
  }

  #addRoute(name: RouteName): void {
    const route: Route = routes[name];
    const operation: Operation = contract[name];
    // The contract's types tie each handler to its route; across all routes at once they cannot be said.
    const handler = this.#ports.handlers[name] as AnyHandler;
    this.#app.route({
      method: route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const answer = await this.#carryOut(operation, handler, request, reply);
        // A change's answer says the ordinal after it; a read's holds at least what its header said at the start.
        if (route.method !== 'GET') this.#describe(reply);
        return reply.code(operation.status).send(answer);
      },
    });
  }

  async #carryOut(
    operation: Operation,
    handler: AnyHandler,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    if (this.#stopping) throw new WeftError('closed', 'The daemon is stopping: try again when it is back');
    const scope = new AbortController();
    reply.raw.once('close', () => scope.abort());
    const call = {
      ...parseRequest(operation, request),
      context: { by: this.#callers.of(request.raw.socket), signal: scope.signal },
    } as Call<RouteName>;
    const work = handler(call);
    const settled = work.then(ignore, ignore);
    this.#underWay.set(scope, settled);
    try {
      return await work;
    } finally {
      this.#underWay.delete(scope);
    }
  }

  #describe(reply: FastifyReply): void {
    const { version, ordinal, storeReachable } = this.#ports.standing();
    reply.header(versionHeader, version);
    reply.header(ordinalHeader, String(ordinal));
    reply.header(storeHeader, storeReachable ? 'reachable' : 'unreachable');
  }

  #refuse(reply: FastifyReply, error: unknown, request?: FastifyRequest): FastifyReply {
    const failure = failureOf(error);
    const values = { method: request?.method, url: request?.url.slice(0, refLengthMax), code: failure.code };
    if (failure.code === 'internal') this.#ports.logger.error('A request failed', { ...values, error });
    else this.#ports.logger.debug('A request was refused', { ...values, reason: failure.message });
    const problem = problemOf(failure);
    // As bytes: of a text fastify would say the charset, which RFC 9457's media type does not have.
    const bytes = Buffer.from(JSON.stringify(problem));
    return reply.code(problem.status).header('content-type', problemMediaType).send(bytes);
  }
}

function parseRequest(operation: Operation, request: FastifyRequest): Omit<Call<RouteName>, 'context'> {
  if (operation.body === undefined && request.body !== undefined) throw malformed('this route takes no body');
  const parsed = {
    params: parsePart(operation.params, request.params, 'path'),
    query: parsePart(operation.query, request.query, 'query'),
    body: operation.body === undefined ? undefined : parsePart(operation.body, request.body, 'body'),
  };
  return parsed as Omit<Call<RouteName>, 'context'>;
}

function parsePart(schema: Operation['params'], value: unknown, root: string): unknown {
  const result = schema.safeParse(value);
  if (!result.success) throw malformed(explainIssues(result.error, root));
  return result.data;
}

function noSuchRoute(request: FastifyRequest): WeftError {
  const path = (request.url.split('?')[0] ?? '').slice(0, refLengthMax);
  return new WeftError(
    'not-found',
    `The API has no ${request.method} ${path}: GET /v1/openapi.json lists what it has`,
  );
}

/** Node could not read the request as HTTP; there is no reply object yet, only the socket. */
function answerBrokenRequest(error: Error, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { code } = error as NodeJS.ErrnoException;
  const failure =
    code === undefined || !(code in brokenRequests) ? malformed('it is not HTTP') : failureOf(error);
  const problem = problemOf(failure);
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} Bad Request\r\nConnection: close\r\nContent-Type: ${problemMediaType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const brokenRequests: Readonly<Record<string, true>> = {
  HPE_HEADER_OVERFLOW: true,
  ERR_HTTP_REQUEST_TIMEOUT: true,
};

function ignore(): void {
  // What a request ended in is told to its client, not to whoever waits for the end of all of them.
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

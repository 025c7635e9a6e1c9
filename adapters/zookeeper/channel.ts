/**
 * The seam to `node-zookeeper-client`: one connection to one server, with a session of its own, that ends at the first
 * trouble and is never mended.
 *
 * What is used of the package is its wire format and its handshake, pings, authentication and matching of answers. What it
 * would do behind our back is not used: it waits for ever on a server that is frozen, sends what was queued before a
 * disconnection after it (so that a request that was given up happens much later), keeps half an answer of one connection
 * for the next, drops requests without a call when a session expires, throws inside a socket's handler at codes that it
 * does not know, and asserts on sizes. It knows no TLS either: the socket is ours (`socket.ts`).
 *
 * Answers come in the order of the requests (ZooKeeper, "FIFO client order"), so that the oldest request's age is the
 * connection's health.
 */
import type { Socket } from 'node:net';
import aclTable from 'node-zookeeper-client/lib/ACL.js';
import ConnectionManager from 'node-zookeeper-client/lib/ConnectionManager.js';
import jute, { type Payload, type ResponsePayload, type Stat } from 'node-zookeeper-client/lib/jute/index.js';
import { WeftError } from '../../core/errors.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { formatHost } from '../cluster-url.ts';
import { ZookeeperCallError, zkCode } from './errors.ts';
import { FrameCutter } from './frames.ts';
import {
  callDeadlineMs,
  closeGraceMs,
  requestBytesMax,
  sessionDeadlineMs,
  sessionTimeoutMs,
} from './limits.ts';
import type { ZookeeperHost, ZookeeperOptions } from './options.ts';
import { openSocket, readDigest } from './socket.ts';

/** What is known of a node beside its data. */
export interface NodeStat {
  /** Of the transaction that made it, as 16 hexadecimal digits: equal to and sorted like the number. */
  readonly czxid: string;
  readonly version: number;
  /** Children that were ever made under it. */
  readonly creations: number;
  readonly children: number;
}

export interface NodeData {
  readonly data: Buffer;
  readonly stat: NodeStat;
}

export type MultiOp =
  | { readonly type: 'check'; readonly path: string; readonly version?: number }
  | { readonly type: 'create'; readonly path: string; readonly data?: Buffer; readonly sequential?: boolean }
  | { readonly type: 'set'; readonly path: string; readonly data: Buffer; readonly version?: number }
  | { readonly type: 'delete'; readonly path: string };

/** All of it was done, or nothing; then `index` is the operation that was refused. */
export type MultiOutcome =
  | { readonly type: 'done'; readonly paths: readonly (string | undefined)[] }
  | { readonly type: 'refused'; readonly index: number; readonly code: number };

interface Pending {
  readonly startedMs: number;
  reject(error: ZookeeperCallError): void;
}

const { OP_CODES: op, protocol } = jute;
const states = ConnectionManager.STATES;
const persistent = 0;
const persistentSequential = 2;
const anyVersion = -1;
/** In an answer, behind its length: xid, zxid of eight bytes, code. */
const answerXidAt = 4;
const answerCodeAt = 16;
const systemError = -1;

/** A connection to one member: what `openChannel` opens, and what tests put in its place. */
export type Channel = Pick<ZookeeperChannel, keyof ZookeeperChannel>;

/** @throws ZookeeperCallError of stage `not-sent` */
export type OpenChannel = (
  host: ZookeeperHost,
  options: ZookeeperOptions,
  clock: Clock,
  signal: CancelSignal,
) => Promise<Channel>;

export class ZookeeperChannel {
  /** `host:port`. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #manager: ConnectionManager;
  readonly #acls: typeof aclTable.OPEN_ACL_UNSAFE;
  readonly #life = cancelScope();
  readonly #pending = new Set<Pending>();
  readonly #listeners = new Set<(path: string) => void>();
  readonly #frames = new FrameCutter();
  /** The code of the answer that is handled just now: the package does not know all of them. */
  #answerCode = 0;
  #end: ZookeeperCallError | undefined;
  #isGuarded = false;
  #onSession: () => void = () => undefined;

  /** @throws ZookeeperCallError of stage `not-sent` */
  static async open(
    host: ZookeeperHost,
    options: ZookeeperOptions,
    clock: Clock,
    signal: CancelSignal,
  ): Promise<ZookeeperChannel> {
    const digest = readDigest(options);
    const socket = await openSocket(host, options, clock, signal);
    const channel = new ZookeeperChannel(formatHost(host), socket, clock, digest);
    try {
      await channel.#handshake(signal);
      return channel;
    } catch (error) {
      channel.#finish(new ZookeeperCallError('lost', 'no session'));
      throw error;
    }
  }

  private constructor(address: string, socket: Socket, clock: Clock, digest: Buffer | undefined) {
    this.address = address;
    this.#socket = socket;
    this.#clock = clock;
    this.#acls = digest === undefined ? aclTable.OPEN_ACL_UNSAFE : aclTable.CREATOR_ALL_ACL;
    // The servers that it is given are never dialled.
    this.#manager = new ConnectionManager('unused:1', { sessionTimeout: sessionTimeoutMs }, (state) =>
      this.#onState(state),
    );
    this.#manager.socket = socket;
    this.#manager.watcherManager = { emit: ({ path }) => this.#notify(path), isEmpty: () => true };
    if (digest !== undefined) this.#manager.addAuthInfo('digest', digest);
    socket.on('data', (bytes) => this.#receive(bytes));
    socket.on('drain', () => this.#manager.onSocketDrain());
    socket.on('close', () =>
      this.#finish(new ZookeeperCallError('lost', `the connection to ${address} ended`)),
    );
  }

  /** Set once nothing can be asked any more. */
  get end(): ZookeeperCallError | undefined {
    return this.#end;
  }

  /** Aborts with the connection. */
  get life(): CancelSignal {
    return this.#life.signal;
  }

  /** Calls `onChange` with the path of every watched node that changes, until the function given back is called. */
  listen(onChange: (path: string) => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  /**
   * Undefined where there is none. A watch tells once of the next change: where there is none, of the node's creation.
   *
   * @throws ZookeeperCallError
   */
  async exists(path: string, signal: CancelSignal, watch = false): Promise<NodeStat | undefined> {
    const answer = await this.#ask(op.EXISTS, new protocol.ExistsRequest(path, watch), signal);
    return typeof answer === 'number' ? this.#absent(answer, path) : statOf(answer.stat);
  }

  /** Undefined where there is none; then no watch is set. @throws ZookeeperCallError */
  async read(path: string, signal: CancelSignal, watch = false): Promise<NodeData | undefined> {
    const answer = await this.#ask(op.GET_DATA, new protocol.GetDataRequest(path, watch), signal);
    if (typeof answer === 'number') return this.#absent(answer, path);
    return { data: answer.data ?? Buffer.alloc(0), stat: statOf(answer.stat) };
  }

  /** Names, in no order. @throws ZookeeperCallError */
  async children(
    path: string,
    signal: CancelSignal,
  ): Promise<{ readonly names: readonly string[]; readonly stat: NodeStat } | undefined> {
    const answer = await this.#ask(op.GET_CHILDREN2, new protocol.GetChildren2Request(path, false), signal);
    if (typeof answer === 'number') return this.#absent(answer, path);
    return { names: answer.children ?? [], stat: statOf(answer.stat) };
  }

  /** False where the node exists already. @throws ZookeeperCallError */
  async create(path: string, signal: CancelSignal): Promise<boolean> {
    const acl = this.#acls.map((one) => one.toRecord());
    const request = new protocol.CreateRequest(path, Buffer.alloc(0), acl, persistent);
    const answer = await this.#ask(op.CREATE, request, signal);
    if (typeof answer !== 'number') return true;
    if (answer === zkCode.nodeExists) return false;
    throw this.#refusal(answer, path);
  }

  /** One transaction. It is ordered by the leader: reads after it show all that was done before it, by anyone. */
  async multi(ops: readonly MultiOp[], signal: CancelSignal): Promise<MultiOutcome> {
    const request = new jute.TransactionRequest(ops.map((one) => this.#encode(one)));
    const answer = await this.#ask(op.MULTI, request, signal);
    if (typeof answer === 'number') throw this.#refusal(answer, ops[0]?.path ?? '');
    const results = answer.results ?? [];
    const index = results.findIndex(({ type, err }) => type === op.ERROR && err !== zkCode.ok);
    if (index < 0) return { type: 'done', paths: results.map(({ path }) => path) };
    const code = results[index]?.err ?? zkCode.ok;
    if (code === zkCode.noAuth || code === zkCode.quotaExceeded || code === zkCode.invalidAcl) {
      throw this.#refusal(code, ops[index]?.path ?? '');
    }
    return { type: 'refused', index, code };
  }

  /** Ends the session, then the connection. Idempotent. Requests under way are `cancelled`. */
  async close(): Promise<void> {
    if (this.#end !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const timer = new AbortController();
    this.#end = new ZookeeperCallError('cancelled', 'the connection was closed');
    this.#rejectAll(this.#end);
    this.#manager.close();
    this.#socket.end();
    await Promise.race([closed, this.#clock.sleep(closeGraceMs, timer.signal)]);
    timer.abort();
    this.#finish(this.#end);
  }

  async #handshake(signal: CancelSignal): Promise<void> {
    const timer = new AbortController();
    let giveUp = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string, code?: number) =>
          reject(new ZookeeperCallError('not-sent', `no session on ${this.address}: ${why}`, code));
        giveUp = () => fail('it was given up');
        this.#onSession = resolve;
        signal.addEventListener('abort', giveUp, { once: true });
        this.#life.signal.addEventListener('abort', () => fail(this.#end?.message ?? '', this.#end?.code));
        void this.#clock.sleep(sessionDeadlineMs, timer.signal).then(() => {
          if (!timer.signal.aborted) fail(`no answer within ${sessionDeadlineMs} ms`);
        });
        this.#manager.setState(states.CONNECTING);
        this.#manager.onSocketConnected();
      });
    } finally {
      timer.abort();
      signal.removeEventListener('abort', giveUp);
    }
  }

  #onState(state: number): void {
    if (state === states.CONNECTED) this.#onSession();
    if (state === states.SESSION_EXPIRED) {
      this.#finish(new ZookeeperCallError('lost', `${this.address} refused a session`));
    }
    if (state === states.AUTHENTICATION_FAILED) {
      this.#finish(
        new ZookeeperCallError('lost', `${this.address} refused the credentials`, zkCode.authFailed),
      );
    }
  }

  #receive(bytes: Buffer): void {
    try {
      for (const frame of this.#frames.push(bytes)) this.#handle(frame);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#finish(new ZookeeperCallError('lost', `${this.address} sent what is no answer: ${reason}`));
    }
  }

  #handle(frame: Buffer): void {
    if (this.#manager.state !== states.CONNECTING && frame.length >= answerCodeAt + 4) {
      this.#answerCode = frame.readInt32BE(answerCodeAt);
      // The package throws at codes that it does not know; this one it does.
      const isAnswer = frame.readInt32BE(answerXidAt) >= 0;
      if (isAnswer && this.#answerCode !== zkCode.ok) frame.writeInt32BE(systemError, answerCodeAt);
    }
    this.#manager.onSocketData(frame);
  }

  #notify(path: string): void {
    for (const listener of this.#listeners) listener(path);
  }

  /** What the server answered, or the code of its refusal. @throws ZookeeperCallError; WeftError `too-large` */
  async #ask(type: number, payload: Payload, signal: CancelSignal): Promise<ResponsePayload | number> {
    if (this.#end !== undefined) throw new ZookeeperCallError('not-sent', this.#end.message, this.#end.code);
    if (signal.aborted) throw new ZookeeperCallError('not-sent', 'it was given up before it was sent');
    assertSize(payload);
    const header = new protocol.RequestHeader();
    header.type = type;
    let giveUp = (): void => undefined;
    let pending: Pending | undefined;
    try {
      return await new Promise<ResponsePayload | number>((resolve, reject) => {
        pending = { startedMs: this.#clock.monotonicMs(), reject };
        this.#pending.add(pending);
        giveUp = () =>
          reject(new ZookeeperCallError('cancelled', `the call to ${this.address} was given up`));
        signal.addEventListener('abort', giveUp, { once: true });
        const settle = pending;
        this.#manager.queue(new jute.Request(header, payload), (error, answer) => {
          this.#pending.delete(settle);
          resolve(error === null ? (answer?.payload ?? {}) : this.#answerCode);
        });
        void this.#guard();
      });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** While anything is under way: gives the connection up when the oldest request has waited too long. */
  async #guard(): Promise<void> {
    if (this.#isGuarded) return;
    this.#isGuarded = true;
    for (;;) {
      const [oldest] = this.#pending;
      if (oldest === undefined || this.#end !== undefined) break;
      const leftMs = oldest.startedMs + callDeadlineMs - this.#clock.monotonicMs();
      if (leftMs > 0) {
        await this.#clock.sleep(leftMs, this.#life.signal);
        continue;
      }
      const reason = `${this.address} did not answer within ${callDeadlineMs} ms`;
      oldest.reject(new ZookeeperCallError('timed-out', reason));
      this.#finish(new ZookeeperCallError('lost', reason));
    }
    this.#isGuarded = false;
  }

  #finish(why: ZookeeperCallError): void {
    this.#end ??= why;
    this.#manager.setState(states.CLOSED);
    this.#socket.destroy();
    this.#rejectAll(this.#end);
    this.#life.cancel();
  }

  #rejectAll(error: ZookeeperCallError): void {
    for (const pending of this.#pending) pending.reject(error);
    this.#pending.clear();
  }

  /** @throws ZookeeperCallError unless the code says that there is no such node */
  #absent(code: number, path: string): undefined {
    if (code !== zkCode.noNode) throw this.#refusal(code, path);
  }

  #refusal(code: number, path: string): ZookeeperCallError {
    const name = Object.entries(zkCode).find(([, value]) => value === code)?.[0] ?? 'error';
    return new ZookeeperCallError('refused', `${this.address} answered ${name} (${code}) for ${path}`, code);
  }

  #encode(one: MultiOp): object {
    const { path } = one;
    switch (one.type) {
      case 'check':
        return { type: op.CHECK, path, version: one.version ?? anyVersion };
      case 'set':
        return { type: op.SET_DATA, path, data: one.data, version: one.version ?? anyVersion };
      case 'delete':
        return { type: op.DELETE, path, version: anyVersion };
      case 'create': {
        const mode = one.sequential === true ? persistentSequential : persistent;
        return { type: op.CREATE, path, data: one.data ?? Buffer.alloc(0), acls: this.#acls, mode };
      }
    }
  }
}

export const openChannel: OpenChannel = (...parts) => ZookeeperChannel.open(...parts);

/** The server would end the connection without a word (`jute.maxbuffer`). */
function assertSize(payload: Payload): void {
  const bytes = payload.byteLength();
  if (bytes <= requestBytesMax) return;
  throw new WeftError(
    'too-large',
    `Cannot send a request of ${bytes} bytes to ZooKeeper: the bound is ${requestBytesMax}; send fewer records at once.`,
  );
}

/** Numbers of 64 bits stay bytes in the package. */
function statOf(stat: Stat | undefined): NodeStat {
  if (stat === undefined) throw new Error('Broken invariant: an answer of ZooKeeper has no stat');
  return {
    czxid: stat.czxid.toString('hex'),
    version: stat.version,
    // ZooKeeper shows creations and deletions together (`DataNode.copyStat`): 2 * creations - children.
    creations: (stat.cversion + stat.numChildren) / 2,
    children: stat.numChildren,
  };
}

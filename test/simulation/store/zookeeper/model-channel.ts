/**
 * One connection to one server: requests arrive and answers come back in their order, watches between them, and the first
 * trouble is its end. What was sent before that may still be carried out.
 */
import type {
  Channel,
  MultiOp,
  MultiOutcome,
  NodeData,
  NodeStat,
} from '../../../../adapters/zookeeper/channel.ts';
import { ZookeeperCallError, zkCode } from '../../../../adapters/zookeeper/errors.ts';
import { callDeadlineMs, sessionDeadlineMs } from '../../../../adapters/zookeeper/limits.ts';
import { type CancelScope, cancelScope } from '../../../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../../../core/ports/cancel.ts';
import type { World } from '../../world/world.ts';
import type { Operation } from '../link.ts';
import type { Handle } from '../style.ts';
import { type Delivery, type Ending, Wire } from '../wire.ts';
import type { Ensemble, Served, ZookeeperServer } from './ensemble.ts';
import { type Node, statOf } from './tree.ts';

export interface ChannelParts {
  readonly world: World;
  readonly ensemble: Ensemble;
  readonly server: ZookeeperServer;
  readonly handle: Handle;
}

/** What comes back, with its place among all that the server sends; `value` is a code where it refuses. */
interface Sent {
  readonly place: number;
  readonly value: unknown;
}

interface Pending {
  readonly startedMs: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Perform = (delivery: Delivery<Sent>) => unknown;

/** In place of an answer: the server ends the connection. */
const ended = Symbol('ended');
const retryMs = 250;
/** Part of all reads. */
const troubledReads = 0.1;
/** `jute.maxbuffer`. */
const requestBytesMax = 1024 * 1024 - 1;

/** @throws ZookeeperCallError of stage `not-sent` */
export async function openModelChannel(parts: ChannelParts, signal: CancelSignal): Promise<Channel> {
  const channel = new ModelChannel(parts);
  try {
    await channel.handshake(signal);
    return channel;
  } catch (error) {
    await channel.close();
    throw error;
  }
}

class ModelChannel implements Channel, Served {
  readonly address: string;
  readonly #parts: ChannelParts;
  readonly #wire: Wire;
  readonly #life: CancelScope = cancelScope();
  readonly #pending = new Set<Pending>();
  readonly #listeners = new Set<(path: string) => void>();
  readonly #stopListening: () => void;
  /** Requests that arrived at the server before those that were sent before them. */
  readonly #arrived = new Map<number, () => void>();
  /** What came back before that what was sent before it. */
  readonly #early = new Map<number, () => void>();
  #asked = 0;
  #performed = 0;
  #answered = 0;
  #taken = 0;
  #end: ZookeeperCallError | undefined;
  #isCut = false;
  #isGuarded = false;

  constructor(parts: ChannelParts) {
    const { world, ensemble, server, handle } = parts;
    this.#parts = parts;
    this.address = `${server.address}:2181`;
    this.#wire = new Wire({ world, link: handle.link, process: handle.process, store: ensemble });
    this.#stopListening = handle.link.onReset(() => this.#finish(lost('read ECONNRESET')));
  }

  get end(): ZookeeperCallError | undefined {
    return this.#end;
  }

  get life(): CancelSignal {
    return this.#life.signal;
  }

  listen(onChange: (path: string) => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  async exists(path: string, signal: CancelSignal, watch = false): Promise<NodeStat | undefined> {
    const node = await this.#read(path, signal, watch);
    return node?.stat;
  }

  async read(path: string, signal: CancelSignal, watch = false): Promise<NodeData | undefined> {
    // Where there is none, `getData` sets no watch.
    return await this.#read(path, signal, watch ? 'if-there' : false);
  }

  async children(
    path: string,
    signal: CancelSignal,
  ): Promise<{ readonly names: readonly string[]; readonly stat: NodeStat } | undefined> {
    const answer = await this.#ask(this.#fateOfRead(), signal, () => {
      const node = this.#tree().get(path);
      // In no order.
      return node === undefined ? undefined : { names: [...node.children].reverse(), stat: statOf(node) };
    });
    return answer as { names: string[]; stat: NodeStat } | undefined;
  }

  async create(path: string, signal: CancelSignal): Promise<boolean> {
    const ops: readonly MultiOp[] = [{ type: 'create', path }];
    const outcome = await this.#transact('head', ops, signal);
    if (outcome.type === 'done') return true;
    if (outcome.code === zkCode.nodeExists) return false;
    throw refused(outcome.code, path);
  }

  async multi(ops: readonly MultiOp[], signal: CancelSignal): Promise<MultiOutcome> {
    return await this.#transact(operationOf(ops), ops, signal);
  }

  async close(): Promise<void> {
    this.#finish(new ZookeeperCallError('cancelled', 'the connection was closed'));
  }

  /** A new session is a write. */
  async handshake(signal: CancelSignal): Promise<void> {
    const { world, ensemble, server, handle } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const end = (why?: string): void => {
        giveUp();
        timer.cancelled = true;
        signal.removeEventListener('abort', cancel);
        if (why === undefined) resolve();
        else reject(new ZookeeperCallError('not-sent', `no session on ${this.address}: ${why}`));
      };
      const cancel = (): void => end('it was given up');
      const timer = world.scheduler.after(sessionDeadlineMs, handle.process, () => end('no answer'));
      signal.addEventListener('abort', cancel, { once: true });
      const giveUp = this.#wire.send<true>(
        'head',
        ({ reply }) => {
          const untilMs = Math.max(ensemble.leaderlessUntilMs, server.frozenUntilMs);
          world.scheduler.after(untilMs - world.nowMs, undefined, () => {
            if (this.#end === undefined) server.clients.add(this);
            reply(true);
          });
        },
        ({ type }) => end(type === 'answered' ? undefined : type),
      );
    });
  }

  notify(path: string): void {
    const { world, handle } = this.#parts;
    if (handle.process.dead) return this.#leave();
    const place = this.#answered++;
    const arrive = (): void => {
      // What the server says by itself is held up while wake-ups are, and all that it says later.
      if (handle.link.silent || this.#parts.ensemble.outage === 'silent') {
        world.scheduler.after(retryMs, handle.process, arrive);
        return;
      }
      this.#take(place, () => {
        for (const listener of [...this.#listeners]) listener(path);
      });
    };
    world.scheduler.after(handle.link.delayMs(), handle.process, arrive);
  }

  cut(why: string): void {
    const { world, handle } = this.#parts;
    this.#isCut = true;
    this.#leave();
    world.scheduler.after(handle.link.delayMs(), handle.process, () => this.#finish(lost(why)));
  }

  async #read(
    path: string,
    signal: CancelSignal,
    watch: boolean | 'if-there',
  ): Promise<NodeData | undefined> {
    const answer = await this.#ask(this.#fateOfRead(), signal, () => {
      const node = this.#tree().get(path);
      if (watch === true || (watch === 'if-there' && node !== undefined))
        this.#parts.server.watch(path, this);
      return node === undefined ? undefined : shown(node);
    });
    return answer as NodeData | undefined;
  }

  async #transact(
    operation: Operation,
    ops: readonly MultiOp[],
    signal: CancelSignal,
  ): Promise<MultiOutcome> {
    const { ensemble, server } = this.#parts;
    const bytes = ops.reduce(
      (sum, op) => sum + op.path.length + ('data' in op ? (op.data?.length ?? 0) : 0),
      0,
    );
    const answer = await this.#ask(operation, signal, ({ fate, isLate }) => {
      if (fate === 'full') return zkCode.quotaExceeded;
      // Without a word.
      if (bytes > requestBytesMax) return ended;
      return ensemble.multi(server, ops, isLate) ?? ended;
    });
    if (typeof answer === 'number') throw refused(answer, ops[0]?.path ?? '');
    return answer as MultiOutcome;
  }

  /** An answer of the log takes several reads, and any trouble ends the whole connection: few of them meet some. */
  #fateOfRead(): 'head' | undefined {
    return this.#parts.ensemble.traps.chance.happens(troubledReads) ? 'head' : undefined;
  }

  #tree() {
    return this.#parts.server.tree;
  }

  #ask(operation: Operation | undefined, signal: CancelSignal, perform: Perform): Promise<unknown> {
    if (this.#end !== undefined)
      return Promise.reject(new ZookeeperCallError('not-sent', this.#end.message, this.#end.code));
    if (signal.aborted) return Promise.reject(new ZookeeperCallError('not-sent', 'it was given up before'));
    const number = this.#asked++;
    return new Promise((resolve, reject) => {
      const cancel = (): void => reject(new ZookeeperCallError('cancelled', 'the call was given up'));
      const pending: Pending = {
        startedMs: this.#parts.world.nowMs,
        resolve: (value) => {
          signal.removeEventListener('abort', cancel);
          resolve(value);
        },
        reject: (error) => {
          signal.removeEventListener('abort', cancel);
          reject(error);
        },
      };
      signal.addEventListener('abort', cancel, { once: true });
      this.#pending.add(pending);
      this.#guard();
      this.#wire.send<Sent>(
        operation,
        (delivery) => {
          this.#arrived.set(number, () => this.#perform(perform, delivery));
          this.#serve();
        },
        (ending) => this.#conclude(ending, pending),
      );
    });
  }

  /** At the server: what has arrived, in the order in which it was sent. */
  #serve(): void {
    const { world, server } = this.#parts;
    for (
      let next = this.#arrived.get(this.#performed);
      next !== undefined;
      next = this.#arrived.get(this.#performed)
    ) {
      if (this.#isCut) return;
      if (server.frozenUntilMs > world.nowMs) {
        world.scheduler.after(server.frozenUntilMs - world.nowMs, undefined, () => this.#serve());
        return;
      }
      this.#arrived.delete(this.#performed);
      this.#performed += 1;
      next();
    }
  }

  #perform(perform: Perform, delivery: Delivery<Sent>): void {
    const value = perform(delivery);
    if (value === ended) return this.cut('the server ended the connection');
    delivery.reply({ place: this.#answered++, value });
  }

  #conclude(ending: Ending<Sent>, pending: Pending): void {
    if (ending.type !== 'answered') return this.#finish(lost(ending.type));
    const { place, value } = ending.answer;
    this.#take(place, () => {
      this.#pending.delete(pending);
      pending.resolve(value);
    });
  }

  /** At the client: what has come back, in the order in which it was sent. */
  #take(place: number, act: () => void): void {
    this.#early.set(place, act);
    for (let next = this.#early.get(this.#taken); next !== undefined; next = this.#early.get(this.#taken)) {
      if (this.#end !== undefined) return;
      this.#early.delete(this.#taken);
      this.#taken += 1;
      next();
    }
  }

  /** Gives the connection up when the oldest request has waited too long. */
  #guard(): void {
    if (this.#isGuarded) return;
    const [oldest] = this.#pending;
    if (oldest === undefined || this.#end !== undefined) return;
    const { world, handle } = this.#parts;
    this.#isGuarded = true;
    world.scheduler.after(oldest.startedMs + callDeadlineMs - world.nowMs, handle.process, () => {
      this.#isGuarded = false;
      if (!this.#pending.has(oldest)) return this.#guard();
      this.#pending.delete(oldest);
      oldest.reject(new ZookeeperCallError('timed-out', `${this.address} did not answer`));
      this.#finish(lost(`${this.address} did not answer`));
    });
  }

  #finish(why: ZookeeperCallError): void {
    if (this.#end !== undefined) return;
    this.#end = why;
    this.#stopListening();
    this.#leave();
    for (const { reject } of this.#pending) reject(why);
    this.#pending.clear();
    this.#life.cancel();
  }

  #leave(): void {
    this.#parts.server.clients.delete(this);
  }
}

function shown(node: Node): NodeData {
  // With bytes of its own: whoever reads it may write over them.
  return { data: Buffer.from(node.data), stat: statOf(node) };
}

function lost(why: string): ZookeeperCallError {
  return new ZookeeperCallError('lost', why);
}

function refused(code: number, path: string): ZookeeperCallError {
  return new ZookeeperCallError('refused', `refused with ${code} for ${path}`, code);
}

/** For the link. */
function operationOf(ops: readonly MultiOp[]): Operation {
  if (ops.every(({ type }) => type === 'check')) return 'head';
  if (ops.some(({ path }) => path.endsWith('/log-id'))) return 'open';
  return ops.some((op) => op.type === 'create' && op.sequential === true) ? 'append' : 'resolve';
}

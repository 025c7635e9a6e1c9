/**
 * The ensemble as one thing: one channel at a time to the member that is preferred, and whether the store can be reached.
 *
 * A member is preferred until it fails; then the next has its turn. The first is drawn by lot, so that many hosts spread
 * over the members. Every channel has a new session: a server refuses a client that has seen more than it has, and after a
 * restore from a backup that is every client that was there before. What a new session sees may be old; whoever needs more
 * makes a transaction first (`Channel.multi`), which is stricter than ZooKeeper's `sync` (that a deposed leader may answer).
 */
import { WeftError } from '../../core/errors.ts';
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Channel, OpenChannel } from './channel.ts';
import { asCallError, judge, ZookeeperCallError } from './errors.ts';
import { readTriesMax } from './limits.ts';
import type { ZookeeperHost, ZookeeperOptions } from './options.ts';

export class Connection {
  readonly #options: ZookeeperOptions;
  readonly #clock: Clock;
  /** Ends with `close`. */
  readonly #life: CancelSignal;
  readonly #newChannel: OpenChannel;
  #preferred: number;
  #channel: Channel | undefined;
  #opening: Promise<Channel> | undefined;
  #failuresInRow = 0;
  #health: LogHealth = { reachable: false, reason: 'not asked yet' };

  constructor(
    options: ZookeeperOptions,
    clock: Clock,
    random: Random,
    life: CancelSignal,
    newChannel: OpenChannel,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#life = life;
    this.#newChannel = newChannel;
    this.#preferred = Math.floor(random.unit() * options.hosts.length);
  }

  get health(): LogHealth {
    return this.#health;
  }

  /** The channel that stands, or a new one, from the first member in turn that gives one. @throws ZookeeperCallError */
  async channel(signal: CancelSignal): Promise<Channel> {
    if (this.#channel !== undefined && this.#channel.end === undefined) return this.#channel;
    if (signal.aborted) throw givenUp();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    // Others may wait for the same one: who gives up leaves it to them.
    return raced(this.#opening, signal);
  }

  /** A read, repeated on the next member as long as only the connection is to blame. @throws ZookeeperCallError */
  async read<T>(signal: CancelSignal, ask: (channel: Channel) => Promise<T>): Promise<T> {
    const tries = Math.max(readTriesMax, this.#options.hosts.length);
    for (let left = tries; ; left -= 1) {
      try {
        const channel = await this.channel(signal);
        return await this.exchange(channel, ask);
      } catch (thrown) {
        const error = asCallError(thrown);
        const { stage, code } = error;
        const isRefusal = stage === 'refused' || code !== undefined;
        if (left <= 1 || signal.aborted || stage === 'cancelled' || isRefusal) throw error;
      }
    }
  }

  /** Something asked on one channel, counted for health. @throws ZookeeperCallError */
  async exchange<T>(channel: Channel, ask: (channel: Channel) => Promise<T>): Promise<T> {
    try {
      const answer = await ask(channel);
      this.noteSuccess();
      return answer;
    } catch (error) {
      if (error instanceof ZookeeperCallError) this.noteFailure(error);
      throw error;
    }
  }

  noteSuccess(): void {
    this.#failuresInRow = 0;
    if (!this.#health.reachable) this.#health = { reachable: true };
  }

  /** Failures count once every member had its turn: the loss of one of three is no loss of the store. */
  noteFailure(error: ZookeeperCallError): void {
    if (error.stage === 'cancelled') return;
    if (error.stage === 'refused' && judge(error) !== 'store-auth') return this.noteSuccess();
    this.#failuresInRow += 1;
    if (this.#failuresInRow >= this.#options.hosts.length)
      this.#health = { reachable: false, reason: error.message };
  }

  async close(): Promise<void> {
    const opening = this.#opening?.catch(() => undefined);
    await Promise.all([this.#channel?.close(), opening]);
    await this.#channel?.close();
  }

  async #open(): Promise<Channel> {
    // After a loss another member may well be up when the one that was preferred is not.
    if (this.#channel !== undefined) this.#turn();
    this.#channel = undefined;
    for (let left = this.#options.hosts.length; ; left -= 1) {
      try {
        const channel = await this.#newChannel(this.#host(), this.#options, this.#clock, this.#life);
        this.#channel = channel;
        return channel;
      } catch (thrown) {
        const error = asCallError(thrown);
        this.noteFailure(error);
        this.#turn();
        if (left <= 1 || this.#life.aborted) throw error;
      }
    }
  }

  #turn(): void {
    this.#preferred = (this.#preferred + 1) % this.#options.hosts.length;
  }

  #host(): ZookeeperHost {
    const host = this.#options.hosts[this.#preferred];
    if (host === undefined)
      throw new WeftError('internal', 'Cannot choose a server of ZooKeeper: the URL names none.');
    return host;
  }
}

function givenUp(): ZookeeperCallError {
  return new ZookeeperCallError('not-sent', 'it was given up before it was sent');
}

/** @throws ZookeeperCallError when `signal` aborts first */
async function raced<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(givenUp());
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

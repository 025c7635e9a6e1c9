/**
 * The ensemble as one thing: one channel at a time to the member that is preferred, and whether the store can be reached.
 *
 * Whose turn it is, `Rota` says. Every channel has a new session: a server refuses a client that has seen more than it has, and after a
 * restore from a backup that is every client that was there before. What a new session sees may be old; whoever needs more
 * makes a transaction first (`Channel.multi`), which is stricter than ZooKeeper's `sync` (that a deposed leader may answer).
 */
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import { Rota } from '../rota.ts';
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
  readonly #rota: Rota<ZookeeperHost>;
  #channel: Channel | undefined;
  #opening: Promise<Channel> | undefined;

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
    this.#rota = new Rota(options.hosts, random);
  }

  get health(): LogHealth {
    return this.#rota.health;
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
      if (error instanceof ZookeeperCallError) {
        this.noteFailure(error);
        // A session stays who it was when it began, and the password in the file may be another one since.
        if (judge(error) === 'store-auth') await channel.close();
      }
      throw error;
    }
  }

  noteSuccess(): void {
    this.#rota.noteSuccess();
  }

  noteFailure(error: ZookeeperCallError): void {
    if (error.stage === 'cancelled') return;
    if (error.stage === 'refused' && judge(error) !== 'store-auth') return this.noteSuccess();
    this.#rota.noteFailure(error);
  }

  async close(): Promise<void> {
    const opening = this.#opening?.catch(() => undefined);
    await Promise.all([this.#channel?.close(), opening]);
    await this.#channel?.close();
  }

  async #open(): Promise<Channel> {
    // After a loss another member may well be up when the one that was preferred is not.
    if (this.#channel !== undefined) this.#rota.turn();
    this.#channel = undefined;
    for (let left = this.#options.hosts.length; ; left -= 1) {
      try {
        const channel = await this.#newChannel(this.#rota.preferred, this.#options, this.#clock, this.#life);
        this.#channel = channel;
        return channel;
      } catch (thrown) {
        const error = asCallError(thrown);
        this.noteFailure(error);
        this.#rota.turn();
        if (left <= 1 || this.#life.aborted) throw error;
      }
    }
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

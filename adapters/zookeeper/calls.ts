/** How a call of the port goes over the connection: when it ends early, and what its caller is told when it fails. */
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { closed } from '../log-faults.ts';
import type { Channel } from './channel.ts';
import type { Connection } from './connection.ts';
import { judge, readError, writeError, ZookeeperCallError } from './errors.ts';
import { assertFresh, type LogScope } from './transactions.ts';

export class Calls {
  readonly #url: string;
  readonly #connection: Connection;
  /** Ends with `close`. */
  readonly #life: CancelSignal;

  constructor(url: string, connection: Connection, life: CancelSignal) {
    this.#url = url;
    this.#connection = connection;
    this.#life = life;
  }

  /** A signal that ends with the caller's and with `close`. */
  within(signal: CancelSignal): CancelScope {
    return cancelScope(this.#life, signal);
  }

  /** @throws WeftError `closed` */
  assertLive(): void {
    if (this.#life.aborted) throw closed(this.#url);
  }

  /** @throws ZookeeperCallError */
  async channel(signal: CancelSignal): Promise<Channel> {
    return await this.#connection.channel(signal);
  }

  /** Something asked on one channel, counted for health. @throws ZookeeperCallError */
  async exchange<T>(channel: Channel, ask: () => Promise<T>): Promise<T> {
    return await this.#connection.exchange(channel, ask);
  }

  /**
   * A read on a channel that shows all that was done before the call, by anyone.
   *
   * @param what for messages: `read the head of`
   * @throws WeftError `store-unreachable`, `store-auth`, `log-mismatch`, `closed`
   */
  async read<T>(
    scope: LogScope,
    signal: CancelSignal,
    what: string,
    ask: (channel: Channel, signal: CancelSignal) => Promise<T>,
  ): Promise<T> {
    using call = this.within(signal);
    try {
      return await this.#connection.read(call.signal, async (channel) => {
        await assertFresh(scope, channel, call.signal);
        return await ask(channel, call.signal);
      });
    } catch (error) {
      this.assertLive();
      throw error instanceof ZookeeperCallError ? readError(error, what, this.#url) : error;
    }
  }

  /**
   * A write, never repeated here.
   *
   * @param what for messages: `append to`
   * @throws WeftError `store-unreachable`, `store-auth`, `store-full`, `outcome-unknown`
   */
  async write<T>(signal: CancelSignal, what: string, work: (signal: CancelSignal) => Promise<T>): Promise<T> {
    using call = this.within(signal);
    try {
      return await work(call.signal);
    } catch (error) {
      if (!(error instanceof ZookeeperCallError)) throw error;
      // Under way when the log was closed: nobody can be asked any more.
      const told = this.#life.aborted ? new ZookeeperCallError('cancelled', error.message) : error;
      throw writeError(told, what, this.#url);
    }
  }

  /** What goes before a transaction: when it fails, nothing of the write was sent, or what was sent was refused. */
  async prepare<T>(channel: Channel, signal: CancelSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await this.exchange(channel, work);
    } catch (error) {
      if (!(error instanceof ZookeeperCallError) || judge(error) !== 'outcome-unknown') throw error;
      if (signal.aborted) throw new ZookeeperCallError('not-sent', 'it was given up before it was sent');
      throw new ZookeeperCallError('not-sent', error.message);
    }
  }
}

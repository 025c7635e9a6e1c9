/**
 * The cluster as one thing: which member to ask next, how often, and whether the store can be reached.
 *
 * Whose turn it is, `Rota` says. A write is sent once: only a try that was not sent moves on to the next member. A read may
 * be asked again.
 */
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import { Rota } from '../rota.ts';
import type { CallLimits, KvOperation, OpenChannel } from './channel.ts';
import { asCallError, type ConsulCallError, judge } from './errors.ts';
import { callDeadlineMs, readTriesMax } from './limits.ts';
import { Member, type TransactionAnswer } from './member.ts';
import type { ConsulOptions } from './options.ts';

export class Connection {
  readonly #rota: Rota<Member>;

  constructor(options: ConsulOptions, clock: Clock, random: Random, openChannel: OpenChannel) {
    const members = options.hosts.map((host) => new Member(host, options, clock, openChannel));
    this.#rota = new Rota(members, random);
  }

  get health(): LogHealth {
    return this.#rota.health;
  }

  get preferred(): Member {
    return this.#rota.preferred;
  }

  /** For what may be repeated. @throws ConsulCallError of the last try */
  async read<T>(signal: CancelSignal, call: (member: Member, limits: CallLimits) => Promise<T>): Promise<T> {
    const tries = Math.max(readTriesMax, this.#rota.members.length);
    return this.#try(tries, () => true, signal, call);
  }

  /** Sends at most once. @throws ConsulCallError */
  async write(operations: readonly KvOperation[], signal: CancelSignal): Promise<TransactionAnswer> {
    const unsent = (error: ConsulCallError) => judge(error) === 'store-unreachable';
    return this.#try(this.#rota.members.length, unsent, signal, (member, limits) =>
      member.transact(operations, limits),
    );
  }

  /**
   * For writes that may be carried out any number of times.
   *
   * @throws ConsulCallError of a try that may have been carried out if there was one, otherwise of the last
   */
  async repeat(operations: readonly KvOperation[], signal: CancelSignal): Promise<TransactionAnswer> {
    let unknown: ConsulCallError | undefined;
    try {
      return await this.read(signal, async (member, limits) => {
        try {
          return await member.transact(operations, limits);
        } catch (thrown) {
          const error = asCallError(thrown);
          if (judge(error) === 'outcome-unknown') unknown = error;
          throw error;
        }
      });
    } catch (error) {
      throw unknown ?? error;
    }
  }

  /** One call to one member, counted for health; its failure hands the turn to the next member. @throws ConsulCallError */
  async exchange<T>(member: Member, call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call();
      this.noteSuccess();
      return answer;
    } catch (error) {
      this.noteFailure(member, asCallError(error));
      throw error;
    }
  }

  noteSuccess(): void {
    this.#rota.noteSuccess();
  }

  noteFailure(member: Member, error: ConsulCallError): void {
    if (error.stage === 'cancelled') return;
    // The store answered; what it said is not about the way to it.
    if (judge(error) === 'too-large') return this.noteSuccess();
    this.#rota.noteFailure(error);
    if (member === this.preferred) this.#rota.turn();
  }

  close(): void {
    for (const member of this.#rota.members) member.close();
  }

  async #try<T>(
    tries: number,
    again: (error: ConsulCallError) => boolean,
    signal: CancelSignal,
    call: (member: Member, limits: CallLimits) => Promise<T>,
  ): Promise<T> {
    for (let left = tries; ; left -= 1) {
      const member = this.preferred;
      try {
        return await this.exchange(member, () => call(member, { deadlineMs: callDeadlineMs, signal }));
      } catch (thrown) {
        const error = asCallError(thrown);
        const code = judge(error);
        const transient = code === 'store-unreachable' || code === 'outcome-unknown';
        if (left <= 1 || signal.aborted || !transient || !again(error)) throw error;
      }
    }
  }
}

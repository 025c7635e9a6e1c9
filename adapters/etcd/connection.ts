/**
 * The cluster as one thing: which member to ask next, how often, and whether the store can be reached.
 *
 * Whose turn it is, `Rota` says. A write is sent once: only a try that was not sent moves on to the next member. A read may
 * be asked again.
 */
import type { ITxnRequest, ITxnResponse } from 'etcd3';
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import { Rota } from '../rota.ts';
import type { OpenChannel } from './channel.ts';
import { asCallError, type EtcdCallError, judge } from './errors.ts';
import { callDeadlineMs, readTriesMax } from './limits.ts';
import { Member } from './member.ts';
import type { EtcdOptions } from './options.ts';

export class Connection {
  readonly #rota: Rota<Member>;

  constructor(options: EtcdOptions, clock: Clock, random: Random, openChannel: OpenChannel) {
    const members = options.hosts.map((host) => new Member(host, options, clock, openChannel));
    this.#rota = new Rota(members, random);
  }

  get health(): LogHealth {
    return this.#rota.health;
  }

  get preferred(): Member {
    return this.#rota.preferred;
  }

  /** For whatever may be repeated, and land late. @throws EtcdCallError of the last try */
  async read(
    request: ITxnRequest,
    signal: CancelSignal,
    deadlineMs: number = callDeadlineMs,
  ): Promise<ITxnResponse> {
    const tries = Math.max(readTriesMax, this.#rota.members.length);
    return this.#try(
      tries,
      () => true,
      signal,
      (member) => member.txn(request, { deadlineMs, signal }),
    );
  }

  /** Sends at most once. @throws EtcdCallError */
  async write(request: ITxnRequest, signal: CancelSignal): Promise<ITxnResponse> {
    const unsent = (error: EtcdCallError) => judge(error) === 'store-unreachable';
    return this.#try(this.#rota.members.length, unsent, signal, (member) =>
      member.txn(request, { deadlineMs: callDeadlineMs, signal }),
    );
  }

  /** Version of the member that is preferred now, as it calls itself. @throws EtcdCallError */
  async serverVersion(signal: CancelSignal): Promise<string> {
    const status = await this.exchange(this.preferred, (member) =>
      member.status({ deadlineMs: callDeadlineMs, signal }),
    );
    return status.version;
  }

  /** One call to one member, counted for health; its failure hands the turn to the next member. @throws EtcdCallError */
  async exchange<T>(member: Member, call: (member: Member) => Promise<T>): Promise<T> {
    try {
      const answer = await call(member);
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

  noteFailure(member: Member, error: EtcdCallError): void {
    if (error.stage === 'cancelled') return;
    const code = judge(error);
    // The store answered; what it said is not about the way to it.
    if (code === 'store-full' || code === 'too-large') return this.noteSuccess();
    this.#rota.noteFailure(error);
    if (member === this.preferred) this.#rota.turn();
  }

  close(): void {
    for (const member of this.#rota.members) member.reset();
  }

  async #try<T>(
    tries: number,
    again: (error: EtcdCallError) => boolean,
    signal: CancelSignal,
    call: (member: Member) => Promise<T>,
  ): Promise<T> {
    for (let left = tries; ; left -= 1) {
      try {
        return await this.exchange(this.preferred, call);
      } catch (thrown) {
        const error = asCallError(thrown);
        const code = judge(error);
        const transient = code === 'store-unreachable' || code === 'outcome-unknown';
        if (left <= 1 || signal.aborted || !transient || !again(error)) throw error;
      }
    }
  }
}

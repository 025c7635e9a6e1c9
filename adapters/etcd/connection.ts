/**
 * The cluster as one thing: which member to ask next, how often, and whether the store can be reached.
 *
 * One member is preferred until it fails; then the next has its turn. The first is drawn by lot, so that many hosts spread
 * over the members. A write is sent once: only a try that was not sent moves on to the next member. A read may be asked again.
 */
import type { ITxnRequest, ITxnResponse } from 'etcd3';
import { WeftError } from '../../core/errors.ts';
import type { LogHealth } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import type { OpenChannel } from './channel.ts';
import { asCallError, type EtcdCallError, judge } from './errors.ts';
import { callDeadlineMs, readTriesMax } from './limits.ts';
import { Member } from './member.ts';
import type { EtcdOptions } from './options.ts';

export class Connection {
  readonly #members: readonly Member[];
  #preferred: number;
  #failuresInRow = 0;
  #health: LogHealth = { reachable: false, reason: 'not asked yet' };

  constructor(options: EtcdOptions, clock: Clock, random: Random, openChannel: OpenChannel) {
    this.#members = options.hosts.map((host) => new Member(host, options, clock, openChannel));
    this.#preferred = Math.floor(random.unit() * this.#members.length);
  }

  get health(): LogHealth {
    return this.#health;
  }

  get preferred(): Member {
    const member = this.#members[this.#preferred];
    if (member === undefined)
      throw new WeftError('internal', 'Cannot choose a member of etcd: the URL names none.');
    return member;
  }

  /** For whatever may be repeated, and land late. @throws EtcdCallError of the last try */
  async read(
    request: ITxnRequest,
    signal: CancelSignal,
    deadlineMs: number = callDeadlineMs,
  ): Promise<ITxnResponse> {
    const tries = Math.max(readTriesMax, this.#members.length);
    return this.#try(
      tries,
      () => true,
      signal,
      (member) => member.txn(request, { deadlineMs, signal }),
    );
  }

  /** Sends at most once. @throws EtcdCallError */
  async write(request: ITxnRequest, signal: CancelSignal): Promise<ITxnResponse> {
    const unsent = (error: EtcdCallError) => judge(error).code === 'store-unreachable';
    return this.#try(this.#members.length, unsent, signal, (member) =>
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
    this.#failuresInRow = 0;
    if (!this.#health.reachable) this.#health = { reachable: true };
  }

  /** Failures count once every member had its turn: the loss of one of three is no loss of the store. */
  noteFailure(member: Member, error: EtcdCallError): void {
    if (error.stage === 'cancelled') return;
    const { code } = judge(error);
    // The store answered; what it said is not about the way to it.
    if (code === 'store-full' || code === 'too-large') return this.noteSuccess();
    this.#failuresInRow += 1;
    if (this.#failuresInRow >= this.#members.length)
      this.#health = { reachable: false, reason: error.message };
    if (member === this.preferred) this.#preferred = (this.#preferred + 1) % this.#members.length;
  }

  close(): void {
    for (const member of this.#members) member.reset();
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
        const { code } = judge(error);
        const transient = code === 'store-unreachable' || code === 'outcome-unknown';
        if (left <= 1 || signal.aborted || !transient || !again(error)) throw error;
      }
    }
  }
}

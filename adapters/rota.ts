/**
 * Whose turn it is among the members of a store, and whether the store can be reached.
 *
 * One member is preferred until it fails; then the next has its turn. The first is drawn by lot, so that many hosts spread
 * over the members.
 */
import { WeftError } from '../core/errors.ts';
import type { LogHealth } from '../core/log/event-log.ts';
import type { Random } from '../core/ports/random.ts';

export class Rota<Member> {
  readonly members: readonly Member[];
  #preferred: number;
  #failuresInRow = 0;
  #health: LogHealth = { reachable: false, reason: 'not asked yet' };

  constructor(members: readonly Member[], random: Random) {
    this.members = members;
    this.#preferred = Math.floor(random.unit() * members.length);
  }

  get health(): LogHealth {
    return this.#health;
  }

  get preferred(): Member {
    const member = this.members[this.#preferred];
    if (member === undefined)
      throw new WeftError('internal', 'Cannot choose a member of the store: its URL names none.');
    return member;
  }

  /** The next member is the preferred one. */
  turn(): void {
    this.#preferred = (this.#preferred + 1) % this.members.length;
  }

  /** The store answered, whatever it said. */
  noteSuccess(): void {
    this.#failuresInRow = 0;
    if (!this.#health.reachable) this.#health = { reachable: true };
  }

  /** Failures count once every member had its turn: the loss of one of three is no loss of the store. */
  noteFailure({ message }: Error): void {
    this.#failuresInRow += 1;
    if (this.#failuresInRow >= this.members.length) this.#health = { reachable: false, reason: message };
  }
}

/** Faults in how hosts watch each other, give each other up and come back. */
import type { Mutant } from '../mutant.ts';

export const presenceMutants: readonly Mutant[] = [
  {
    id: 'pres-no-grace',
    breaks: 'a host is taken down long before its grace time is over',
    file: 'core/presence/presence.ts',
    find: ': this.#watch.silenceMs(host) - pace.graceMs;',
    replace: ': this.#watch.silenceMs(host) - pace.graceMs / 8;',
    invariants: ['I26'],
  },
  {
    id: 'pres-never-down',
    breaks: 'one host fewer is taken down than may be',
    file: 'core/presence/presence.ts',
    find: 'else if (room > 0) sayings.push(',
    replace: 'else if (room > 1) sayings.push(',
    invariants: ['I39'],
  },
  {
    id: 'pres-never-expires',
    breaks: 'nobody ever says that a host has expired',
    file: 'core/presence/presence.ts',
    find: "if (host.isDown) sayings.push(this.#sayOf('host-expire', host, signal));",
    replace: 'if (host.isDown) continue;',
    invariants: ['I39'],
  },
  {
    id: 'pres-same-beat',
    breaks: 'all beats of a boot are the same, so nobody is seen to live',
    file: 'core/presence/presence.ts',
    find: 'this.#count += 1;',
    replace: 'this.#count = 1;',
    invariants: ['I39'],
  },
  {
    id: 'pres-first-look-is-last',
    breaks: 'a beat is looked at once, and what comes after it is not',
    file: 'core/presence/watch.ts',
    find: 'if (before !== undefined && beat.count <= before.beat.count) return before;',
    replace: 'if (before !== undefined) return before;',
    invariants: ['I39'],
  },
  {
    id: 'pres-no-rejoin',
    breaks: 'a host that the others have given up does not join again',
    file: 'core/controller/controller.ts',
    find: 'else if (await this.#presence.beat(signal)) {',
    replace: 'else if (signal.aborted) {',
    invariants: ['I39'],
  },
  {
    id: 'pres-fall-unheard',
    breaks: 'a host does not hear that the others have given it up',
    file: 'core/controller/controller.ts',
    find: "if (loss === 'down' || loss === 'expired') this.#onFallen(loss);",
    replace: '',
    invariants: ['I39'],
  },
];

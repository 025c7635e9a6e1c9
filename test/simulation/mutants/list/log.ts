/** Faults in how records get into the log. */
import type { Mutant } from '../mutant.ts';

export const logMutants: readonly Mutant[] = [
  {
    id: 'log-new-id-at-retry',
    breaks: 'an entry that may have landed is sent again under another id',
    file: 'core/log/appender.ts',
    find: 'const answer = await this.#attempt(draft, waiting);',
    replace: 'const answer = await this.#attempt({ ...draft, id: this.#random.hex(16) }, waiting);',
    invariants: ['I2'],
  },
  {
    id: 'log-unknown-is-unreached',
    breaks: 'an append whose answer was lost counts as one that never happened',
    file: 'core/log/append-attempt.ts',
    find: "if (!isWeftError(error) || unknownCodes.has(error.code)) return { type: 'unknown', error };",
    replace: "if (!isWeftError(error) || unknownCodes.has(error.code)) return { type: 'unreached', error };",
    invariants: ['I2', 'I7'],
  },
  {
    id: 'log-forgets-attempt',
    breaks: 'the appender forgets that an attempt may have happened, and sends its lines as another entry',
    file: 'core/log/appender.ts',
    find: "if (answer.type === 'unknown') mayHaveHappened = true;",
    replace: "if (answer.type === 'unknown') mayHaveHappened = false;",
    invariants: ['I2', 'I7'],
  },
  {
    id: 'log-unknown-is-failed',
    breaks: 'a caller is told that its request failed when nobody knows',
    file: 'core/log/appender.ts',
    find: "'outcome-unknown',",
    replace: "'store-unreachable',",
    invariants: ['I7'],
  },
  {
    id: 'log-never-too-early',
    breaks: 'a line is refused as never sent while its entry is on its way',
    file: 'core/log/appender.ts',
    find: '() => true, () => unknownError(cause)',
    replace: '() => true, () => neverSentError()',
    invariants: ['I7'],
  },
  {
    id: 'log-loses-line',
    breaks: 'of more than four lines that wait together the rest is taken out and not sent',
    file: 'core/log/appender.ts',
    find: 'return this.#queue.splice(0, count);',
    replace: 'return this.#queue.splice(0, count).slice(0, 4);',
    invariants: ['I39'],
  },
  {
    id: 'log-settles-too-early',
    breaks: 'an entry that is not in the log yet is said never to be carried out',
    file: 'core/log/unknown-outcomes.ts',
    find: 'ageMs < this.#options.settleMs',
    replace: 'ageMs < 0',
    invariants: ['I7'],
  },
  {
    id: 'log-drops-last-line',
    breaks: 'the last record of an entry of several is never read',
    file: 'core/log/entry.ts',
    find: 'lines.push(bytes.subarray(start));',
    replace: 'if (start === 0) lines.push(bytes.subarray(start));',
    invariants: ['I1'],
  },
];

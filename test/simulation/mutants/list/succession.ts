/** Faults in how a log that was lost is written back, and how hosts go on in it. */
import type { Mutant } from '../mutant.ts';

export const successionMutants: readonly Mutant[] = [
  {
    id: 'succ-without-record',
    breaks: 'a log is written back without the record that says where it goes on from',
    file: 'core/succession/begin-successor.ts',
    find: 'if (isFresh) await persist(() => log.append(draftOf(logId, predecessor, ports), signal));',
    replace: '',
    invariants: ['I39'],
  },
  {
    id: 'succ-stays-frozen',
    breaks: 'a host that has found its log again leaves the data plane frozen',
    file: 'core/controller/controller.ts',
    find: 'this.#reconciler.resume();',
    replace: '',
    invariants: ['I29', 'I39'],
  },
  {
    id: 'succ-still-halted',
    breaks: 'a host that has found its log again goes on to say that it is halted',
    file: 'core/controller/controller.ts',
    find: 'if (this.#halted?.isForGood !== false) return; this.#halted = undefined;',
    replace: 'if (this.#halted?.isForGood !== false) return;',
    invariants: ['I39'],
  },
  {
    id: 'succ-old-way',
    breaks: 'a host that has found the next log goes on asking the former one',
    file: 'core/succession/succession.ts',
    find: 'await current.replace(log);',
    replace: '',
    invariants: ['I39'],
  },
  {
    id: 'succ-other-end',
    breaks:
      'the first record of a log that is written back names another record as the last of the former log',
    file: 'core/succession/begin-successor.ts',
    find: 'succeeds: { logId: before, ordinal, recordHash, stateHash } }',
    replace: 'succeeds: { logId: before, ordinal: ordinal - 1, recordHash, stateHash } }',
    invariants: ['I39'],
  },
  {
    id: 'succ-gives-up',
    breaks: 'a host whose log is not in its store looks for it once, and no more',
    file: 'core/succession/succession.ts',
    find: 'await clock.sleep(backoffMs(looks, lookPauses, random), signal);',
    replace: 'await clock.sleep(Number.POSITIVE_INFINITY, signal);',
    invariants: ['I39'],
  },
];

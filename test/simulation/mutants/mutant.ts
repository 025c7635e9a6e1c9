/**
 * Tests of the tests: faults planted in production code, one at a time, each of which the simulator must find.
 *
 * Vocabulary: a *mutant* is weft with one small change of one module's text; a mutant is *found* when a life of it
 * breaks an invariant, throws or hangs; a *round* is one hunt, seed after seed from a beginning of its own.
 *
 * Production code knows nothing of it: `load-hook.ts` changes the compiled text when a child process loads the module.
 * The compiler leaves expressions as they are written, so one text is looked for in the source and in what is compiled
 * from it, and must be there exactly once in both; the spec beside sees to it, so that no mutant goes stale unnoticed.
 */
import { join } from 'node:path';

export interface Mutant {
  /** What the table and `--only` call it: `area-what`. */
  readonly id: string;
  /** What is wrong with it, in one sentence. */
  readonly breaks: string;
  /** Path of the source from the checkout. */
  readonly file: string;
  /** Text without types, there once; any blanks and line ends count as alike. */
  readonly find: string;
  readonly replace: string;
  /** Numbers of the invariants that are meant to find it. */
  readonly invariants: readonly string[];
}

/** Names the mutant that a child process is to be. */
export const mutantVariable = 'WEFT_MUTANT';

/** The module as the compiler wrote it, from the checkout. */
export function compiledPath({ file }: Mutant): string {
  return join('dist', file.replace(/\.ts$/, '.js'));
}

/** How often the text to be changed is there. */
export function occurrences({ find }: Pick<Mutant, 'find'>, text: string): number {
  return [...text.matchAll(patternOf(find))].length;
}

/** @throws Error when the text to be changed is not there exactly once */
export function mutated({ find, replace }: Pick<Mutant, 'find' | 'replace'>, text: string): string {
  const count = occurrences({ find }, text);
  if (count !== 1) throw new Error(`A mutant is stale: '${find}' is there ${count} times, not once`);
  return text.replace(patternOf(find), () => replace);
}

function patternOf(find: string): RegExp {
  const words = find.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(words.join('\\s+'), 'g');
}

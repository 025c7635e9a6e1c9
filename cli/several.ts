/** Verbs that take several arguments: each is tried, failures are reported as they come, and the exit status is 1. */
import { isWeftError } from '../core/errors.ts';
import { type Context, Planned } from './context.ts';

/**
 * @returns what succeeded, in the order of the arguments
 * @throws Planned where they were shown and not made, after the last
 */
export async function forEach<T>(
  context: Context,
  refs: readonly string[],
  work: (ref: string) => Promise<T>,
): Promise<T[]> {
  const done: T[] = [];
  let planned: Planned | undefined;
  for (const ref of refs) {
    try {
      done.push(await work(ref));
    } catch (error) {
      if (error instanceof Planned) planned = error;
      else if (!isWeftError(error) || isOfTheDaemon(error.code)) throw error;
      else context.fail(error.message, error.code);
    }
  }
  if (planned !== undefined) throw planned;
  return done;
}

/** Where the daemon cannot be asked, asking it again for the next argument is pointless. */
function isOfTheDaemon(code: string): boolean {
  return code === 'daemon-unreachable' || code === 'permission-denied';
}

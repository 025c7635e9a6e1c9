/**
 * A child process of a run: gets seeds one by one, answers with what came of each. Ends with its parent.
 */
import type { StoreStyle } from '../store/traps.ts';
import { Trace } from '../world/trace.ts';
import { fromSeed, type Result, simulate } from './simulation.ts';

/** What a worker is sent. */
export interface Order {
  readonly seed: number;
  readonly store?: StoreStyle | undefined;
}

/** What a worker answers. */
export type Answer =
  | { readonly type: 'passed'; readonly result: Result }
  | { readonly type: 'failed'; readonly seed: number; readonly error: string };

// Refusals are many, and nobody reads where they came from.
Error.stackTraceLimit = 0;
/** Of a life that failed, which is lived again so that it can say where. */
const toldStackFrames = 12;

process.on('message', (order: Order) => {
  void run(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());

async function run(order: Order): Promise<Answer> {
  const answer = await attempt(order);
  if (answer.type === 'passed') return answer;
  Error.stackTraceLimit = toldStackFrames;
  const again = await attempt(order);
  Error.stackTraceLimit = 0;
  if (again.type === 'failed') return again;
  return {
    ...answer,
    error: `${answer.error}\nand did not fail when it was lived again: it is not deterministic`,
  };
}

async function attempt({ seed, store }: Order): Promise<Answer> {
  try {
    return { type: 'passed', result: await simulate(fromSeed(seed, store), new Trace()) };
  } catch (error) {
    return {
      type: 'failed',
      seed,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

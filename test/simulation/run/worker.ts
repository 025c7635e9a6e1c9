/**
 * A child process of a run: gets seeds or scenarios one by one, answers with what came of each. Ends with its parent.
 */
import { Violation } from '../monitors/violation.ts';
import { fromScenario, parse, print, scenarioOf } from '../scenario/scenario.ts';
import type { StoreStyle } from '../store/traps.ts';
import { Trace } from '../world/trace.ts';
import { fromSeed, type Result, simulate } from './simulation.ts';

/** What is to be lived. */
export type Order =
  | {
      readonly seed: number;
      readonly store?: StoreStyle | undefined;
      /** Whether all that happens is to be told, line by line. */
      readonly isTold?: true;
    }
  /** The text of one. */
  | { readonly scenario: string };

/** What a worker answers. */
export type Answer =
  | { readonly type: 'passed'; readonly result: Result; readonly lines?: readonly string[] }
  | {
      readonly type: 'failed';
      readonly lines?: readonly string[];
      readonly error: string;
      /** The number of the invariant that was broken, or the name of the error that nobody had foreseen. */
      readonly invariant: string;
      /** What had happened until then. */
      readonly scenario?: string;
    };

// Refusals are many, and nobody reads where they came from.
Error.stackTraceLimit = 0;
/** Of a life that failed, which is lived again so that it can say where. */
const toldStackFrames = 12;

process.on('message', (order: Order) => {
  void run(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches the children too; the parent ends them, when it has their answers.
process.on('SIGINT', () => undefined);

async function run(order: Order): Promise<Answer> {
  const answer = await attempt(order);
  // A scenario that is tried for its size says no more than whether it fails.
  if (answer.type === 'passed' || 'scenario' in order || order.isTold === true) return answer;
  Error.stackTraceLimit = toldStackFrames;
  const again = await attempt(order);
  Error.stackTraceLimit = 0;
  if (again.type === 'failed') return again;
  return {
    ...answer,
    error: `${answer.error}\nand did not fail when it was lived again: it is not deterministic`,
  };
}

async function attempt(order: Order): Promise<Answer> {
  const origin = 'seed' in order ? fromSeed(order.seed, order.store) : fromScenario(parse(order.scenario));
  const lines: string[] = [];
  const told = 'seed' in order && order.isTold === true ? { lines } : {};
  const trace = new Trace('lines' in told ? (line) => void lines.push(line) : undefined);
  try {
    return { type: 'passed', result: await simulate(origin, trace), ...told };
  } catch (error) {
    const invariant = invariantOf(error);
    return {
      type: 'failed',
      invariant,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      scenario: print(scenarioOf(origin, invariant)),
      ...told,
    };
  }
}

function invariantOf(error: unknown): string {
  if (error instanceof Violation) return error.invariant;
  return error instanceof Error ? error.name : 'Error';
}

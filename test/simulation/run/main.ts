/** `npm run sim`: one seed with its trace, or many on all cores. */
import { parseArgs } from 'node:util';
import { Trace } from '../world/trace.ts';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean' }, go: { type: 'boolean' },
    seeds: { type: 'string' },
    from: { type: 'string' },
  },
});
const began = performance.now();
const first = Number(values.seed ?? values.from ?? 1);
const count = Number(values.seeds ?? 1);
let steps = 0;
let virtual = 0;
for (let seed = first; seed < first + count; seed++) {
  const trace = new Trace(values.trace === true ? (line) => process.stdout.write(`${line}\n`) : undefined);
  try {
    const result = await simulate(seed, trace);
    steps += result.steps;
    virtual += result.virtualMs;
  } catch (error) {
    console.log(`seed ${seed} FAILED: ${error instanceof Error ? (values.go === true ? error.message : error.stack) : String(error)}`);
    if (values.go !== true) process.exit(1);
  }
}
console.log(
  count,
  'seeds',
  steps,
  'steps',
  Math.round((steps / (performance.now() - began)) * 1000),
  'steps/s',
  virtual / 1000,
  's virtual',
  performance.now() - began,
  'ms',
);

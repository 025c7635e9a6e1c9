/**
 * How often every property is tried, and from which seed. `.mocharc.json` has mocha load this before all specs.
 *
 * By default the seed is one constant, so that a run of the specs fails or passes by what was changed and never by
 * chance. Chance is explored by `npm run properties`, which sets these two:
 * - `WEFT_PROPERTY_SEED`: a number, or `random`;
 * - `WEFT_PROPERTY_RUNS`: how many times as often as usual each property is tried; above 1 there is no time limit.
 */
import fc from 'fast-check';

const seedDefault = 20_151_123;
/** What fast-check does by itself where a property says nothing. */
const runsDefault = 100;

const multiplier = readMultiplier(process.env['WEFT_PROPERTY_RUNS']);
const seed = readSeed(process.env['WEFT_PROPERTY_SEED']);
fc.configureGlobal({ seed, numRuns: runs(runsDefault) });

/** `numRuns` of a property that is usually tried so often. */
export function runs(usual: number): number {
  return Math.max(1, Math.round(usual * multiplier));
}

/** Mocha's root hooks. */
export const mochaHooks: Mocha.RootHookObject = {
  beforeAll: () => {
    if (seed !== seedDefault || multiplier !== 1) {
      process.stdout.write(`properties: seed ${seed}, each tried ${multiplier} times as often as usual\n`);
    }
  },
  beforeEach(this: Mocha.Context) {
    if (multiplier > 1) this.currentTest?.timeout(0);
  },
};

function readSeed(text: string | undefined): number {
  if (text === undefined || text === '') return seedDefault;
  if (text === 'random') return Math.floor(Math.random() * 2 ** 31);
  const number = Number(text);
  if (!Number.isSafeInteger(number))
    throw new Error(`WEFT_PROPERTY_SEED is ${text}: give an integer or random`);
  return number;
}

function readMultiplier(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  const number = Number(text);
  if (!(number > 0)) throw new Error(`WEFT_PROPERTY_RUNS is ${text}: give a number above 0`);
  return number;
}

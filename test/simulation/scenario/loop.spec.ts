/** The loop as whoever hunts a bug goes through it: a life fails, is shrunk, saved as text, and replayed. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type Failure, runMany } from '../run/many.ts';
import { shrinkFailure } from '../run/shrinking.ts';
import { replay } from './replay.ts';
import { fromScenario, parse, print } from './scenario.ts';

const fork = { execArgv: ['--import', new URL('./planted-fault.js', import.meta.url).href] };
const firstSeed = 400_100;
const seedsMax = 40;
/** How much smaller the scenario is than what happened in the life, at least. */
const factorMin = 5;

describe('a life that fails', () => {
  it('is shrunk to a scenario that fails alike with the fault, and passes without it', async () => {
    const seeds = Array.from({ length: seedsMax }, (_, index) => firstSeed + index);
    const failures = await runMany({ seeds, fork, onResult: () => undefined });
    const failure = failures[0] as Failure;
    assert.equal(failure.invariant, 'I7');
    const whole = parse(failure.scenario ?? '');
    const { scenario, runs } = await shrinkFailure(failure, { fork });
    const text = print(scenario);
    const factor = whole.interventions.length / scenario.interventions.length;
    assert.ok(factor >= factorMin, `only ${factor} times as small, after ${runs} lives:\n${text}`);
    assert.equal(parse(text).expect, 'I7');
    assert.deepEqual(await replay(text, fork), { broken: 'I7' });
    assert.deepEqual(await replay(text), { broken: undefined });
    assert.ok(fromScenario(scenario).plan.hosts <= whole.setting.hosts);
  }).timeout(600_000);
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Intervention } from './intervention.ts';
import { print, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';

const crashes: Intervention[] = Array.from({ length: 100 }, (_, index) => ({
  atMs: index * 137,
  who: `h${1 + (index % 4)}`,
  doing: index % 10 === 3 ? { verb: 'pause', ms: 4_321 } : { verb: 'crash' },
}));
const large: Scenario = {
  notes: [],
  expect: 'I9',
  seed: 1,
  setting: {
    hosts: 5,
    safetyMs: 50_000,
    storeDelayMs: 200,
    kernelDelayMs: 10,
    snapshotOrdinals: 12,
    graceMs: 6_000,
    retentionMs: 30_000,
    drift: 0.05,
    dead: ['h2', 'h5'],
    ending: 'wiped',
    kept: 0.5,
    restored: 'shorter',
    store: 'etcd',
    move: 'none',
    to: 'consul',
    traps: { compaction: 0.3 },
  },
  interventions: crashes,
};

/** Fails where a pause of at least three seconds comes before a crash of another host, in a store that takes its time. */
function isBad({ setting, interventions }: Scenario): boolean {
  const at = interventions.findIndex(({ doing }) => doing.verb === 'pause' && doing.ms >= 3_000);
  const who = interventions[at]?.who;
  const isCrashed = interventions.some(
    (each, index) => index > at && each.doing.verb === 'crash' && each.who !== who,
  );
  return at !== -1 && isCrashed && setting.storeDelayMs > 0;
}

async function shrunkWith(
  parallel: number,
  runsMax = 1_000,
): Promise<{ text: string; runs: number; isMinimal: boolean }> {
  const { scenario, runs, isMinimal } = await shrink(large, {
    fails: (candidate) => Promise.resolve(isBad(candidate) ? candidate : undefined),
    parallel,
    runsMax,
    isLate: () => false,
  });
  assert.ok(isBad(scenario));
  return { text: print(scenario), runs, isMinimal };
}

describe('shrinking', () => {
  it('leaves what is needed, in plain values', async () => {
    const { text, isMinimal } = await shrunkWith(1);
    assert.ok(isMinimal);
    assert.match(text, /^hosts: 2$/m);
    assert.match(text, /^storeDelayMs: 200$/m);
    for (const line of ['kernelDelayMs: 0', 'drift: 0', 'dead: -', 'ending: none', 'store: memory']) {
      assert.ok(text.includes(`\n${line}\n`), `${line} in ${text}`);
    }
    const lines = text.split('\n').filter((line) => line.startsWith('at '));
    assert.equal(lines.length, 2);
    assert.match(lines.join('\n'), /^at \d+ h\d pause ms=4000\nat \d+ h\d crash$/);
  });

  it('comes to the same, however many candidates are tried at once', async () => {
    const alone = await shrunkWith(1);
    for (const parallel of [2, 3, 8]) assert.deepEqual((await shrunkWith(parallel)).text, alone.text);
  });

  it('stops where its lives are used up, and says so', async () => {
    const { runs, isMinimal } = await shrunkWith(2, 10);
    assert.ok(!isMinimal && runs <= 11);
  });
});

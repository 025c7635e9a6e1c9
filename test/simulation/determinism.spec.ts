/** One integer is one life, wherever it is lived: two processes in other surroundings take the same steps. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runMany } from './run/many.ts';

const seeds = Array.from({ length: 12 }, (_, index) => 200_001 + index);

async function digestsIn(env: NodeJS.ProcessEnv, execArgv: string[]): Promise<Map<number, string>> {
  const digests = new Map<number, string>();
  const failures = await runMany({
    seeds,
    processes: 1,
    fork: { env: { ...process.env, ...env }, execArgv },
    onResult: ({ seed, digest }) => digests.set(seed, digest),
  });
  assert.deepEqual(failures, []);
  return digests;
}

describe('a seed', () => {
  it('gives the same life in another time zone, language and heap', async () => {
    const [here, there] = await Promise.all([
      digestsIn({ TZ: 'UTC', LANG: 'C' }, []),
      digestsIn({ TZ: 'Pacific/Chatham', LANG: 'sv_SE.UTF-8', LC_ALL: 'sv_SE.UTF-8' }, [
        '--max-old-space-size=256',
        '--max-semi-space-size=1',
        '--stack-size=700',
      ]),
    ]);
    assert.equal(here.size, seeds.length);
    assert.equal(new Set(here.values()).size, seeds.length, 'and each seed another one');
    assert.deepEqual(there, here);
  }).timeout(600_000);
});

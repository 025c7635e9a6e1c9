import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout } from './checkout.ts';

const setUpTimeoutMs = 300_000;

describe('the set-up', () => {
  it('does nothing when nothing is to do', function () {
    this.timeout(setUpTimeoutMs);
    const run = (): string =>
      spawnSync(process.execPath, [join(checkout, 'tools/setup.mjs')]).stderr.toString();
    run();
    assert.match(run(), /^set-up: nothing to do \(\d+\.\d s\)\n$/m);
  });
});

/** A long run that somebody stops tells of all that it has done. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';

const command = fileURLToPath(new URL('./main.js', import.meta.url));
const patienceMs = 300_000;

describe('a run of many that is stopped', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal} gives its whole report, and says where to go on`, async () => {
      const run = spawn(process.execPath, [command, '--seeds', '100000', '--from', '300001'], {
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      let said = '';
      let isSent = false;
      for await (const chunk of run.stdout.setEncoding('utf8')) {
        said += chunk;
        if (isSent || run.pid === undefined || !/^[1-9]\d* seeds/m.test(said)) continue;
        isSent = true;
        // A terminal's Ctrl-C reaches the whole group.
        process.kill(signal === 'SIGINT' ? -run.pid : run.pid, signal);
      }
      const [status] = run.exitCode === null ? await once(run, 'exit') : [run.exitCode];
      assert.match(said, /^faults and recoveries: \S/m);
      assert.match(said, /^invariants evaluated: \S/m);
      assert.match(said, /^STOPPED before .* --seeds \d+ --from 3\d{5}$/m);
      assert.doesNotMatch(said, /FAILED/);
      assert.equal(status, 1);
    }).timeout(patienceMs);
  }
});

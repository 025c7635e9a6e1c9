import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'mocha';
import { skipBecause } from '../test/support/requirements.ts';
import { ip, run } from './command.ts';
import { dockerUnavailable, labImage, startDocker } from './docker.ts';

describe('a lab Docker', function docker() {
  this.timeout(120_000);

  it('runs in a namespace, brings containers back after a restart, and leaves nothing behind', async function test() {
    const unavailable = dockerUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const netns = `wt${process.pid}docker`;
    await ip(undefined, [`netns add ${netns}`]);
    try {
      await ip(netns, ['link set lo up']);
      const server = await startDocker(netns);
      const serving = async (): Promise<string> => {
        const wget = ['wget', '-q', '-O', '-', 'http://127.0.0.1:8080/'];
        const command = ['netns', 'exec', netns, 'busybox', ...wget];
        const { stdout } = await run('ip', command, { allowFailure: true });
        return stdout;
      };
      try {
        const web = ['sh', '-c', 'echo hello > /index.html; exec httpd -f -p 80 -h /'];
        const options = ['--detach', '--restart', 'always', '--publish', '8080:80'];
        await server.docker(['run', ...options, labImage, ...web]);
        await until(async () => (await serving()) === 'hello\n');
        for (const end of ['stop', 'kill'] as const) {
          await server[end]();
          assert.equal(await serving(), '');
          await server.start();
          await until(async () => (await serving()) === 'hello\n');
        }
      } finally {
        await server.dispose();
        assert.equal(existsSync(server.url.slice('unix://'.length)), false);
      }
      // Nobody of it lives on in the namespace.
      assert.equal((await run('ip', ['netns', 'pids', netns])).stdout, '');
    } finally {
      await ip(undefined, [`netns del ${netns}`]);
    }
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) assert.ok(performance.now() < deadline, 'it did not come about in time');
}

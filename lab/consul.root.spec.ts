import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { requireRoot, skipBecause } from '../test/support/requirements.ts';
import { ip, run } from './command.ts';
import { consulUnavailable, startConsul } from './consul.ts';

describe('a lab Consul', function consul() {
  this.timeout(60_000);

  it('runs in a namespace, keeps its data over a kill, and goes when it is stopped', async function test() {
    requireRoot(this);
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const netns = `wt${process.pid}consul`;
    const folder = await mkdtemp(join(tmpdir(), 'weft-consul-lab-'));
    await ip(undefined, [`netns add ${netns}`]);
    try {
      await ip(netns, ['link set lo up', 'address add 10.77.0.2/32 dev lo']);
      const server = await startConsul({ netns, listenAddress: '10.77.0.2', dataDir: folder });
      try {
        assert.equal(server.url, 'consul://10.77.0.2:8500');
        await kv(netns, ['put', 'greeting', 'hello']);
        const firstPid = server.pid;
        await server.restart();
        assert.notEqual(server.pid, firstPid);
        assert.equal(await kv(netns, ['get', 'greeting']), 'hello');
        await server.wipe();
        assert.doesNotMatch(await kv(netns, ['get', '-keys', '']), /greeting/);
      } finally {
        const { pid } = server;
        await server.stop();
        assert.equal(server.pid, undefined);
        assert.equal(existsSync(`/proc/${pid}`), false);
      }
    } finally {
      await ip(undefined, [`netns del ${netns}`]);
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function kv(netns: string, [verb = '', ...args]: readonly string[]): Promise<string> {
  const address = '-http-addr=http://10.77.0.2:8500';
  const { stdout } = await run('ip', ['netns', 'exec', netns, 'consul', 'kv', verb, address, ...args]);
  return stdout.trim();
}

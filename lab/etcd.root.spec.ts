import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { requireRoot, skipBecause } from '../test/support/requirements.ts';
import { ip, run } from './command.ts';
import { etcdUnavailable, startEtcd } from './etcd.ts';

describe('a lab etcd', function etcd() {
  this.timeout(60_000);

  it('runs in a namespace, keeps its data over a kill, and goes when it is stopped', async function test() {
    requireRoot(this);
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    const netns = `wt${process.pid}etcd`;
    const folder = await mkdtemp(join(tmpdir(), 'weft-etcd-lab-'));
    await ip(undefined, [`netns add ${netns}`]);
    try {
      await ip(netns, ['link set lo up', 'address add 10.77.0.1/32 dev lo']);
      const server = await startEtcd({ netns, listenAddress: '10.77.0.1', dataDir: join(folder, 'data') });
      try {
        assert.equal(server.url, 'etcd://10.77.0.1:2379');
        await etcdctl(netns, server.endpoints, ['put', 'greeting', 'hello']);
        const firstPid = server.pid;
        await server.restart();
        assert.notEqual(server.pid, firstPid);
        assert.match(await etcdctl(netns, server.endpoints, ['get', 'greeting']), /hello/);
        await server.wipe();
        assert.equal(await etcdctl(netns, server.endpoints, ['get', 'greeting']), '');
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

async function etcdctl(netns: string, endpoints: string, args: readonly string[]): Promise<string> {
  const command = ['netns', 'exec', netns, 'etcdctl', '--endpoints', endpoints, ...args];
  const { stdout } = await run('ip', command, { env: { ETCDCTL_API: '3' } });
  return stdout;
}

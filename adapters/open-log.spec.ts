import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../core/errors.ts';
import { genesis } from '../core/log/event-log.ts';
import { draft, never, take } from '../test/support/log-drafts.ts';
import { QuietLogger } from '../test/support/quiet-logger.ts';
import { ConsulEventLog } from './consul/event-log.ts';
import { EtcdEventLog } from './etcd/event-log.ts';
import { FileEventLog } from './file/event-log.ts';
import { MemoryEventLog } from './memory/event-log.ts';
import { openLog } from './open-log.ts';
import { SystemClock } from './system/clock.ts';
import { SystemRandom } from './system/random.ts';
import { ZookeeperEventLog } from './zookeeper/event-log.ts';

const deps = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };

describe('openLog', () => {
  it('knows every kind of store by its scheme, and touches none', async () => {
    const logs = await Promise.all([
      openLog('memory:one', deps),
      openLog('file:/nowhere/at/all', deps),
      openLog('file:///nowhere//at/all/', deps),
      openLog('etcd://127.0.0.1:1/prefix', deps),
      openLog('consul://127.0.0.1:1/prefix', deps),
      openLog('zookeeper://127.0.0.1:1,[::1]:2/prefix', deps),
    ]);
    assert.deepEqual(
      logs.map((log) => log.constructor),
      [MemoryEventLog, FileEventLog, FileEventLog, EtcdEventLog, ConsulEventLog, ZookeeperEventLog],
    );
    assert.deepEqual(
      logs.map(({ url }) => url),
      [
        'memory:one',
        'file:/nowhere/at/all',
        'file:/nowhere/at/all',
        'etcd://127.0.0.1:1/prefix',
        'consul://127.0.0.1:1/prefix',
        'zookeeper://127.0.0.1:1,[::1]:2/prefix',
      ],
    );
    await Promise.all(logs.map((log) => log.close()));
  });

  it('shares a memory store by its name', async () => {
    const [a, b, other] = await Promise.all([
      openLog('memory:shared', deps),
      openLog('memory:shared', deps),
      openLog('memory:other', deps),
    ]);
    await Promise.all([a, b, other].map((log) => log.open(never())));
    const made = draft('shared');
    await a.append(made, never());
    assert.equal((await take(b, genesis, 1))[0]?.id, made.id);
    assert.equal(await other.head(never()), genesis);
    await Promise.all([a, b, other].map((log) => log.close()));
  });

  it('refuses what it does not know, and says what it knows', async () => {
    for (const url of [
      '',
      'weft',
      '/var/lib/weft/log',
      'consult://h:8500/p',
      'redis://user:secret@h',
      'constructor:x',
    ]) {
      await assert.rejects(openLog(url, deps), (error) => {
        assert.ok(isWeftError(error, 'bad-store-url'));
        assert.match(error.message, /file:\/.*etcd:\/\/.*consul:\/\/.*zookeeper:\/\/.*memory:/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
  });

  it('refuses malformed URLs of known kinds', async () => {
    const urls = [
      'memory:',
      'memory:a/b',
      'memory:../x',
      'file:',
      'file:relative/path',
      'file:/',
      'file:/a/../b',
      'file://host/path',
      'file:/a\nb',
      'etcd://',
      'consul://',
      'etcd://user:secret@host:2379/p',
      'zookeeper://',
      'zookeeper://user:secret@host:2181/p',
      'zookeeper://host:2181/zookeeper/quota',
    ];
    for (const url of urls)
      await assert.rejects(openLog(url, deps), (error) => isWeftError(error, 'bad-store-url'), url);
  });

  for (const scheme of ['etcd', 'consul', 'zookeeper'] as const) {
    it(`refuses a prefix of ${scheme} that is no plain path`, async () => {
      const prefixes = ['/a//b', '/../x', '/a/..', '/.', '/a%2fb', '/a b', '/ü', '/a\nb', '/a?b=c', '/a#b'];
      for (const prefix of [...prefixes, `/${'x'.repeat(300)}`]) {
        const url = `${scheme}://host${prefix}`;
        await assert.rejects(openLog(url, deps), (error) => isWeftError(error, 'bad-store-url'), url);
      }
    });
  }
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openLog } from '../adapters/open-log.ts';
import { createLogger } from '../adapters/system/logger.ts';
import { QuietLogger } from '../test/support/quiet-logger.ts';
import { SeededRandom } from '../test/support/seeded-random.ts';
import { VirtualClock } from '../test/support/virtual-clock.ts';
import { loadConfiguration } from './configuration/load.ts';
import { recentLineLengthMax, recentLinesMax } from './defaults.ts';
import { RecentLines } from './recent-lines.ts';
import { selfAccount } from './self-account.ts';

describe('What the daemon tells of itself', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-account-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is its configuration with an etcd, and of its secrets that there are some', async () => {
    const [password, key] = [join(folder, 'very-secret-password'), join(folder, 'very-secret-key')];
    await writeFile(password, 'hunter2\n');
    await writeFile(key, 'hunter2\n');
    const file = join(folder, 'weft.yaml');
    await writeFile(
      file,
      `user: hunter\npassword-file: ${password}\ntls-cert-file: ${key}\ntls-key-file: ${key}\n`,
    );
    const flags = { store: 'etcd://h1:2379,h2:2379/weft', host: 'h1', advertise: '192.0.2.1' };
    const configuration = await loadConfiguration({ flags, file });
    const ports = { clock: new VirtualClock(), random: new SeededRandom(1), logger: new QuietLogger() };
    const log = await openLog(configuration.store, { ...ports, secrets: configuration.secrets });
    const lines = new RecentLines();
    lines.push('{"message":"cannot reach etcd://hunter:hunter2@h1:2379"}');
    const account = selfAccount(configuration, log, lines);
    await log.close();
    assert.deepEqual(account.configuration, {
      store: 'etcd://h1:2379,h2:2379/weft',
      host: 'h1',
      advertise: '192.0.2.1',
      'data-dir': '/var/lib/weft',
      socket: '/run/weft/weft.sock',
      'netns-prefix': 'weft-',
      'accept-in-foreign-chains': 'false',
      'accept-foreign-vteps': 'false',
      'archive-mib': '1024',
      'host-grace': '30s',
      'host-retention': '86400s',
      'log-level': 'info',
      tls: 'mutual',
      authentication: 'yes',
    });
    assert.doesNotMatch(JSON.stringify([account, account.logLines()]), /hunter|very-secret/);
  });

  it('has the last log lines as they were written, and no more than it may', () => {
    const lines = new RecentLines();
    const written: string[] = [];
    const destination = { write: (line: string) => void written.push(line) };
    const logger = createLogger({ level: 'info', destination, onLine: (line) => lines.push(line) });
    logger.debug('too quiet');
    for (let count = 0; count < 5 * recentLinesMax; count += 1) logger.info('line', { count });
    assert.equal(lines.list().length, recentLinesMax);
    assert.equal(`${lines.list().at(-1)}\n`, written.at(-1));
    logger.warn('long', { text: 'x'.repeat(2 * recentLineLengthMax) });
    assert.equal(lines.list().at(-1)?.length, recentLineLengthMax);
  });
});

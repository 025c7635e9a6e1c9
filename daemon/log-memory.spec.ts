import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isWeftError } from '../core/errors.ts';
import type { LogId } from '../core/model/ids.ts';
import { FileLogMemory } from './log-memory.ts';

const [first, second] = ['a', 'b'].map((digit) => digit.repeat(32) as LogId) as [LogId, LogId];
const configured = 'etcd://h1:2379/weft';
const moved = 'consul://h1:8500/weft';

describe('log.json', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-log-memory-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is nothing on a host that never followed a log', async () => {
    assert.equal((await FileLogMemory.load(directory, configured)).last, undefined);
  });

  it('says after a restart which log was followed, where, and which came before', async () => {
    const memory = await FileLogMemory.load(directory, configured);
    await memory.remember({ logId: second, url: moved, past: [first] });
    const { last, configuredUrl } = await FileLogMemory.load(directory, configured);
    assert.deepEqual(last, { logId: second, url: moved, past: [first] });
    assert.equal(configuredUrl, configured);
  });

  it('gives way to a configuration that was changed, but for which log it was', async () => {
    const memory = await FileLogMemory.load(directory, configured);
    await memory.remember({ logId: second, url: moved, past: [] });
    const { last } = await FileLogMemory.load(directory, 'etcd://h9:2379/weft');
    assert.deepEqual(last, { logId: second, url: 'etcd://h9:2379/weft', past: [] });
  });

  it('is refused where it is damaged, with what to do', async () => {
    await writeFile(join(directory, 'log.json'), '{"logId":"../x"}');
    await assert.rejects(FileLogMemory.load(directory, configured), (error) => {
      assert.match(String(error), /log\.json is damaged: remove it if/);
      return isWeftError(error, 'bad-configuration');
    });
  });
});

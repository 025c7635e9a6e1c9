import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isWeftError } from '../core/errors.ts';
import { FileLock } from './file-lock.ts';

describe('a lock between processes', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-flock-'));
    path = join(folder, 'lock');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('refuses with the message given, and names its holder in the file', async () => {
    const lock = await FileLock.take(path, 'It is taken');
    assert.equal(await readFile(path, 'utf8'), `${process.pid}\n`);
    await assert.rejects(FileLock.take(path, 'It is taken'), (error) => {
      return isWeftError(error, 'already-running') && error.message === 'It is taken';
    });
    await lock.release();
  });

  it('leaves no file, and removes none of a later holder', async () => {
    const first = await FileLock.take(path, '');
    await first.release();
    assert.deepEqual(await readdir(folder), []);
    const second = await FileLock.take(path, '');
    await first.release();
    assert.deepEqual(await readdir(folder), ['lock']);
    await second.release();
  });

  it('has one holder at a time, however many come and go', async () => {
    let holders = 0;
    let taken = 0;
    const contend = async (): Promise<void> => {
      for (let round = 0; round < 30; round += 1) {
        const lock = await FileLock.take(path, '').catch((error: unknown) => {
          assert.ok(isWeftError(error, 'already-running'));
          return undefined;
        });
        if (lock === undefined) continue;
        holders += 1;
        taken += 1;
        assert.equal(holders, 1);
        await new Promise(setImmediate);
        holders -= 1;
        await lock.release();
      }
    };
    await Promise.all(Array.from({ length: 8 }, contend));
    assert.ok(taken > 0);
  });
});

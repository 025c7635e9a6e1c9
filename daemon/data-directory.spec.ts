import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { SystemRandom } from '../adapters/system/random.ts';
import { isWeftError } from '../core/errors.ts';
import { DataDirectory } from './data-directory.ts';
import { lockNetnsPrefix } from './machine-lock.ts';

describe('the data directory', () => {
  let folder: string;
  let path: string;
  const random = new SystemRandom();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-data-'));
    path = join(folder, 'deep', 'data');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is made for its owner alone, with an identity that stays', async () => {
    const first = await DataDirectory.open(path, random);
    assert.match(first.identity, /^[0-9a-f]{32}$/);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal((await stat(join(path, 'identity'))).mode & 0o777, 0o600);
    await first.close();
    const second = await DataDirectory.open(path, random);
    assert.equal(second.identity, first.identity);
    await second.close();
  });

  it('has another identity than any other', async () => {
    const [one, two] = [await DataDirectory.open(path, random), await DataDirectory.open(`${path}2`, random)];
    assert.notEqual(one.identity, two.identity);
    await one.close();
    await two.close();
  });

  it('keeps a second daemon out as long as the first one has it', async () => {
    const first = await DataDirectory.open(path, random);
    await assert.rejects(DataDirectory.open(path, random), (error) => {
      return isWeftError(error, 'already-running') && error.message.includes(path);
    });
    await first.close();
    await (await DataDirectory.open(path, random)).close();
  });

  it('is free again when its daemon was killed', async () => {
    await (await DataDirectory.open(path, random)).close();
    const module = new URL('./data-directory.js', import.meta.url).href;
    const script = `
      const { DataDirectory } = await import(${JSON.stringify(module)});
      await DataDirectory.open(${JSON.stringify(path)}, { hex: () => '0'.repeat(32) });
      console.log('taken');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      await assert.rejects(DataDirectory.open(path, random), (error) =>
        isWeftError(error, 'already-running'),
      );
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await (await DataDirectory.open(path, random)).close();
  });

  it('refuses a damaged identity instead of making up another host', async () => {
    await (await DataDirectory.open(path, random)).close();
    await writeFile(join(path, 'identity'), 'garbage');
    await assert.rejects(DataDirectory.open(path, random), (error) =>
      isWeftError(error, 'bad-configuration'),
    );
    assert.equal(await readFile(join(path, 'identity'), 'utf8'), 'garbage');
  });

  it('says so when it cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(DataDirectory.open(join(folder, 'file', 'data'), random), (error) => {
      return isWeftError(error, 'bad-configuration') && error.message.includes('--data-dir');
    });
  });
});

describe('the lock of a namespace prefix', () => {
  it('is held by one at a time, per prefix', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weft-lock-'));
    try {
      const first = await lockNetnsPrefix(folder, 'weft-');
      const other = await lockNetnsPrefix(folder, 'other-');
      await assert.rejects(lockNetnsPrefix(folder, 'weft-'), (error) => {
        return isWeftError(error, 'already-running') && error.message.includes('--netns-prefix');
      });
      await first.release();
      await (await lockNetnsPrefix(folder, 'weft-')).release();
      await other.release();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

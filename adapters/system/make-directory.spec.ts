import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { makeDirectory } from './make-directory.ts';

describe('a directory that is made', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-directory-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('has all that was missing above it, of which the highest is told', async () => {
    const path = join(folder, 'a/b/c');
    assert.equal(await makeDirectory(path, 0o700), join(folder, 'a'));
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal(await makeDirectory(join(folder, 'a/b/d')), join(folder, 'a/b/d'));
    assert.equal(await makeDirectory(path), undefined);
    assert.equal(await makeDirectory('/'), undefined);
  });

  it('is made by several at once', async () => {
    const path = join(folder, 'e/f/g/h');
    await Promise.all(Array.from({ length: 16 }, () => makeDirectory(path)));
    assert.ok((await stat(path)).isDirectory());
  });

  it('is refused, and not waited for, where a file is in the way, or the file system makes none', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(makeDirectory(file), { code: 'EEXIST' });
    await assert.rejects(makeDirectory(join(file, 'below')), { code: 'ENOTDIR' });
    await assert.rejects(makeDirectory('/proc/weft/log'), { code: 'ENOENT' });
  });
});

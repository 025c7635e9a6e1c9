import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { UnixSocket } from './unix-socket.ts';

describe('the socket of the API', () => {
  let folder: string;
  let path: string;
  const servers: Server[] = [];
  const sockets: UnixSocket[] = [];
  const logger = new QuietLogger();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-socket-'));
    path = join(folder, 'run', 'weft.sock');
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    for (const socket of sockets.splice(0)) await socket.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const listen = async (at = path): Promise<UnixSocket> => {
    const server = createServer();
    servers.push(server);
    const socket = await UnixSocket.listen(server, at, logger);
    sockets.push(socket);
    return socket;
  };

  it('is for owner and group alone, in a directory for all, whatever the umask', async () => {
    for (const umask of [0o000, 0o077]) {
      const at = join(folder, `run${umask}`, 'weft.sock');
      const before = process.umask(umask);
      try {
        await listen(at);
        assert.equal(process.umask(), umask);
      } finally {
        process.umask(before);
      }
      assert.equal((await lstat(at)).mode & 0o777, 0o660);
      assert.equal((await lstat(dirname(at))).mode & 0o777, 0o755);
    }
  });

  it('is never abstract, and leaves no temporary name', async () => {
    await listen();
    const open = (await readFile('/proc/net/unix', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(folder));
    assert.ok(open.length > 0);
    assert.ok(open.every((line) => !line.includes('@')));
    await assert.rejects(lstat(`${path}.new`), { code: 'ENOENT' });
  });

  it('refuses a second daemon and leaves the first one alone', async () => {
    await listen();
    const before = await lstat(path);
    await assert.rejects(listen(), (error) => {
      return isWeftError(error, 'already-running') && error.message.includes(path);
    });
    assert.equal((await lstat(path)).ino, before.ino);
  });

  it('refuses a path on which something else listens', async () => {
    const at = join(folder, 'other.sock');
    const other = createNetServer();
    other.listen(at);
    await once(other, 'listening');
    try {
      await assert.rejects(listen(at), (error) => isWeftError(error, 'already-running'));
    } finally {
      other.close();
    }
  });

  it('replaces what a killed daemon left', async () => {
    const at = join(folder, 'stale.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }), 'exit');
    const stale = await lstat(at);
    assert.ok(stale.isSocket());
    await listen(at);
    assert.notEqual((await lstat(at)).ino, stale.ino);
  });

  it('never removes what is no socket', async () => {
    const at = join(folder, 'precious');
    await writeFile(at, 'data');
    await assert.rejects(listen(at), (error) => isWeftError(error, 'bad-configuration'));
    assert.equal(await readFile(at, 'utf8'), 'data');
  });

  it('refuses a path that is too long for a socket, by name', async () => {
    const at = join(folder, 'x'.repeat(120));
    await assert.rejects(
      listen(at),
      (error) => isWeftError(error, 'bad-configuration') && /longer than/.test(error.message),
    );
  });

  it('is gone after its removal and can be made again', async () => {
    const socket = await listen();
    await socket.remove();
    await assert.rejects(lstat(path), { code: 'ENOENT' });
    await listen();
  });

  it('leaves another daemon its socket when it goes late', async () => {
    const socket = await listen();
    await rm(path);
    await writeFile(path, 'the next one');
    await socket.remove();
    assert.equal(await readFile(path, 'utf8'), 'the next one');
  });
});

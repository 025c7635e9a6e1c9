/** How handles of one directory get along, and what they do where the machine does not offer what they need. */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { genesis } from '../../core/log/event-log.ts';
import { draft, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SimulatedDisk, SimulatedProcess } from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { FileEventLog } from './event-log.ts';
import type { FileSystem } from './file-system.ts';
import { segmentPath } from './segment.ts';

describe('handles on one directory', () => {
  it('let a writer in that comes from outside, however busy another one is', async () => {
    const disk = new SimulatedDisk();
    const [busy, rare] = [await open(processOf(disk)), await open(processOf(disk))];
    let isDone = false;
    let appends = 0;
    const working = (async () => {
      for (; !isDone; appends++) await busy.append(draft('busy'), never());
    })();
    const turns: number[] = [];
    for (let count = 0; count < 20; count++) {
      const before = appends;
      await rare.append(draft('rare'), never());
      turns.push(appends - before);
    }
    isDone = true;
    await working;
    // While one stands in the turnstile the other finishes what it does, and once more at most.
    assert.ok(
      turns.filter((waited) => waited <= 3).length >= 15,
      `appends of the other in between: ${turns.join(' ')}`,
    );
    await Promise.all([busy.close(), rare.close()]);
  });

  it('write nothing while another process has the lock and does nothing', async () => {
    const disk = new SimulatedDisk();
    const log = await open(processOf(disk));
    const stopped = await processOf(disk).open('/log/LOCK', 'keep');
    assert.ok(stopped.tryLock());
    const made = draft('kept out');
    await assert.rejects(log.append(made, AbortSignal.timeout(50)), (error) =>
      isWeftError(error, 'store-unreachable'),
    );
    assert.equal(await log.head(never()), genesis, 'reading needs no lock');
    stopped.unlock();
    assert.equal(await log.resolve(made, never()), undefined);
    await log.append(made, never());
    await log.close();
  });

  it('open only when it is their turn, or not at all', async () => {
    const disk = new SimulatedDisk();
    await (await open(processOf(disk))).close();
    const stopped = await processOf(disk).open('/log/LOCK', 'keep');
    assert.ok(stopped.tryLock());
    const log = logOn(processOf(disk));
    await assert.rejects(log.open(AbortSignal.timeout(30)), (error) => isWeftError(error, 'closed'));
    stopped.unlock();
    await log.open(never());
    await log.close();
  });

  it('agree on the lock again when somebody has removed its file', async () => {
    const disk = new SimulatedDisk();
    const [a, b] = [await open(processOf(disk)), await open(processOf(disk))];
    await a.append(draft('1'), never());
    disk.delete('/log/LOCK');
    const drafts = Array.from({ length: 20 }, (_, index) => draft(`${index}`));
    await Promise.all(drafts.map((each, index) => (index % 2 === 0 ? a : b).append(each, never())));
    assert.equal((await takeAll(a, genesis)).length, 21);
    assert.deepEqual((await takeAll(a, genesis)).map(plain), (await takeAll(b, genesis)).map(plain));
    await Promise.all([a.close(), b.close()]);
  });

  it('let go of the lock when they cannot tell whether it is the right one', async () => {
    const disk = new SimulatedDisk();
    let isBroken = false;
    class Unlucky extends SimulatedProcess {
      override async identityOf(path: string): Promise<string | undefined> {
        if (isBroken && path.endsWith('/LOCK')) throw Object.assign(new Error('EIO: stat'), { code: 'EIO' });
        return await super.identityOf(path);
      }
    }
    const unlucky = await open(new Unlucky(disk, () => undefined, 'real'));
    const other = await open(processOf(disk));
    isBroken = true;
    await assert.rejects(unlucky.append(draft(), never()), (error) =>
      isWeftError(error, 'store-unreachable'),
    );
    await other.append(draft('in time'), AbortSignal.timeout(5_000));
    await Promise.all([unlucky.close(), other.close()]);
  });

  it('do not take a head that grew old while it was read for that of another log', async () => {
    const process = processOf(new SimulatedDisk());
    const log = await open(process);
    const [first, second] = [draft('first'), draft('second')];
    await log.append(first, never());
    await log.head(never());
    const identityOf = process.identityOf.bind(process);
    let appended: string | undefined;
    process.identityOf = async (path) => {
      const identity = await identityOf(path);
      if (path === '/log/head' && appended === undefined) {
        // Its bytes have been read by now; the same handle's writer goes on before they are looked at.
        process.identityOf = identityOf;
        appended = await log.append(second, never());
      }
      return identity;
    };
    assert.ok((await log.resolve(first, never())) !== undefined);
    assert.ok(appended !== undefined, 'it was written in between');
    assert.equal(await log.head(never()), appended);
    await log.close();
  });

  it('wake each other without notifications too', async () => {
    const disk = new SimulatedDisk();
    const logger = new QuietLogger();
    const blind = processOf(disk);
    blind.watch = () => {
      throw Object.assign(new Error('ENOSPC: inotify watches'), { code: 'ENOSPC' });
    };
    const [reader, writer] = [await open(blind, logger), await open(processOf(disk))];
    const waiting = take(reader, genesis, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const made = draft('unannounced');
    await writer.append(made, never());
    assert.equal((await waiting)[0]?.id, made.id);
    assert.ok(logger.lines.some(({ message }) => message.startsWith('no notifications')));
    await Promise.all([reader.close(), writer.close()]);
  });

  it('refuse file systems whose locks other machines do not see', async () => {
    const disk = new SimulatedDisk();
    for (const [type, name] of [
      [0x6969, 'NFS'],
      [0xff534d42 | 0, 'CIFS'],
    ] as const) {
      const process = processOf(disk);
      process.typeOf = async () => type;
      await assert.rejects(open(process), (error) => {
        assert.ok(isWeftError(error, 'bad-configuration'));
        assert.match(error.message, new RegExp(`/log is on ${name},.*use a local directory`));
        return true;
      });
    }
    assert.deepEqual(disk.paths(), []);
  });

  it('say what a failing system call means', async () => {
    const expected = {
      EACCES: 'permission-denied',
      EROFS: 'permission-denied',
      ENOSPC: 'store-full',
      EIO: 'store-unreachable',
    };
    for (const [code, meaning] of Object.entries(expected)) {
      const process = processOf(new SimulatedDisk());
      process.makeDirectory = async () => {
        throw Object.assign(new Error(`${code}: mkdir '/log'`), { code });
      };
      await assert.rejects(open(process), (error) => {
        assert.ok(isWeftError(error) && error.code === meaning, String(error));
        assert.match(error.message, new RegExp(`${code}: mkdir`));
        return true;
      });
    }
  });

  it('do not read a directory of another format', async () => {
    const disk = new SimulatedDisk();
    await (await open(processOf(disk))).close();
    const path = segmentPath('/log', 1);
    const bytes = disk.contents(path);
    const at = bytes.indexOf('"format":1');
    bytes.write('"format":2', at);
    bytes.writeUInt32LE(crcOf(bytes), bytes.length - 4);
    disk.corrupt(path, bytes);
    disk.delete('/log/head');
    await assert.rejects(open(processOf(disk)), (error) => {
      assert.ok(isWeftError(error, 'unknown-version'), String(error));
      assert.match(error.message, /format 2.*upgrade weft/);
      return true;
    });
  });

  it('wait for a directory that went away, and go on when it is back', async () => {
    const disk = new SimulatedDisk();
    const log = await open(processOf(disk));
    await log.append(draft('1'), never());
    const kept = new Map(disk.paths().map((path) => [path, disk.contents(path)]));
    for (const path of disk.paths()) disk.delete(path);
    await assert.rejects(log.append(draft('2'), never()), (error) => isWeftError(error, 'store-unreachable'));
    await assert.rejects(log.head(never()), (error) => isWeftError(error, 'store-unreachable'));
    assert.equal(log.health.reachable, false);
    assert.ok(!disk.paths().includes('/log/head'), 'no other log is begun in its place');
    for (const [path, bytes] of kept) {
      if (disk.find(path) === undefined) disk.create(path);
      disk.corrupt(path, bytes);
    }
    await log.append(draft('2'), never());
    assert.equal((await takeAll(log, genesis)).length, 2);
    const fresh = await open(processOf(disk));
    assert.equal((await takeAll(fresh, genesis)).length, 2, 'it was written to the files that are there now');
    await Promise.all([log.close(), fresh.close()]);
  });
});

/** As slow as the machine's own, so that timers run in between. */
function processOf(disk: SimulatedDisk): SimulatedProcess {
  return disk.process(() => undefined, 'real');
}

async function open(fileSystem: FileSystem, logger = new QuietLogger()): Promise<FileEventLog> {
  const log = logOn(fileSystem, logger);
  await log.open(never());
  return log;
}

function logOn(fileSystem: FileSystem, logger = new QuietLogger()): FileEventLog {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger };
  return new FileEventLog({ directory: '/log' }, ports, { fileSystem });
}

function crcOf(frame: Buffer): number {
  return crc32(frame.subarray(0, -4));
}

function plain({ position, id }: { position: string; id: string }): string {
  return `${position} ${id}`;
}

/** The file log on a small file system of its own that really fills up. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { genesis } from '../../core/log/event-log.ts';
import { draft, never, takeAll } from '../../test/support/log-drafts.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import { FileEventLog } from './event-log.ts';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

describe(`the file log on a full disk${isRoot ? '' : ' (skipped: needs root to mount a tmpfs)'}`, function suite() {
  this.timeout(60_000);
  let directory: string | undefined;

  before(async function mount() {
    if (!isRoot) this.skip();
    const path = await mkdtemp(join(tmpdir(), `wt${process.pid}-full-disk-`));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', `wt${process.pid}`, path]);
    } catch (error) {
      await rm(path, { recursive: true });
      throw error;
    }
    directory = path;
  });

  after(async () => {
    if (directory === undefined) return;
    await run('umount', [directory]);
    await rm(directory, { recursive: true });
  });

  it('refuses what has no room, keeps what it acked, and goes on when there is room again', async () => {
    assert.ok(directory !== undefined);
    const ballast = join(directory, 'ballast');
    await writeFile(ballast, Buffer.alloc(300_000));
    const path = join(directory, 'log');
    const log = openOn(path);
    await log.open(never());
    const acked: string[] = [];
    const fill = async (size: number): Promise<void> => {
      for (;;) {
        const made = draft(Buffer.alloc(size, acked.length));
        const error = await log.append(made, never()).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined) {
          assert.ok(isWeftError(error, 'store-full'), error instanceof Error ? error.message : 'no error');
          assert.equal(await log.resolve(made, never()), undefined);
          return;
        }
        acked.push(made.id);
      }
    };
    for (const size of [70_000, 5_000, 300]) await fill(size);
    const full = acked.length;
    assert.ok(full > 10);
    await rm(ballast);
    await fill(70_000);
    assert.ok(acked.length > full, 'it has gone on');
    assert.deepEqual(
      (await takeAll(log, genesis)).map(({ id }) => id),
      acked,
    );
    await log.close();
    const fresh = openOn(path);
    await fresh.open(never());
    assert.deepEqual(
      (await takeAll(fresh, genesis)).map(({ id }) => id),
      acked,
    );
    await fresh.close();
  });
});

function openOn(directory: string): FileEventLog {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  return new FileEventLog({ directory }, ports, { bounds: { segmentBytesMax: 200_000 } });
}

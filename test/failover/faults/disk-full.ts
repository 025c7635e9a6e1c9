import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../lab/command.ts';
import type { Fault } from '../fault.ts';

const diskMib = 8;
const ballastBytes = 4 * 1024 * 1024;

export const diskFull: Fault = {
  name: 'disk-full',
  what: 'the disk of the log is full, until something else on it is removed',
  stores: ['file'],
  needsRoot: true,
  async run(trial) {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMib}m`, 'weft-failover', trial.folder]);
    trial.atEnd(async () => await run('umount', [trial.folder]));
    const ballast = join(trial.folder, 'ballast');
    await writeFile(ballast, Buffer.alloc(ballastBytes));
    const open = () => trial.open(`file:${join(trial.folder, 'log')}`);
    return await trial.underLoad({ open, padding: 5_000 }, async (load) => {
      await load.untilTold('store-full');
      await rm(ballast);
      await load.untilMore(100);
    });
  },
};

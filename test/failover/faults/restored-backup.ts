import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreHost } from '../../support/store-host.ts';
import type { Fault } from '../fault.ts';
import { FrozenHosts } from '../frozen-hosts.ts';
import { allStores } from '../stores.ts';
import type { Trial } from '../trial.ts';

const laterRecords = 20;

export const restoredBackup: Fault = {
  name: 'restored-backup',
  what: 'an old backup is restored while two hosts run, and in every other round a third goes on from it: both find out, stop where they are and change nothing',
  stores: allStores,
  async run(trial) {
    const hosts = await FrozenHosts.start(trial, trial.store === 'file' ? `${trial.url}/log` : trial.url);
    await hosts.populate('kept');
    await backUp(trial);
    await hosts.populate('lost');
    await restore(trial);
    if (trial.round % 2 === 0) await goOn(trial);
    await hosts.assertFrozen();
    return undefined;
  },
};

async function goOn(trial: Trial): Promise<void> {
  const url = trial.store === 'file' ? `${trial.url}/log` : trial.url;
  const third = await StoreHost.start(url, { name: 'h3', number: 3 });
  trial.atEnd(() => third.stop());
  await third.grow(laterRecords, 4);
}

async function backUp(trial: Trial): Promise<void> {
  const backup = join(trial.folder, 'backup');
  if (trial.store === 'file') return await cp(join(trial.folder, 'log'), backup, { recursive: true });
  await mkdir(backup);
  await trial.cluster.backUp(backup);
}

async function restore(trial: Trial): Promise<void> {
  const backup = join(trial.folder, 'backup');
  if (trial.store !== 'file') return await trial.cluster.restore(backup);
  const log = join(trial.folder, 'log');
  await rename(log, join(trial.folder, 'before'));
  await cp(backup, log, { recursive: true });
  await rm(join(trial.folder, 'before'), { recursive: true });
}

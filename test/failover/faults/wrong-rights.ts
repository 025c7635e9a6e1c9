import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import type { Fault } from '../fault.ts';
import { WriterProcess } from '../strangers/writer-process.ts';

/** `nobody` of Debian. Whoever is not root will do. */
const stranger = 65_534;

export const wrongRights: Fault = {
  name: 'wrong-rights',
  what: 'a process without the rights to the directory of the log: refused with one line, and nothing is written',
  stores: ['file'],
  needsRoot: true,
  async run(trial) {
    await trial.open();
    await chmod(trial.sharedFolder, 0o755);
    await chmod(trial.folder, 0o755);
    const before = await readdir(trial.folder);
    const writer = new WriterProcess(trial.folder, 1, stranger);
    trial.atEnd(() => writer.kill());
    assert.notEqual(await writer.ended, 0);
    assert.match(writer.errors, /permission-denied/);
    assert.equal(writer.acked.size, 0);
    assert.deepEqual(await readdir(trial.folder), before);
    return undefined;
  },
};

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { type Evidence, type Judgement, judge } from '../judge.ts';
import { Load } from '../load.ts';
import { WriterProcess } from '../strangers/writer-process.ts';
import type { Trial } from '../trial.ts';

const kills = 10;
const appends = 200;

export const writersKilled: Fault = {
  name: 'writers-killed',
  what: 'processes that append are killed (SIGKILL), ten times, while others write and read',
  stores: ['file'],
  run: (trial) =>
    withWriters(trial, async (load, start) => {
      for (let count = 0; count < kills; count += 1) {
        const writer = start(1_000_000);
        await writer.firstAck;
        await sleep((count * 7) % 40);
        await writer.kill();
        await load.untilMore(50);
      }
    }),
};

export const twoProcesses: Fault = {
  name: 'two-processes',
  what: 'two more processes append to one log at once',
  stores: ['file'],
  run: (trial) =>
    withWriters(trial, async (load, start) => {
      const codes = await Promise.all([start(appends).ended, start(appends).ended]);
      assert.deepEqual(codes, [0, 0]);
      await load.untilMore(50);
    }),
};

/** Judges the load, and that everything which the processes were acked is there at its position. */
async function withWriters(
  trial: Trial,
  happen: (load: Load, start: (appends: number) => WriterProcess) => Promise<void>,
): Promise<Judgement> {
  const load = await Load.start({ open: () => trial.open() });
  trial.atEnd(() => load.stop());
  const writers: WriterProcess[] = [];
  await load.untilAcked(100);
  await happen(load, (count) => {
    const writer = new WriterProcess(trial.folder, count);
    trial.atEnd(() => writer.kill());
    writers.push(writer);
    return writer;
  });
  const evidence = await load.finish();
  assertWriters(evidence, writers);
  return judge(evidence);
}

function assertWriters({ history }: Evidence, writers: readonly WriterProcess[]): void {
  const positions = new Map<string, string>(history.map(({ id, position }) => [id, position]));
  const acked = writers.flatMap((writer) => [...writer.acked]);
  assert.ok(acked.length >= writers.length, 'the processes have appended');
  for (const [id, position] of acked)
    assert.equal(positions.get(id), position, `${id} was acked by a process`);
}

import assert from 'node:assert/strict';
import { RunningTail } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import type { Judgement } from '../judge.ts';
import { judge } from '../judge.ts';
import { Load } from '../load.ts';
import { allStores } from '../stores.ts';
import type { Trial } from '../trial.ts';

const records = 20_000;
const recordBytes = 250;
/** What clients of gRPC take in one answer, unless they are told otherwise. */
const bytesMin = 4 * 1024 * 1024;

export const catchUp: Fault = {
  name: 'catch-up',
  what: 'a tail begins when 20,000 records, over 4 MiB, lie before it, and more come',
  stores: allStores,
  limitMs: 300_000,
  run: judgeLateTail,
};

async function judgeLateTail(trial: Trial): Promise<Judgement> {
  const load = await Load.start({ open: () => trial.open(), padding: recordBytes, width: 128 });
  trial.atEnd(() => load.stop());
  await load.untilAcked(records);
  const late = new RunningTail(await trial.open());
  trial.atEnd(() => late.stop());
  const evidence = await load.finish();
  await late.until(evidence.history.length);
  const bytes = late.entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  assert.ok(bytes > bytesMin, `only ${bytes} bytes`);
  return judge({ ...evidence, tails: [...evidence.tails, late.entries] });
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry, Position } from '../../../core/log/event-log.ts';
import type { CancelSignal } from '../../../core/ports/cancel.ts';
import type { Fault } from '../fault.ts';
import { RecordingLog } from '../recording-log.ts';
import { allStores } from '../stores.ts';

/** Ten megabytes: more than any adapter holds for a consumer. */
const records = 200;
const recordBytes = 50_000;
const slowEntries = 20;
const slowMs = 250;

export const slowConsumer: Fault = {
  name: 'slow-consumer',
  what: 'one tail takes 250 ms for each of its first entries while 10 MB come',
  stores: allStores,
  async run(trial) {
    const open = async (role: string, number: number) => {
      const log = await trial.open();
      return role === 'tail' && number === 2 ? new SlowLog(log) : log;
    };
    return await trial.underLoad({ open, padding: recordBytes }, (load) => load.untilAcked(records));
  },
};

class SlowLog extends RecordingLog {
  override async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    let count = 0;
    for await (const entry of super.tail(after, signal)) {
      if ((count += 1) <= slowEntries) await sleep(slowMs);
      yield entry;
    }
  }
}

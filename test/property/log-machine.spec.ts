/** P11: every kind of log that runs in one process does what a list does, whatever happens to it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { FileEventLog } from '../../adapters/file/event-log.ts';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { type Fault, MemoryStore } from '../../adapters/memory/store.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import { runs } from '../support/property-settings.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type DiskFault, SimulatedDisk, type SimulatedProcess } from '../support/simulated-disk.ts';
import { type LogBench, logCommands, type Misfortune, playLog } from './log-machine.ts';

const portsOf = () => ({ clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() });

function memoryBench(): LogBench {
  const store = new MemoryStore();
  const once = (fault: Fault) => (): Misfortune => {
    let isOver = false;
    const stop = store.interrupt((operation) => {
      if (operation !== 'append' || isOver) return undefined;
      isOver = true;
      return fault;
    });
    const end = (): void => {
      stop();
      store.land();
    };
    return { loses: 'none', end };
  };
  return {
    connect: () => new MemoryEventLog({ name: 'machine' }, portsOf(), store),
    misfortunes: new Map(
      (['refuse', 'lose-request', 'lose-answer', 'delay'] as const).map((fault) => [fault, once(fault)]),
    ),
    dispose: async () => undefined,
  };
}

/** Small, so that a few entries make several segments and several pages. */
const bounds = { segmentBytesMax: 1500, pageBytesMax: 400 };

class FileBench implements LogBench {
  readonly #disk = new SimulatedDisk();
  readonly #processes = new Map<EventLog, SimulatedProcess>();
  /** What befalls the next call of a process that changes something, or one soon after it. */
  readonly #plans = new Map<EventLog, { fault: DiskFault; inCalls: number }>();
  readonly misfortunes: LogBench['misfortunes'] = new Map([
    ...(['die-before', 'die-amid', 'die-after'] as const).map(
      (fault) => [fault, (log: EventLog, pick: number) => this.#crash(log, fault, pick)] as const,
    ),
    ...(['eio', 'enospc', 'short'] as const).map(
      (fault) => [fault, (log: EventLog, pick: number) => this.#fail(log, fault, pick)] as const,
    ),
    ['power', (log: EventLog, pick: number) => this.#powerFailure(log, pick)] as const,
  ]);

  connect(): EventLog {
    const process = this.#disk.process(() => {
      const plan = this.#plans.get(log);
      if (plan === undefined || --plan.inCalls >= 0) return undefined;
      this.#plans.delete(log);
      return plan.fault;
    });
    const log: EventLog = new FileEventLog({ directory: '/log' }, portsOf(), { fileSystem: process, bounds });
    this.#processes.set(log, process);
    return log;
  }

  async dispose(): Promise<void> {
    for (const process of this.#processes.values()) process.die();
  }

  #fail(log: EventLog, fault: DiskFault, pick: number): Misfortune {
    this.#plans.set(log, { fault, inCalls: pick % 8 });
    return { loses: 'none', end: () => void this.#plans.delete(log) };
  }

  #crash(log: EventLog, fault: DiskFault, pick: number): Misfortune {
    this.#plans.set(log, { fault, inCalls: pick % 8 });
    return { loses: 'this', end: () => this.#kill(log) };
  }

  #powerFailure(log: EventLog, pick: number): Misfortune {
    this.#plans.set(log, { fault: 'die-amid', inCalls: pick % 8 });
    const end = async (): Promise<void> => {
      for (const other of [...this.#processes.keys()]) await this.#kill(other);
      this.#disk.failPower(new SeededRandom(pick));
    };
    return { loses: 'all', end };
  }

  async #kill(log: EventLog): Promise<void> {
    this.#plans.delete(log);
    this.#processes.get(log)?.die();
    this.#processes.delete(log);
    // Its promises end with it; what it says in its death is of no account.
    await log.close().catch(() => undefined);
  }
}

const everyCommand = [
  'append',
  'contradict',
  'crowd',
  'follow',
  'join',
  'reopen',
  'repeat',
  'resolve',
  'suffer',
  'tail',
];

describe('a log as a state machine (P11)', () => {
  for (const { name, bench, usual, fates } of [
    {
      name: 'memory',
      bench: memoryBench,
      usual: 150,
      fates: ['refuse: store-unreachable', 'lose-answer: outcome-unknown', 'delay: outcome-unknown'],
    },
    {
      name: 'file',
      bench: () => new FileBench(),
      usual: 100,
      fates: ['short: acked', 'die-amid: acked', 'power: acked', 'enospc: store-full'],
    },
  ] as const) {
    it(`P11: the ${name} log is a list, whatever is done with it and happens to it`, async () => {
      const met = new Set<string>();
      await fc.assert(
        fc.asyncProperty(logCommands, async (commands) => playLog(bench(), commands, met)),
        { numRuns: runs(usual) },
      );
      const missing = [...everyCommand, ...fates].filter((each) => !met.has(each));
      assert.deepEqual(missing, [], `met were ${[...met].sort().join(', ')}`);
    });
  }
});

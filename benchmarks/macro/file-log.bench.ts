/**
 * The embedded log on this machine's disk: one append at a time, 32 requests in flight through the group commit, four
 * handles at once, and the time from an ack in one process to the delivery in another. Beside them the floor: what a
 * write and an fdatasync of the same bytes take in the same minute.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FileEventLog } from '../../adapters/file/event-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { Appender } from '../../core/log/appender.ts';
import { genesis } from '../../core/log/event-log.ts';
import type { EntryId } from '../../core/model/ids.ts';

const appends = 1_000;
const records = 20_000;
const inFlight = 32;
const deliveries = 300;
/** A record of an attach request is about as long. */
const recordBytes = 300;

const random = new SystemRandom();
const ports = { clock: new SystemClock(), random, logger: createLogger({ level: 'error' }) };
const never = new AbortController().signal;
const [, , role, childDirectory = ''] = process.argv;

if (role === 'writer') await write(childDirectory);
else await measure();

async function measure(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), `wt${process.pid}-file-log-bench-`));
  try {
    await floor(join(directory, 'floor'));
    const log = await open(join(directory, 'single'));
    print('append, one at a time', await timesOf(appends, () => append(log)), 'ms');
    await log.close();
    await groupCommit(join(directory, 'group'));
    await crowd(join(directory, 'crowd'));
    await wakeUp(join(directory, 'wake'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function floor(path: string): Promise<void> {
  const file = await openFile(path, 'w');
  const bytes = Buffer.alloc(recordBytes, 'x');
  let at = 0;
  const times = await timesOf(appends, async () => {
    await file.write(bytes, 0, bytes.length, at);
    await file.datasync();
    at += bytes.length;
  });
  print('floor: write and fdatasync', times, 'ms');
  await file.close();
}

async function groupCommit(directory: string): Promise<void> {
  const log = await open(directory);
  const appender = new Appender(log, ports);
  const line = Buffer.alloc(recordBytes, 'x');
  const start = performance.now();
  let left = records;
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) times.push(await timed(() => appender.submit(line, 0, 60_000)));
    }),
  );
  const perSecond = records / ((performance.now() - start) / 1000);
  print(`record, ${inFlight} in flight`, times, 'ms');
  console.log(`records per second, ${inFlight} in flight: ${Math.round(perSecond)}`);
  await appender.close();
  await log.close();
}

async function crowd(directory: string): Promise<void> {
  const logs = await Promise.all(Array.from({ length: 4 }, () => open(directory)));
  const start = performance.now();
  const times = (await Promise.all(logs.map((log) => timesOf(appends / 4, () => append(log))))).flat();
  print('append, 4 handles at once', times, 'ms');
  console.log(`appends per second, 4 handles: ${Math.round(appends / ((performance.now() - start) / 1000))}`);
  await Promise.all(logs.map((log) => log.close()));
}

/** The clock is the machine's own, so both processes read the same. */
async function wakeUp(directory: string): Promise<void> {
  const log = await open(directory);
  const seen = new Map<string, number>();
  const following = (async () => {
    for await (const { id } of log.tail(genesis, never)) {
      seen.set(id, nowMs());
      if (seen.size === deliveries) return;
    }
  })();
  const acked = new Map<string, number>();
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(import.meta.url), 'writer', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [id = '', at = ''] = line.split(' ');
      acked.set(id, Number(at));
    });
  }
  await Promise.all([following, once(child, 'close')]);
  const times = [...seen].map(([id, at]) => at - (acked.get(id) ?? 0));
  print('ack in one process to delivery in another', times, 'ms');
  await log.close();
}

async function write(directory: string): Promise<void> {
  const log = await open(directory);
  for (let count = 0; count < deliveries; count++) {
    const id = await append(log);
    writeSync(1, `${id} ${nowMs()}\n`);
    await ports.clock.sleep(5);
  }
  await log.close();
}

async function append(log: FileEventLog): Promise<EntryId> {
  const id = random.hex(16) as EntryId;
  await log.append({ id, base: 0, bytes: Buffer.alloc(recordBytes, 'x') }, never);
  return id;
}

async function open(directory: string): Promise<FileEventLog> {
  const log = new FileEventLog({ directory }, ports);
  await log.open(never);
  return log;
}

async function timesOf(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let done = 0; done < count; done++) times.push(await timed(work));
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function print(what: string, times: readonly number[], unit: string): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
  console.log(`${what}: p50 ${at(0.5)} ${unit}, p99 ${at(0.99)} ${unit}, ${sorted.length} times`);
}

/**
 * 50,000 records through the requests of a host, on each kind of store: what the store holds in the end, how long a fresh
 * process takes until it is at work, and whether both have come to the same hash.
 *
 *   npm run bench:growth [-- STORE...]      file, etcd, consul, zookeeper; all that there are where none is named
 */
import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { StoreHost } from '../../test/support/store-host.ts';
import { type StoreKind, storeKinds } from '../../test/support/store-kinds.ts';

const records = 50_000;
const endpoints = 100;
const atOnce = 256;
const freshStarts = 5;
const entriesMax = 10_000;
const self = fileURLToPath(import.meta.url);
const [, , role = '', ...others] = process.argv;

if (role === 'fresh') await beFresh(others[0] ?? '', Number(others[1]));
else {
  const names = [role, ...others].filter((name) => name !== '');
  for (const kind of storeKinds) if (names.length === 0 || names.includes(kind.name)) await measure(kind);
}

async function measure(kind: StoreKind): Promise<void> {
  if (kind.unavailable !== undefined) {
    console.log(`${kind.name}: not measured: ${kind.unavailable}`);
    return;
  }
  const server = await kind.start();
  try {
    const url = server.newUrl();
    const oldest = await StoreHost.start(url);
    try {
      const start = performance.now();
      await oldest.populate('crowd', endpoints);
      await oldest.grow(records, atOnce);
      const seconds = (performance.now() - start) / 1_000;
      const { ordinal } = oldest.controller.state;
      console.log(`${kind.name}: ${ordinal} records in ${seconds.toFixed(1)} s; load ${loadText()}`);
      await account(oldest, url);
      for (let number = 2; number < 2 + freshStarts; number += 1) await startFresh(oldest, url, number);
    } finally {
      await oldest.stop();
    }
  } finally {
    await server.stop();
  }
}

/** What the store holds. */
async function account(host: StoreHost, url: string): Promise<void> {
  const snapshots = await host.snapshotsAtRest();
  const texts = snapshots.map(({ ordinal, bytes = 0 }) => `${ordinal} (${bytes} bytes)`);
  const entries = await countEntries(host, url);
  console.log(`  snapshots of ${texts.join(' and ')}; ${entries} entries in the log`);
  if (entries >= entriesMax) throw new Error('the store holds more than it shall');
}

async function countEntries(host: StoreHost, url: string): Promise<number> {
  const log = await openLog(url, { clock: new SystemClock(), random: new SystemRandom(), logger: quiet() });
  const scope = new AbortController();
  try {
    await log.open(scope.signal);
    const head = await log.head(scope.signal);
    const until = { position: head, ordinal: host.controller.state.ordinal };
    const start = await host.controller.logStart(until, scope.signal);
    let entries = 0;
    if (start === undefined) throw new Error('the log was never trimmed');
    for await (const { position } of log.tail(start.position, scope.signal)) {
      entries += 1;
      if (position === head) break;
    }
    return entries;
  } finally {
    scope.abort();
    await log.close();
  }
}

/** A process of its own, from its beginning to the phase `running`. */
async function startFresh(oldest: StoreHost, url: string, number: number): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, [self, 'fresh', url, String(number)]);
  const { ordinal, stateHash, endpoints: found, ms, controllerMs } = JSON.parse(stdout);
  await oldest.until(() => oldest.controller.state.ordinal >= ordinal);
  const isSame = oldest.controller.state.stateHash === stateHash && found === endpoints;
  console.log(
    `  fresh process: at work after ${Math.round(ms)} ms, of which ${Math.round(controllerMs)} ms its controller; ` +
      `${isSame ? 'same hash' : 'ANOTHER HASH'}; load ${loadText()}`,
  );
  if (!isSame) throw new Error('the fresh host has come to another state');
}

async function beFresh(url: string, number: number): Promise<void> {
  const start = performance.now();
  const host = await StoreHost.start(url, { name: `h${number}`, number });
  const [ms, controllerMs] = [performance.now(), performance.now() - start];
  const { ordinal, stateHash, endpoints: all } = host.controller.state;
  console.log(JSON.stringify({ ordinal, stateHash, endpoints: all.size, ms, controllerMs }));
  await host.stop();
}

function quiet() {
  return createLogger({ level: 'error' });
}

function loadText(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

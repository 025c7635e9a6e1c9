/** What a log at rest, and a host at rest, ask of their server: by the server's own count, over a stretch of real time. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import { consulUnavailable, startConsul } from '../../lab/consul.ts';
import { etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { startZookeeper, zookeeperUnavailable } from '../../lab/zookeeper.ts';
import { draft, never } from '../support/log-drafts.ts';
import { RunningTail } from '../support/log-trials.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { skipBecause } from '../support/requirements.ts';
import { StoreHost } from '../support/store-host.ts';

/** So long are requests counted: nothing is waited for but that the time passes, and a busy machine asks for less. */
const countedSeconds = 20;
/** Of one log with a tail that waits. */
const perSecondMax = 1;
/** Of a daemon: its tail, and a beat written and the beats of all read in five seconds. */
const hostPerSecondMax = 2;

interface Counted {
  readonly url: string;
  requestsTaken(): Promise<number>;
  stop(): Promise<void>;
}

const stores: readonly {
  readonly name: string;
  unavailable(): string | undefined;
  start(): Promise<Counted>;
}[] = [
  { name: 'etcd', unavailable: etcdUnavailable, start: startEtcd },
  { name: 'consul', unavailable: consulUnavailable, start: startConsul },
  // Ticks as in production: a session is not shortened, so its signs of life are as rare as there.
  { name: 'zookeeper', unavailable: zookeeperUnavailable, start: () => startZookeeper({ tickMs: 2_000 }) },
];

/** Requests per second by store: of a log, and of a host. */
interface Rates {
  readonly log: number;
  readonly host: number;
}

describe('A store at rest', function suite() {
  this.timeout(180_000);
  const rates = new Map<string, Rates>();

  before(async () => {
    const there = stores.filter(({ unavailable }) => unavailable() === undefined);
    await Promise.all(there.map(async ({ name, start }) => rates.set(name, await ratesOf(start))));
  });
  after(() => {
    for (const [name, { log, host }] of rates)
      process.stdout.write(
        `    ${name}: a log ${log.toFixed(2)}, a host ${host.toFixed(2)} requests a second\n`,
      );
  });

  for (const { name, unavailable } of stores) {
    const rateOf = (context: Mocha.Context): Rates => {
      const reason = unavailable();
      if (reason !== undefined) skipBecause(context, reason);
      const rate = rates.get(name);
      assert.ok(rate !== undefined);
      return rate;
    };

    it(`is asked less than once a second for a log on ${name}`, function log() {
      const rate = rateOf(this).log;
      assert.ok(rate > 0 && rate < perSecondMax, `${rate} a second`);
    });

    it(`is asked less than ${hostPerSecondMax} times a second by a host on ${name}`, function host() {
      const rate = rateOf(this).host;
      assert.ok(rate > 0 && rate < hostPerSecondMax, `${rate} a second`);
    });
  }
});

async function ratesOf(start: () => Promise<Counted>): Promise<Rates> {
  const server = await start();
  try {
    return { log: await ofLog(server), host: await ofHost(server) };
  } finally {
    await server.stop();
  }
}

async function ofLog(server: Counted): Promise<number> {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  const log: EventLog = await openLog(`${server.url}/log`, ports);
  try {
    await log.open(never());
    const tail = new RunningTail(log);
    await log.append(draft(), never());
    await tail.until(1);
    const rate = await perSecond(server);
    await tail.stop();
    return rate;
  } finally {
    await log.close();
  }
}

async function ofHost(server: Counted): Promise<number> {
  const host = await StoreHost.start(`${server.url}/host`);
  try {
    return await perSecond(server);
  } finally {
    await host.stop();
  }
}

async function perSecond(server: Counted): Promise<number> {
  const [before, startMs] = [await server.requestsTaken(), performance.now()];
  await sleep(countedSeconds * 1_000);
  return (((await server.requestsTaken()) - before) * 1_000) / (performance.now() - startMs);
}

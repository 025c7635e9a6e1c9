/**
 * A store of each kind that is no longer what its hosts have followed: every shape of it is found out, nothing is changed in
 * any kernel or in the store, and one command writes the log back, with every endpoint.
 */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { isWeftError } from '../../core/errors.ts';
import { type EventLog, genesis } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import { draft, never, takeAll } from '../support/log-drafts.ts';
import { type PerishableStore, startPerishable } from '../support/perishable-store.ts';
import { QuietLogger } from '../support/quiet-logger.ts';
import { skipBecause } from '../support/requirements.ts';
import { StoreHost } from '../support/store-host.ts';
import { storeKinds } from '../support/store-kinds.ts';

const endpoints = 3;

interface Shape {
  readonly name: string;
  /** Does it to a store whose log had so many entries, of which the backup lacks some. */
  befall(store: PerishableStore, entries: number): Promise<void>;
}

/** A backup that somebody has gone on from, until there are so many entries. */
async function restoreWith(store: PerishableStore, entries: number): Promise<void> {
  await store.restore();
  await withLog(store.url, async (log) => {
    for (let left = entries - (await takeAll(log, genesis)).length; left > 0; left -= 1)
      await log.append(draft('of another history'), never());
  });
}

const shapes: readonly Shape[] = [
  { name: 'was wiped', befall: (store) => store.wipe() },
  { name: 'is shorter, from a backup', befall: (store) => store.restore() },
  { name: 'is as long, from a backup that went on', befall: restoreWith },
  {
    name: 'is longer, from a backup that went on',
    befall: (store, entries) => restoreWith(store, entries + 3),
  },
  {
    name: "is another cluster's",
    befall: async (store) => {
      await store.wipe();
      const stranger = await StoreHost.start(store.url, { name: 'h9', number: 9 });
      await stranger.populate('foreign', 1);
      await stranger.stop();
    },
  },
];

for (const kind of storeKinds) {
  describe(`a log on ${kind.name} that is not what its hosts have followed`, function suite() {
    this.timeout(180_000);
    let store: PerishableStore | undefined;
    let hosts: StoreHost[] = [];

    afterEach(async () => {
      await Promise.all(hosts.map((host) => host.stop()));
      await store?.stop();
      [store, hosts] = [undefined, []];
    });

    for (const shape of shapes) {
      it(`is found out where it ${shape.name}, and is written back`, async function found() {
        if (kind.unavailable !== undefined) skipBecause(this, kind.unavailable);
        store = await startPerishable(kind.name);
        const { url } = store;
        hosts = [await StoreHost.start(url), await StoreHost.start(url, { name: 'h2', number: 2 })];
        await populate(hosts, 'kept');
        await store.backUp();
        await populate(hosts, 'late');
        const [kernels, before] = [hosts.map(kernelOf), await entriesOf(url)];

        await shape.befall(store, before.length);
        const befallen = await logIn(url);
        for (const host of hosts) await host.until(() => isStopped(host));
        assert.deepEqual(hosts.map(kernelOf), kernels, 'nothing was changed in any kernel');
        assert.deepEqual(await logIn(url), befallen, 'nor in the store');

        const discard = befallen?.logId;
        if (discard !== undefined) {
          await assert.rejects(reseed(hosts[0]), (error) => {
            assert.match(String(error), new RegExp(`--discard-log ${discard}`));
            return isWeftError(error, 'log-exists');
          });
          assert.deepEqual(await logIn(url), befallen, 'nor by a command that does not name it');
        }
        const made = await Promise.all(hosts.map((host) => reseed(host, discard)));
        assert.equal(new Set(made).size, 1, 'two operators at once write back one log');
        for (const host of hosts) await host.until(async () => (await host.phase()) === 'running');
        assert.deepEqual(hosts.map(kernelOf), kernels);
        await populate(hosts, 'after');
        for (const { controller } of hosts) assert.equal(controller.state.endpoints.size, 6 * endpoints);
      });
    }
  });
}

/** Endpoints on each host, of which both know, and which both have in their kernels. */
async function populate(hosts: readonly StoreHost[], network: string): Promise<void> {
  for (const [index, host] of hosts.entries()) await host.populate(`${network}-${index + 1}`, endpoints);
  const ordinal = Math.max(...hosts.map(({ controller }) => controller.state.ordinal));
  for (const host of hosts) {
    await host.until(() => host.controller.state.ordinal >= ordinal);
    await host.until(async () => (await host.client.call('status')).dataplane.pending === 0);
  }
}

/** It says that it has stopped, why, and what to do. A directory that is empty may only not be mounted: it says that. */
async function isStopped(host: StoreHost): Promise<boolean> {
  const { phase, phaseReason = '', store } = await host.client.call('status');
  if (phase === 'halted') {
    assert.match(phaseReason, /the data plane is kept as it is.*weft store reseed/);
    assert.equal((await host.client.call('doctor')).healthy, false);
    return true;
  }
  return (
    !store.reachable && /is gone: it was removed or its file system is not mounted/.test(store.reason ?? '')
  );
}

async function reseed(host: StoreHost | undefined, discard?: LogId): Promise<string> {
  assert.ok(host !== undefined);
  const body = discard === undefined ? {} : { discard };
  return (await host.client.call('reseedStore', { body })).logId;
}

function kernelOf({ kernel }: StoreHost): string {
  return JSON.stringify(kernel.inventory());
}

const entriesOf = (url: string) => withLog(url, (log) => takeAll(log, genesis));

/** The log that is there, with its entries; undefined where there is none. */
async function logIn(url: string): Promise<{ logId: LogId; entries: readonly string[] } | undefined> {
  return await withLog(url, async (log, logId) => {
    return { logId, entries: (await takeAll(log, genesis)).map(({ position, id }) => `${position} ${id}`) };
  }).catch((error: unknown) => {
    if (isWeftError(error, 'no-log')) return undefined;
    throw error;
  });
}

async function withLog<T>(url: string, use: (log: EventLog, logId: LogId) => Promise<T>): Promise<T> {
  const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
  const log = await openLog(url, ports);
  try {
    return await use(log, await log.open(never(), 'refuse'));
  } finally {
    await log.close();
  }
}

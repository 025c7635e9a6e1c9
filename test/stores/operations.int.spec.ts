/** What an operator does with a store of each kind, by the command line, and what is refused: nothing is half done. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { genesis } from '../../core/log/event-log.ts';
import { Relay } from '../../lab/relay.ts';
import { draft, never, takeAll } from '../support/log-drafts.ts';
import { openUrl } from '../support/open-url.ts';
import { skipBecause } from '../support/requirements.ts';
import { StoreHost } from '../support/store-host.ts';
import { type StoreKind, type StoreServer, storeKinds } from '../support/store-kinds.ts';
import { type WeftResult, weft } from '../support/weft-program.ts';

const endpoints = 3;
const secret = 'correct-horse';

for (const kind of storeKinds) {
  describe(`weft store on ${kind.name}`, function suite() {
    this.timeout(120_000);
    let server: StoreServer;
    let folder: string;
    let host: StoreHost;
    let url: string;

    before(async function start() {
      if (kind.unavailable !== undefined) skipBecause(this, kind.unavailable);
      folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-operations-`));
      server = await kind.start();
      url = server.newUrl();
      host = await StoreHost.start(url);
      await host.populate('red', endpoints);
    });
    after(async () => {
      await host?.stop();
      await server?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true });
    });

    const store = (...args: string[]): Promise<WeftResult> => weft(['store', ...args], host.socket);

    /** Refused in one line with that code, and nothing else is said. */
    async function refused(result: Promise<WeftResult>, code: string, what: RegExp): Promise<void> {
      const { code: status, out, err } = await result;
      assert.deepEqual([status, out], [1, ''], err);
      assert.match(err, new RegExp(`^weft: [^\n]+ \\(${code}\\)\n$`));
      assert.match(err, what);
      assert.doesNotMatch(err, new RegExp(secret));
    }

    /** The host is at work in the log as it was. */
    async function unchanged(act: () => Promise<void>): Promise<void> {
      const [entries, { logId }] = [await entriesIn(url), (await host.client.call('status')).store];
      await act();
      const { phase, store: now } = await host.client.call('status');
      assert.deepEqual([phase, now.logId], ['running', logId]);
      assert.deepEqual(await entriesIn(url), entries);
    }

    it('makes a snapshot, and says what is there', async () => {
      assert.match((await store('status')).out, /^Snapshots: +0 in the store$/m);
      const made = await store('snapshot');
      assert.deepEqual([made.code, made.err], [0, '']);
      assert.match(made.out, /^Snapshot of ordinal \d+: 1 chunk, [^\n]+, id [0-9a-f]+\n$/);
      const { code, out } = await store('status', '--check');
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^Store: +${url}: reachable$`, 'm'));
      assert.match(out, /^Snapshots: +1 in the store$/m);
      assert.match(out, / yes\n$/, 'it was read through');
    });

    it('refuses to import over a log', async () => {
      const file = join(folder, 'export.gz');
      assert.equal((await store('export', file)).code, 0);
      await unchanged(() =>
        refused(weft(['store', 'import', file, '--store', url]), 'log-exists', /there is one already/),
      );
    });

    it('refuses to copy to where it is, and to another log, which stays as it was', async () => {
      const other = server.newUrl();
      const log = await openUrl(other);
      try {
        await log.open(never());
        await log.append(draft('of others'), never());
        await unchanged(async () => {
          await refused(store('copy', '--to', url), 'log-exists', /Cannot move to .*: it has log/);
          await refused(store('copy', '--to', other), 'log-exists', /nothing was changed/);
        });
        assert.equal((await takeAll(log, genesis)).length, 1);
        assert.deepEqual(await log.snapshots.list(never()), []);
      } finally {
        await log.close();
      }
    });

    it('refuses to copy to what is no store, or cannot be reached, and tells no password', async () => {
      await unchanged(async () => {
        for (const to of [`redis://${secret}@h/x`, `etcd://weft:${secret}@h/x`, `${kind.name}:`])
          await refused(store('copy', '--to', to), 'bad-store-url', /Cannot|The store URL|No store/);
        const nowhere = kind.name === 'file' ? 'file:/proc/weft/log' : `${kind.name}://127.0.0.1:1/weft`;
        await refused(store('copy', '--to', nowhere), 'store-unreachable', /Cannot/);
      });
      assert.doesNotMatch(JSON.stringify(host.logger.lines), new RegExp(secret));
    });

    it('refuses to write back what is not lost, and to discard what nobody knows', async () => {
      await unchanged(async () => {
        const { logId = '' } = (await host.client.call('status')).store;
        await refused(store('reseed'), 'log-exists', /it is there, and this host can follow it/);
        await refused(store('reseed', '--discard-log', logId), 'log-exists', /this host can follow it/);
        await refused(store('reseed', '--discard-log', '0'.repeat(32)), 'log-exists', /it is there/);
      });
    });
  });
}

describe('weft store copy, while the other store goes away', function suite() {
  this.timeout(120_000);
  const atEnd: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of atEnd.splice(0).reverse()) await end();
  });

  for (const kind of storeKinds.filter(({ name }) => name !== 'file')) {
    it(`is begun anew where ${kind.name} was gone before the log was sealed, and goes on where it was after`, async function gone() {
      if (kind.unavailable !== undefined) skipBecause(this, kind.unavailable);
      const { hosts, relay, to } = await prepare(kind);
      await relay.refuse();
      const early = await weft(['store', 'copy', '--to', to], hosts[0].socket);
      assert.deepEqual([early.code, early.out], [1, '']);
      assert.match(early.err, /^weft: [^\n]+ \(store-unreachable\)\n$/);
      for (const host of hosts) assert.equal(host.controller.state.course.next, undefined, 'not sealed');
      await relay.accept();

      const kernel = JSON.stringify(hosts[0].kernel.inventory());
      const [copying] = [
        weft(['store', 'copy', '--to', to], hosts[0].socket),
        await goneAtSeal(hosts, relay),
      ];
      for (const host of hosts)
        await host.until(async () => {
          const { store, phase } = await host.client.call('status');
          return (
            phase === 'running' && !store.reachable && /the cluster has moved to/.test(store.reason ?? '')
          );
        });
      const late = hosts[1].populate('late', 1);
      await relay.accept();
      await late;
      for (const host of hosts) {
        await host.until(async () => (await host.client.call('status')).store.url === to);
        await host.until(() => host.controller.state.endpoints.size === 2 * endpoints + 1);
      }
      const { code, out, err } = await copying;
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, /^The cluster goes on at /);
      assert.equal(JSON.stringify(hosts[0].kernel.inventory()), kernel, 'its kernel is as it was');
    });
  }

  for (const kind of storeKinds.filter(({ name }) => name !== 'file')) {
    it(`goes on by an export where ${kind.name} was lost for good once the log was sealed`, async function lost() {
      if (kind.unavailable !== undefined) skipBecause(this, kind.unavailable);
      const { hosts, relay, to } = await prepare(kind);
      const copying = weft(['store', 'copy', '--to', to], hosts[0].socket);
      await goneAtSeal(hosts, relay);
      const fresh = await kind.start();
      atEnd.push(() => fresh.stop());
      relay.redirect(addressOf(fresh.newUrl()));
      await relay.accept();
      for (const host of hosts)
        await host.until(async () =>
          /no log (at|now)/.test((await host.client.call('status')).store.reason ?? ''),
        );
      const file = join(hosts[0].folder, 'export.gz');
      for (const args of [
        ['export', file],
        ['import', file, '--store', to],
      ]) {
        const { code, err } = await weft(['store', ...args], hosts[0].socket);
        assert.deepEqual([code, err], [0, '']);
      }
      for (const host of hosts)
        await host.until(async () => (await host.client.call('status')).store.url === to);
      await hosts[1].populate('late', 1);
      const newcomer = await StoreHost.start(to, { name: 'h3', number: 3 });
      atEnd.push(() => newcomer.stop());
      for (const host of [hosts[0], newcomer])
        await host.until(() => host.controller.state.endpoints.size === 2 * endpoints + 1);
      await copying;
    });
  }

  /** Two hosts with endpoints on a folder, and a store of the kind behind a relay. */
  async function prepare(kind: StoreKind) {
    const [own, other] = [storeKinds.find(({ name }) => name === 'file'), await kind.start()];
    const server = await own?.start();
    assert.ok(server !== undefined);
    atEnd.push(
      () => other.stop(),
      () => server.stop(),
    );
    const { prefix, ...address } = addressOf(other.newUrl());
    const relay = await Relay.start(address);
    atEnd.push(() => relay.close());
    const url = server.newUrl();
    const hosts = [
      await StoreHost.start(url),
      await StoreHost.start(url, { name: 'h2', number: 2 }),
    ] as const;
    for (const [index, each] of hosts.entries()) {
      atEnd.push(() => each.stop());
      await each.populate(`red-${index}`, endpoints);
    }
    return { hosts, relay, to: `${kind.name}://${relay.host}:${relay.port}${prefix}` };
  }

  /** The first host that folds the seal has not spoken to the other store since. */
  async function goneAtSeal(hosts: readonly StoreHost[], relay: Relay): Promise<void> {
    while (hosts.every(({ controller }) => controller.state.course.next === undefined))
      await new Promise((resolve) => setImmediate(resolve));
    await relay.refuse();
  }
});

function addressOf(url: string): { readonly host: string; readonly port: number; readonly prefix: string } {
  const [, host = '', port = '', prefix = ''] = /\/\/([^:]+):(\d+)(\/.*)$/.exec(url) ?? [];
  return { host, port: Number(port), prefix };
}

async function entriesIn(url: string): Promise<readonly string[]> {
  const log = await openUrl(url);
  try {
    await log.open(never(), 'refuse');
    return (await takeAll(log, genesis)).map(({ position, id }) => `${position} ${id}`);
  } finally {
    await log.close();
  }
}

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { never } from '../../test/support/log-drafts.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { isWeftError } from '../errors.ts';
import type { BootId, LogId } from '../model/ids.ts';
import { encodeBeat } from '../presence/beat.ts';
import { beginSuccessor } from '../succession/begin-successor.ts';
import type { ReseedRequest } from './control.ts';

const by = 'uid:0';
const red = {
  name: 'red',
  driver: 'overlay',
  subnets: [{ prefix: '10.0.1.0/24', aux: {} }],
  ipv6: false,
  internal: false,
  space: 'default',
  options: {},
  labels: {},
};

describe('a cluster whose log is succeeded by another', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let h2: VirtualHost;

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    h2 = await cluster.start('h2');
    await create(h1, 'red');
    await attach(h1, 'web');
    await attach(h2, 'db');
    await settled();
  });
  afterEach(() => cluster.dispose());

  const create = (host: VirtualHost, name: string) =>
    cluster.drive(
      host.controller.createNetwork(
        { ...red, name, subnets: name === 'red' ? red.subnets : [] },
        { by, signal: never() },
      ),
    );

  async function attach(host: VirtualHost, sandbox: string) {
    host.kernel.addSandbox(sandbox);
    const request = { sandbox, name: sandbox, aliases: [] };
    return await cluster.drive(host.controller.connect('red', request, { by, signal: never() }));
  }

  const statusOf = (host: VirtualHost) => cluster.drive(host.controller.status(never()));

  /** All stand at one ordinal with one hash, in one log, and have nothing to do. */
  async function settled(...hosts: VirtualHost[]): Promise<void> {
    const all = hosts.length === 0 ? [h1, h2] : hosts;
    await cluster.until(async () => {
      const states = await Promise.all(all.map(statusOf));
      const stands = new Set(
        states.map(({ ordinal, stateHash, store }) => `${ordinal} ${stateHash} ${store.logId}`),
      );
      const arrived = all.every(({ controller }, index) => {
        const { next } = controller.state.course;
        return next === undefined || next.logId === states[index]?.store.logId;
      });
      return (
        arrived &&
        stands.size === 1 &&
        states.every(
          ({ phase, dataplane, caughtUp }) => phase === 'running' && dataplane.pending === 0 && caughtUp,
        )
      );
    });
  }

  const phase = (host: VirtualHost, wanted: string) =>
    cluster.until(async () => (await cluster.phaseOf(host)) === wanted);

  const writesOf = async (host: VirtualHost): Promise<number> => (await statusOf(host)).dataplane.writes;
  const reseed = (host: VirtualHost, request: Partial<ReseedRequest> = {}) =>
    cluster.drive(host.controller.reseed({ force: false, ...request }, { by, signal: never() }));
  const logIdOf = async (host: VirtualHost) => (await statusOf(host)).store.logId as LogId;

  const snapshot = (host: VirtualHost) => cluster.drive(host.controller.makeSnapshot(never()));

  describe('in the same store, which was wiped', () => {
    it('freezes and says what to do, and goes on after a reseed without a write to the kernel', async () => {
      const before = await statusOf(h1);
      const writes = [await writesOf(h1), await writesOf(h2)];
      cluster.store.wipe();
      for (const host of [h1, h2]) {
        await phase(host, 'halted');
        assert.match((await statusOf(host)).phaseReason ?? '', /weft store reseed/);
      }
      const { logId } = await reseed(h1);
      await settled();
      const after = await statusOf(h1);
      assert.equal(after.store.logId, logId);
      assert.equal(after.ordinal, before.ordinal + 1, 'the beginning of the log is a record');
      assert.deepEqual([await writesOf(h1), await writesOf(h2)], writes);
      assert.equal(after.endpoints, 2);
      assert.equal(after.phaseReason, undefined);
      await attach(h2, 'late');
      await settled();
      const h3 = await cluster.start('h3');
      await settled(h1, h2, h3);
    });

    it('is written back by one of several at once', async () => {
      cluster.store.wipe();
      await phase(h1, 'halted');
      await phase(h2, 'halted');
      const made = await Promise.all([reseed(h1), reseed(h2), reseed(h2)]);
      assert.equal(new Set(made.map(({ logId }) => logId)).size, 1);
      await settled();
    });

    it('leaves a host frozen that knows more than the one which wrote it back', async () => {
      const mend = h2.log.sever();
      await create(h1, 'blue');
      await create(h1, 'green');
      cluster.store.wipe();
      mend();
      await phase(h1, 'halted');
      await phase(h2, 'halted');
      await reseed(h2);
      await phase(h2, 'running');
      await cluster.until(async () =>
        /this host knows another record/.test((await statusOf(h1)).phaseReason ?? ''),
      );
      assert.ok((await statusOf(h1)).networks > (await statusOf(h2)).networks);
      // The way out: the host that knows more writes the log back over what the other has begun, whose few records of its
      // own are given up when its daemon starts again.
      await reseed(h1, { discard: await logIdOf(h2) });
      await phase(h1, 'running');
      await cluster.until(async () => (await statusOf(h1)).networks === 7);
      await cluster.until(async () =>
        /this host knows another record/.test((await statusOf(h2)).phaseReason ?? ''),
      );
      await cluster.stop(h2);
      h2 = await cluster.start('h2', { kernel: h2.kernel, memory: h2.memory, address: '192.168.2.12' });
      await settled();
      assert.equal((await statusOf(h2)).networks, 7);
    });

    it('is not written back from a host that is behind another one, unless it is forced', async () => {
      const { ordinal } = h2.controller.state;
      const account = {
        address: '',
        version: '0',
        phase: 'running' as const,
        ordinal: ordinal + 2,
        marks: [],
      };
      cluster.store.putBeat(
        '9'.repeat(32) as BootId,
        encodeBeat({ host: 'h9', epoch: 1, count: 1, account }),
      );
      await cluster.clock.advance(10_000);
      cluster.store.wipe();
      await phase(h2, 'halted');
      await assert.rejects(reseed(h2), (error) => {
        assert.ok(isWeftError(error, 'host-behind'), String(error));
        assert.match(error.message, /host 'h9' had record \d+ when it was last seen, \d+ s ago.*--force/);
        return true;
      });
      assert.equal(cluster.store.logId, undefined, 'nothing was written');
      await reseed(h2, { force: true });
      await settled();
    });

    it('is not followed by a host that went on by itself in a backup, though it has fewer records', async () => {
      const backup = cluster.store.copy();
      for (const name of ['blue', 'green', 'grey']) await create(h1, name);
      await settled();
      const { ordinal } = h1.controller.state;
      await cluster.stop(h2);
      cluster.store.takeOver(backup);
      await phase(h1, 'halted');
      const h3 = await cluster.start('h3', { address: '192.168.2.33' });
      assert.ok(h3.controller.state.ordinal < ordinal, 'it has taken a record of its own all the same');
      cluster.store.wipe();
      await phase(h3, 'halted');
      const inventory = h3.kernel.inventory();
      await reseed(h1);
      await phase(h1, 'running');
      await cluster.until(async () =>
        /begun anew from record \d+ of log .* this host knows another record/.test(
          (await statusOf(h3)).phaseReason ?? '',
        ),
      );
      assert.deepEqual(h3.kernel.inventory(), inventory, 'its data plane is frozen');
      assert.equal(await cluster.phaseOf(h3), 'halted');
    });

    it('is not taken up again where a backup of it went on by itself and was trimmed', async () => {
      const backup = cluster.store.copy();
      await create(h1, 'blue');
      await settled();
      await cluster.stop(h2);
      cluster.store.takeOver(backup);
      await phase(h1, 'halted');
      const h3 = await cluster.start('h3', { address: '192.168.2.33' });
      for (const name of ['green', 'grey', 'black']) await create(h3, name);
      await snapshot(h3);
      await create(h3, 'white');
      await snapshot(h3);
      assert.ok(cluster.store.floor > 0);
      await cluster.until(async () =>
        /has other records than this host has followed/.test((await statusOf(h1)).phaseReason ?? ''),
      );
      assert.equal(await cluster.phaseOf(h1), 'halted');
    });

    it('is not written back where it is, nor over what another host began', async () => {
      const exists = (error: unknown): boolean => isWeftError(error, 'log-exists');
      await assert.rejects(reseed(h1), exists);
      cluster.store.wipe();
      await phase(h1, 'halted');
      const stranger = await cluster.start('h9');
      await assert.rejects(reseed(h1), exists);
      assert.equal(await cluster.phaseOf(stranger), 'running');
    });

    it('is written back over an old backup that is to be discarded, by several at once', async () => {
      const backup = cluster.store.copy();
      await create(h1, 'blue');
      await settled();
      const [logId, { ordinal }] = [await logIdOf(h1), h1.controller.state];
      cluster.store.takeOver(backup);
      await phase(h1, 'halted');
      await phase(h2, 'halted');
      await assert.rejects(reseed(h1), (error) => {
        assert.ok(isWeftError(error, 'log-exists'), String(error));
        assert.match(error.message, new RegExp(`old backup.*--discard-log ${logId}`));
        return true;
      });
      assert.equal(cluster.store.logId, logId, 'nothing was changed');
      const made = await Promise.all([reseed(h1, { discard: logId }), reseed(h2, { discard: logId })]);
      assert.equal(new Set(made.map((each) => each.logId)).size, 1);
      await settled();
      assert.ok(h1.controller.state.ordinal > ordinal);
      assert.equal((await statusOf(h2)).networks, 6);
    });

    it('is written back over what a stranger began there, who then stops where he stands', async () => {
      cluster.store.wipe();
      await phase(h1, 'halted');
      const stranger = await cluster.start('h9');
      await create(stranger, 'foreign');
      const inventory = stranger.kernel.inventory();
      const discard = await logIdOf(stranger);
      await assert.rejects(reseed(h1), (error) => {
        assert.match(String(error), new RegExp(`has log ${discard} already.*--discard-log ${discard}`));
        return isWeftError(error, 'log-exists');
      });
      await reseed(h1, { discard });
      await settled();
      await phase(stranger, 'halted');
      assert.deepEqual(stranger.kernel.inventory(), inventory);
      assert.match((await statusOf(stranger)).phaseReason ?? '', /does not go on from log/);
    });

    it('is never discarded where a host can follow it, whatever is asked', async () => {
      const discard = await logIdOf(h1);
      await assert.rejects(reseed(h1, { discard, force: true }), (error) => {
        assert.match(String(error), /is there, and this host can follow it; nothing was changed/);
        return isWeftError(error, 'log-exists');
      });
      await settled();
      assert.equal(await logIdOf(h2), discard);
    });

    it('is not discarded in place of another one', async () => {
      const backup = cluster.store.copy();
      await create(h1, 'blue');
      cluster.store.takeOver(backup);
      await phase(h1, 'halted');
      await assert.rejects(reseed(h1, { discard: '0'.repeat(32) as LogId }), (error) =>
        isWeftError(error, 'log-exists'),
      );
      assert.equal(cluster.store.length, backup.length);
    });

    it('is not taken for a new cluster by a host that starts again', async () => {
      await cluster.stop(h2);
      cluster.store.wipe();
      await phase(h1, 'halted');
      const writes = h2.kernel.inventory().length;
      h2 = cluster.launch('h2', {
        kernel: h2.kernel,
        memory: h2.memory,
        archive: h2.archive,
        address: '192.168.2.12',
      });
      await phase(h2, 'halted');
      assert.equal(cluster.store.logId, undefined, 'it begins no log');
      assert.equal(h2.kernel.inventory().length, writes);
      await reseed(h1);
      await settled();
      assert.equal(h2.kernel.inventory().length, writes);
    });

    it('is followed again when the right store comes back', async () => {
      const backup = cluster.store.copy();
      cluster.store.wipe();
      await phase(h1, 'halted');
      cluster.store.takeOver(backup);
      await settled();
    });
  });

  describe('in another store', () => {
    const move = (host: VirtualHost, url = 'memory:other') =>
      cluster.drive(host.controller.moveLog(url, { by, signal: never() }));

    it('goes on there without a write to the kernel, and carries over what is under way', async () => {
      const writes = [await writesOf(h1), await writesOf(h2)];
      const under = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? h1 : h2).controller.createNetwork(
          { ...red, name: `n${index}`, subnets: [] },
          { by, signal: never() },
        ),
      );
      const next = await move(h1);
      await cluster.drive(Promise.all(under));
      await settled();
      const status = await statusOf(h2);
      assert.equal(status.store.url, next.url);
      assert.equal(status.store.logId, next.logId);
      assert.equal(status.networks, 4 + 1 + 20);
      assert.deepEqual([await writesOf(h1), await writesOf(h2)], writes);
    });

    it('is found by a host that was off, and by one that is new and knows only the old store', async () => {
      await cluster.stop(h2);
      await move(h1);
      await settled(h1);
      await create(h1, 'blue');
      h2 = await cluster.start('h2', { kernel: h2.kernel, memory: h2.memory, address: '192.168.2.12' });
      const h3 = await cluster.start('h3');
      await settled(h1, h2, h3);
      assert.equal(h3.memory.last?.url, 'memory:other');
    });

    it('is found by a host that was off for so long that it was trimmed meanwhile', async () => {
      await cluster.stop(h2);
      await move(h1);
      for (const name of ['blue', 'green']) {
        await create(h1, name);
        await snapshot(h1);
      }
      assert.ok(cluster.storeNamed('other').floor > 0);
      h2 = await cluster.start('h2', { kernel: h2.kernel, memory: h2.memory, address: '192.168.2.12' });
      await settled(h1, h2);
    });

    it('is waited for by a host that starts, before it takes hold of its kernel', async () => {
      await move(h1);
      await settled(h1, h2);
      await create(h1, 'green');
      await cluster.stop(h2);
      const { kernel } = h2;
      let refusals = 0;
      let writes: number | undefined;
      cluster.storeNamed('other').interrupt(() => {
        refusals += 1;
        if (refusals <= 20) return 'refuse';
        // Of this life: the counts of a machine begin anew with each.
        writes ??= kernel.operations;
        return undefined;
      });
      // It knows only the old store, as after the loss of its data directory.
      h2 = await cluster.start('h2', { kernel, address: '192.168.2.12' });
      assert.equal(writes, 0);
      await settled(h1, h2);
    });

    it('is begun by any host when the one that sealed the log dies', async () => {
      const moving = h1.controller.moveLog('memory:other', { by, signal: never() }).catch(() => undefined);
      const other = cluster.storeNamed('other');
      const restore = other.interrupt((operation) => (operation === 'append' ? 'refuse' : undefined));
      await cluster.drive(moving);
      await cluster.stop(h1);
      restore();
      await settled(h2);
      assert.equal((await statusOf(h2)).store.url, 'memory:other');
    });

    it('goes on from an export where the other store was lost for good once the log was sealed', async () => {
      const other = cluster.storeNamed('other');
      const restore = other.interrupt((operation) => (operation === 'append' ? 'refuse' : undefined));
      const moving = move(h1);
      await cluster.until(() => h2.controller.state.course.next !== undefined);
      const { state } = h2.controller;
      await moving;
      other.wipe();
      restore();
      const { clock, random } = cluster;
      const ports = { clock, random, compression: new PlainCompression() };
      const log = new MemoryEventLog({ name: 'other' }, { ...ports, logger: new QuietLogger() }, other);
      const predecessor = { logId: await logIdOf(h1), state, host: 'h2', by: 'import' };
      const { logId } = await cluster.drive(beginSuccessor(log, predecessor, ports, never()));
      const h3 = await cluster.start('h3');
      await settled(h1, h2, h3);
      for (const host of [h1, h2, h3]) assert.equal(await logIdOf(host), logId);
    });

    it('keeps its data plane while the other store cannot be reached, and says so', async () => {
      const next = cluster.storeNamed('other');
      await move(h1);
      const restore = next.interrupt('refuse');
      await cluster.until(
        async () =>
          !(await statusOf(h2)).store.reachable || (await statusOf(h2)).store.url === 'memory:other',
      );
      restore();
      await settled();
    });

    it('goes on from there to a third, and back to a store where it has been', async () => {
      await move(h1);
      await settled();
      await move(h2, 'memory:third');
      await settled();
      await move(h1, 'memory:fourth');
      await settled();
      assert.equal(h2.controller.state.course.past.length, 3);
      assert.equal(h2.controller.state.endpoints.size, 2);
    });

    it('does not move to a store that has a log, nor when nothing can be changed', async () => {
      await assert.rejects(move(h1, 'memory:cluster'), (error) => isWeftError(error, 'log-exists'));
      await assert.rejects(move(h1, 'nonsense:x'), (error) => isWeftError(error, 'bad-store-url'));
      await settled();
    });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { FakeControl } from '../../test/support/fake-control.ts';
import { never } from '../../test/support/log-drafts.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { VirtualCluster } from '../../test/support/virtual-cluster.ts';
import { WeftError } from '../errors.ts';
import { genesis } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import { beginSuccessor } from './begin-successor.ts';
import { CurrentLog } from './current-log.ts';
import { Succession } from './succession.ts';

describe('a host whose log is damaged', () => {
  it('does not go back to it, however it looks later, and goes on in one that succeeds it', async () => {
    const [clock, random, logger] = [new VirtualClock(), new SeededRandom(1), new QuietLogger()];
    const ports = { clock, random, logger, compression: new PlainCompression() };
    const { state } = new FakeControl();
    let store = new MemoryStore();
    const connect = async () => new MemoryEventLog({ name: 'log' }, ports, store);
    const current = new CurrentLog(await connect());
    const logId = await current.open(never());
    const succession = new Succession({ ...ports, current, connect }, 'h1');
    const damage = new WeftError('log-damaged', 'a key was written twice');
    const reasons: string[] = [];
    const landed = succession.afterLoss({ logId, state, position: genesis }, damage, never(), ({ code }) =>
      reasons.push(code),
    );
    for (let looks = 0; looks < 5; looks += 1) await clock.advance(1_000);
    assert.deepEqual(reasons, ['log-damaged']);
    store = new MemoryStore();
    await beginSuccessor(await connect(), { logId, state, host: 'h2', by: 'uid:0' }, ports, never());
    await clock.advance(5_000);
    const landing = await landed;
    assert.notEqual(landing?.logId, logId);
    assert.equal(landing?.state.stateHash, state.stateHash);
  });
});

describe('a host that could not see its log for a while', () => {
  it('takes a snapshot of it where the log was trimmed meanwhile', async () => {
    const cluster = new VirtualCluster();
    const { controller, logger } = await cluster.start('h1');
    const { store, clock, random } = cluster;
    const { position, store: account } = await cluster.drive(controller.status(never()));
    const stand = { logId: account.logId as LogId, state: controller.state, position };
    const red = { driver: 'overlay', subnets: [], ipv6: false, internal: false, options: {}, labels: {} };
    for (const name of ['red', 'blue']) {
      const request = { name, space: 'default', ...red };
      await cluster.drive(controller.createNetwork(request, { by: 'spec', signal: never() }));
      await cluster.drive(controller.makeSnapshot(never()));
    }
    assert.ok(store.floor > 0);
    const connect = async () => new MemoryEventLog({ name: 'log' }, { clock, random, logger }, store);
    const ports = { clock, random, logger, compression: new PlainCompression(), connect };
    const succession = new Succession({ ...ports, current: new CurrentLog(await connect()) }, 'h2');
    const loss = new WeftError('log-mismatch', 'it held another log');
    const landing = await cluster.drive(succession.afterLoss(stand, loss, never(), assert.fail));
    assert.equal(landing?.logId, stand.logId);
    assert.ok((landing?.state.ordinal ?? 0) > stand.state.ordinal);
    await cluster.dispose();
  });
});

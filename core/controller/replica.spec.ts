/** A replica whose log is trimmed under it, or refuses it for a while. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { PlainCompression } from '../../test/support/plain-compression.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeverableLog } from '../../test/support/severable-log.ts';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { WeftError } from '../errors.ts';
import { type CancelScope, cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { LogEntry, Position } from '../log/event-log.ts';
import type { EntryId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import { Replica } from './replica.ts';

/** What waits until a test opens it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A log whose tails begin, and whose heads are told, only when a test lets them. */
class HeldLog extends SeverableLog {
  held: Promise<void> = Promise.resolve();

  heldHeads: Promise<void> = Promise.resolve();

  /** The answer is made at once, and comes when a test lets it. */
  override async head(signal: CancelSignal): Promise<Position> {
    const position = await super.head(signal);
    await this.heldHeads;
    return position;
  }

  override async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    await this.held;
    yield* super.tail(after, signal);
  }
}

/** A log whose store does not take this host's credentials for a while. */
class RefusingLog extends SeverableLog {
  isRefused = false;
  refusals = 0;

  override async head(signal: CancelSignal): Promise<Position> {
    this.#requireLeave();
    return await super.head(signal);
  }

  override async *tail(after: Position, signal: CancelSignal): AsyncGenerator<LogEntry, void, void> {
    this.#requireLeave();
    yield* super.tail(after, signal);
  }

  #requireLeave(): void {
    if (!this.isRefused) return;
    this.refusals += 1;
    throw new WeftError('store-auth', 'The store refuses the token');
  }
}

describe('a replica', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let scope: CancelScope;

  beforeEach(async () => {
    scope = cancelScope();
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
  });
  afterEach(async () => {
    scope.cancel();
    await cluster.dispose();
  });

  /** A replica that asks for the end of the log, which then is trimmed beyond that end before it follows. */
  async function leapOver(order: readonly ('tail' | 'head')[]): Promise<void> {
    const { clock, random, store } = cluster;
    const logger = new QuietLogger();
    const log = new HeldLog(new MemoryEventLog({ name: 'cluster' }, { clock, random, logger }, store));
    const gates = { tail: gate(), head: gate() };
    log.held = gates.tail.opened;
    log.heldHeads = gates.head.opened;
    const replica = new Replica({ log, clock, random, logger, compression: new PlainCompression() });
    await cluster.drive(replica.open(scope.signal));
    const following = replica.follow(scope.signal);
    const caughtUp = replica.catchUp(scope.signal);
    await clock.advance(100);
    const bytes = encodeEntry([Uint8Array.of(0x7b)]);
    for (let count = 0; count < 3; count += 1) {
      store.put({ id: String(count).padStart(32, '0') as EntryId, base: 0, bytes });
      await clock.advance(1_000);
      await cluster.drive(h1.controller.makeSnapshot(scope.signal));
    }
    assert.ok(store.floor > 1);
    for (const which of order) {
      gates[which].open();
      await clock.advance(1_000);
    }
    await cluster.drive(caughtUp);
    assert.ok(logger.lines.some(({ message }) => message === 'began from a snapshot'));
    assert.equal(replica.state.stateHash, h1.controller.state.stateHash);
    assert.equal(await cluster.drive(replica.isCaughtUp(scope.signal)), true);
    scope.cancel();
    await cluster.drive(following);
    await cluster.drive(log.close());
  }

  it('is caught up after a leap past the end of the log that it was waiting for', async () => {
    await leapOver(['head', 'tail']);
  });

  it('is caught up after a leap past an end of the log that it is told of later', async () => {
    await leapOver(['tail', 'head']);
  });

  it('follows on where the store refuses it and lets it in again, and asks more and more seldom meanwhile', async () => {
    const { clock, random, store } = cluster;
    const logger = new QuietLogger();
    const log = new RefusingLog(new MemoryEventLog({ name: 'cluster' }, { clock, random, logger }, store));
    const replica = new Replica({ log, clock, random, logger, compression: new PlainCompression() });
    await cluster.drive(replica.open(scope.signal));
    log.isRefused = true;
    const following = replica.follow(scope.signal);
    await clock.advance(60_000);
    assert.ok(log.refusals > 3 && log.refusals < 30, `${log.refusals} refusals in a minute`);
    assert.equal(logger.lines.filter(({ level }) => level === 'warn').length, 2, 'each reason is said once');
    log.isRefused = false;
    await clock.advance(10_000);
    assert.equal(replica.state.stateHash, h1.controller.state.stateHash);
    scope.cancel();
    await cluster.drive(following);
    await cluster.drive(log.close());
  });
});

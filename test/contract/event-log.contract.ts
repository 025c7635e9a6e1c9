/**
 * The contract of the EventLog port: one suite that every adapter runs, so that a guarantee means the same on each.
 *
 * A harness makes fresh, empty stores and any number of independent handles on one; a handle stands for a process. The
 * suite sees nothing but the port and the harness. Time limits are mocha's and only say "for ever": nothing is timed.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { EventLog, Position } from '../../core/log/event-log.ts';

/** One empty store, made for one test. */
export interface ContractStore {
  /**
   * A new handle, not opened, as another process would have it: no memory shared with the other handles but the store.
   * The suite closes it.
   */
  connect(): EventLog;
  /**
   * Makes the store unreachable to every handle; the function that it gives back makes it reachable again, with all
   * that it held. Present where `capabilities.interruptible` says so.
   */
  interrupt?(): Promise<() => Promise<void>>;
  /**
   * Empties the store behind the backs of its handles, as an operator who wipes or swaps it does. Present where
   * `capabilities.replaceable` says so.
   */
  replace?(): Promise<void>;
  /** Removes everything. All handles are closed by then. */
  destroy(): Promise<void>;
}

export interface EventLogCapabilities {
  readonly interruptible: boolean;
  readonly replaceable: boolean;
  /** Entries that the large catch-ups write: 10,000 where the store takes that many in seconds. */
  readonly catchUpEntries: number;
}

export interface EventLogHarness {
  readonly capabilities: EventLogCapabilities;
  /** One line that says why the suite cannot run here. It is then reported as skipped under that reason. */
  readonly unavailable?: string;
  /** mocha's limit for one test, milliseconds: after that a wait counts as endless. */
  readonly timeoutMs?: number;
  /** Once, before all tests: servers, directories. */
  setUp?(): Promise<void>;
  /** Once, after all tests, also when they failed. */
  tearDown?(): Promise<void>;
  createStore(): Promise<ContractStore>;
  /** A well-formed position of this kind of store that lies beyond `position`, where nothing is yet. */
  beyond(position: Position): Position;
}

/** Declares the suite. Call it at the top level of a spec file. */
export function describeEventLog(name: string, harness: EventLogHarness): void {
  if (harness.unavailable !== undefined) {
    describe(`${name}: event log contract`, () => {
      it(`skipped: ${harness.unavailable}`, function skipped() {
        this.skip();
      });
    });
    return;
  }
  describe(`${name}: event log contract`, function contract() {
    this.timeout(harness.timeoutMs ?? 30_000);
    before(async () => harness.setUp?.());
    after(async () => harness.tearDown?.());
    let store: ContractStore;
    beforeEach(async () => {
      store = await harness.createStore();
    });
    afterEach(async () => store.destroy());

    it('opens', async () => {
      const log = store.connect();
      assert.match(await log.open(new AbortController().signal), /^[0-9a-f]{32}$/);
      await log.close();
    });
  });
}

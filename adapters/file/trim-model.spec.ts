/** Any course of appends, repetitions, trims, restarts and power failures, by several processes, against a plain list. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type EntryDraft, genesis, type Position } from '../../core/log/event-log.ts';
import { draft, never, take, takeAll } from '../../test/support/log-drafts.ts';
import { codeOf } from '../../test/support/log-trials.ts';
import { runs } from '../../test/support/property-settings.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { SimulatedDisk } from '../../test/support/simulated-disk.ts';
import { SystemClock } from '../system/clock.ts';
import { FileEventLog } from './event-log.ts';

const bounds = { segmentBytesMax: 500, pageBytesMax: 400 };
const handles = 3;

const step = fc.record({
  handle: fc.nat({ max: handles - 1 }),
  kind: fc.constantFrom('append', 'append', 'repeat', 'trim', 'look', 'look', 'reopen', 'power'),
  which: fc.nat(),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe('a trimmed file log', function suite() {
  this.timeout(120_000);

  it('is the list of what was appended, from its floor on, whatever was done to it and by whom', async () => {
    const seen = { trims: 0, repetitions: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50 }), async (steps) => {
        const course = new Course();
        await course.begin();
        for (const each of steps) await course.take(each);
        await course.check();
        await course.end();
        seen.trims += course.trims;
        seen.repetitions += course.repetitions;
      }),
      { numRuns: runs(60) },
    );
    assert.ok(seen.trims > 0 && seen.repetitions > 0, `too little was tried: ${JSON.stringify(seen)}`);
  });
});

/** The log and what it should be. */
class Course {
  trims = 0;
  repetitions = 0;
  readonly #disk = new SimulatedDisk();
  #logs: FileEventLog[] = [];
  readonly #drafts: EntryDraft[] = [];
  /** Every entry that there ever was, in order. */
  readonly #entries: { readonly id: string; readonly position: Position }[] = [];
  #floor = 0;
  #random = 0;

  async begin(): Promise<void> {
    this.#logs = await Promise.all(Array.from({ length: handles }, () => this.#open()));
  }

  async end(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
  }

  async take({ handle, kind, which }: Step): Promise<void> {
    const log = this.#logs[handle];
    assert.ok(log !== undefined);
    if (kind === 'append') await this.#append(log, draft(Buffer.alloc(which % 300, which)));
    if (kind === 'repeat' && this.#drafts.length > 0) {
      const late = this.#drafts[which % this.#drafts.length];
      assert.ok(late !== undefined);
      await this.#append(log, late);
    }
    if (kind === 'trim') await this.#trim(log, which % (this.#entries.length + 1));
    if (kind === 'look') await this.#look(log, which);
    if (kind === 'reopen') {
      await log.close();
      this.#logs[handle] = await this.#open();
    }
    if (kind === 'power') {
      await this.end();
      this.#disk.failPower(new SeededRandom(which));
      await this.begin();
    }
  }

  /** All that every process says, and a fresh one. */
  async check(): Promise<void> {
    for (const log of [...this.#logs, await this.#open()]) {
      await this.#look(log, this.#floor);
      for (const { id } of this.#drafts) {
        const index = this.#indexOf(id);
        const expected = index === undefined ? undefined : this.#entries[index]?.position;
        assert.equal(await log.resolve({ id, base: 0 }, never()), expected);
      }
      if (!this.#logs.includes(log)) await log.close();
    }
  }

  async #append(log: FileEventLog, made: EntryDraft): Promise<void> {
    const position = await log.append(made, never());
    const index = this.#indexOf(made.id);
    if (index !== undefined) {
      assert.equal(position, this.#entries[index]?.position);
      return;
    }
    if (this.#drafts.includes(made)) this.repetitions += 1;
    else this.#drafts.push(made);
    this.#entries.push({ id: made.id, position });
    assert.equal(Number.parseInt(position, 10), this.#entries.length);
  }

  async #trim(log: FileEventLog, count: number): Promise<void> {
    await log.trim(this.#entries[count - 1]?.position ?? genesis, never());
    if (count > this.#floor) this.trims += 1;
    this.#floor = Math.max(this.#floor, count);
  }

  /** Reads from behind any entry. */
  async #look(log: FileEventLog, which: number): Promise<void> {
    assert.equal(await log.head(never()), this.#entries.at(-1)?.position ?? genesis);
    const count = which % (this.#entries.length + 1);
    const after = this.#entries[count - 1]?.position ?? genesis;
    if (count < this.#floor) {
      assert.equal(await codeOf(take(log, after, 1)), 'log-trimmed');
      return;
    }
    const found = (await takeAll(log, after)).map(({ id, position }) => ({ id, position }));
    assert.deepEqual(found, this.#entries.slice(count));
  }

  /** Where the entry of an id is in the list, if it was not trimmed. */
  #indexOf(id: string): number | undefined {
    const index = this.#entries.findLastIndex((entry) => entry.id === id);
    return index < this.#floor ? undefined : index;
  }

  async #open(): Promise<FileEventLog> {
    this.#random += 1;
    const random = new SeededRandom(this.#random);
    const ports = { clock: new HastyClock(), random, logger: new QuietLogger() };
    const log = new FileEventLog({ directory: '/log' }, ports, { fileSystem: this.#disk.process(), bounds });
    await log.open(never());
    return log;
  }
}

/** Sleeps take a turn of the event loop: what is waited for here is other work, never time. */
class HastyClock extends SystemClock {
  override async sleep(): Promise<void> {
    await new Promise(setImmediate);
  }
}

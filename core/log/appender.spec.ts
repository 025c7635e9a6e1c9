import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { type Fault, type FaultPlan, MemoryStore } from '../../adapters/memory/store.ts';
import { never } from '../../test/support/log-drafts.ts';
import { runs } from '../../test/support/property-settings.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { isWeftError } from '../errors.ts';
import { entryRecordsMax, recordBytesMax } from '../limits.ts';
import { Appender } from './appender.ts';
import type { AppenderOptions } from './appender-options.ts';
import { appenderDefaults } from './appender-options.ts';
import { decodeEntry } from './entry.ts';
import type { EntryDraft } from './event-log.ts';

describe('Appender', () => {
  it('sends what is submitted together as one entry, in order, with the latest base', async () => {
    const { appender, store, drafts } = await world();
    await Promise.all(['a', 'b', 'c'].map((text, base) => appender.submit(bytesOf(text), base + 5, 1000)));
    assert.deepEqual(entriesOf(store), [['a', 'b', 'c']]);
    assert.equal(drafts[0]?.base, 7);
    await appender.close();
  });

  it('sends what waits while an entry is in flight as the next one', async () => {
    const { appender, store, clock } = await world();
    const restore = store.interrupt((operation) => (operation === 'append' ? 'hang' : undefined));
    const first = appender.submit(bytesOf('first'), 0, 1000);
    await clock.settle();
    const others = Promise.all(['x', 'y', 'z'].map((text) => appender.submit(bytesOf(text), 0, 5000)));
    await clock.settle();
    restore();
    await clock.advance(100);
    await Promise.all([first, others]);
    assert.deepEqual(entriesOf(store), [['first'], ['x', 'y', 'z']]);
    await appender.close();
  });

  it('fills entries up to their bounds and no further', async () => {
    const { appender, store } = await world();
    const many = Array.from({ length: 2 * entryRecordsMax + 3 }, (_, index) => `${index}`);
    await Promise.all(many.map((text) => appender.submit(bytesOf(text), 0, 1000)));
    assert.deepEqual(
      entriesOf(store).map((lines) => lines.length),
      [entryRecordsMax, entryRecordsMax, 3],
    );
    assert.deepEqual(entriesOf(store).flat(), many);
    const large = Array.from({ length: 9 }, (_, index) =>
      String.fromCharCode(97 + index).repeat(recordBytesMax),
    );
    await Promise.all(large.map((text) => appender.submit(bytesOf(text), 0, 1000)));
    assert.deepEqual(
      entriesOf(store)
        .slice(3)
        .map((lines) => lines.length),
      [3, 3, 3],
    );
    await appender.close();
  });

  it('refuses a line over its bound, an empty one and one with a newline, without harm to the others', async () => {
    const { appender, store } = await world();
    const outcomes = [
      appender.submit(bytesOf('good'), 0, 1000),
      appender.submit(new Uint8Array(recordBytesMax + 1).fill(97), 0, 1000),
      appender.submit(bytesOf(''), 0, 1000),
      appender.submit(bytesOf('two\nlines'), 0, 1000),
      appender.submit(bytesOf('better'), 0, 1000),
    ];
    assert.deepEqual(await codesOf(outcomes), ['acked', 'too-large', 'malformed', 'malformed', 'acked']);
    assert.deepEqual(entriesOf(store), [['good', 'better']]);
    await appender.close();
  });

  it('refuses a line too many at once', async () => {
    const { appender, store, clock } = await world({ queueLinesMax: 3 });
    const restore = store.interrupt('refuse');
    const waiting = Array.from({ length: 3 }, (_, index) => appender.submit(bytesOf(`${index}`), 0, 5000));
    assert.deepEqual(await codesOf([appender.submit(bytesOf('more'), 0, 5000)]), ['store-unreachable']);
    restore();
    await clock.advance(1000);
    assert.deepEqual(await codesOf(waiting), ['acked', 'acked', 'acked']);
    await appender.close();
  });

  it('waits for a store that refuses, and keeps the order', async () => {
    const { appender, store, clock, logger } = await world();
    const restore = store.interrupt('refuse');
    const first = appender.submit(bytesOf('1'), 0, 5000);
    await clock.advance(300);
    const second = appender.submit(bytesOf('2'), 0, 5000);
    await clock.advance(300);
    restore();
    await clock.advance(1000);
    await Promise.all([first, second]);
    assert.deepEqual(entriesOf(store).flat(), ['1', '2']);
    const lines = logger.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
    assert.deepEqual(lines, ['an append did not get through; trying on', 'the store answers appends again']);
    await appender.close();
  });

  it('tells a line that was never sent so at its deadline, and never sends it, while its batch goes on', async () => {
    const { appender, store, clock } = await world();
    const restore = store.interrupt('refuse');
    const patient = appender.submit(bytesOf('patient'), 0, 5000);
    const hasty = appender.submit(bytesOf('hasty'), 0, 400);
    const late = watch(hasty);
    await clock.advance(399);
    assert.equal(late.code, undefined);
    await clock.advance(1);
    assert.equal(late.code, 'store-unreachable');
    restore();
    await clock.advance(1000);
    await patient;
    assert.deepEqual(entriesOf(store), [['patient']]);
    await appender.close();
  });

  it('tells queued lines on time while an entry hangs in flight', async () => {
    const { appender, store, clock } = await world();
    const restore = store.interrupt((operation) => (operation === 'append' ? 'hang' : undefined));
    const inFlight = watch(appender.submit(bytesOf('in flight'), 0, 2000));
    await clock.advance(10);
    const queued = watch(appender.submit(bytesOf('queued'), 0, 500));
    const shorter = watch(appender.submit(bytesOf('shorter'), 0, 100));
    await clock.advance(100);
    assert.equal(shorter.code, 'store-unreachable');
    assert.equal(queued.code, undefined);
    await clock.advance(400);
    assert.equal(queued.code, 'store-unreachable');
    await clock.advance(1490);
    assert.equal(inFlight.code, 'outcome-unknown');
    restore();
    await clock.advance(60_000);
    assert.deepEqual(entriesOf(store), []);
    await appender.close();
  });

  it('repeats the same bytes under the same id once an attempt may have happened', async () => {
    const { appender, store, clock, drafts } = await world();
    let tries = 0;
    store.interrupt((operation) => (operation === 'append' && ++tries <= 3 ? 'lose-answer' : undefined));
    const submitted = appender.submit(bytesOf('once'), 0, 5000);
    await clock.advance(2000);
    await submitted;
    assert.equal(tries, 4);
    assert.equal(new Set(drafts.map(({ id }) => id)).size, 1);
    assert.deepEqual(entriesOf(store), [['once']]);
    await appender.close();
  });

  it('lets no late first attempt make two of one', async () => {
    const { appender, store, clock } = await world();
    let tries = 0;
    store.interrupt((operation) => (operation === 'append' && ++tries === 1 ? 'delay' : undefined));
    const submitted = appender.submit(bytesOf('once'), 0, 5000);
    await clock.advance(1000);
    await submitted;
    assert.equal(store.land(), 1);
    assert.deepEqual(entriesOf(store), [['once']]);
    await appender.close();
  });

  it('says that an outcome is unknown when it is, and logs that it was carried out after all', async () => {
    const { appender, store, clock, logger } = await world();
    const restore = store.interrupt((operation) => (operation === 'append' ? 'delay' : 'refuse'));
    const lost = watch(appender.submit(bytesOf('lost'), 0, 1000));
    await clock.advance(1000);
    assert.equal(lost.code, 'outcome-unknown');
    assert.equal(appender.unresolved, 1);
    restore();
    await clock.advance(2000);
    assert.equal(appender.unresolved, 1, 'not there now is not never');
    store.land();
    await clock.advance(2000);
    assert.equal(appender.unresolved, 0);
    assert.ok(logger.lines.some(({ message }) => message === 'an append of unknown outcome was carried out'));
    await appender.close();
  });

  it('logs that an entry of unknown outcome was not carried out once that is certain', async () => {
    const { appender, store, clock, logger } = await world();
    const restore = store.interrupt('lose-request');
    const lost = watch(appender.submit(bytesOf('lost'), 0, 1000));
    await clock.advance(1000);
    assert.equal(lost.code, 'outcome-unknown');
    restore();
    await clock.advance(appenderDefaults.settleMs + 1000);
    assert.equal(appender.unresolved, 0);
    assert.ok(
      logger.lines.some(({ message }) => message === 'an append of unknown outcome was not carried out'),
    );
    await clock.advance(1_000_000);
    assert.equal(clock.sleeping, 0, 'asking has ended');
    await appender.close();
  });

  it('does not say that an entry was not carried out which may have been trimmed', async () => {
    const { appender, store, clock, logger } = await world();
    const restore = store.interrupt('lose-answer');
    const lost = watch(appender.submit(bytesOf('landed'), 0, 1000));
    await clock.advance(1000);
    assert.equal(lost.code, 'outcome-unknown');
    store.trim(1);
    restore();
    await clock.advance(appenderDefaults.settleMs + 5000);
    assert.equal(appender.unresolved, 0);
    const said = logger.lines.map(({ message }) => message);
    assert.ok(!said.includes('an append of unknown outcome was not carried out'));
    assert.ok(said.includes('the outcome of an append stays unknown'));
    await appender.close();
  });

  it('stops asking after an entry when the store stays away', async () => {
    const { appender, store, clock, logger } = await world();
    store.interrupt('lose-request');
    const lost = watch(appender.submit(bytesOf('lost'), 0, 1000));
    await clock.advance(appenderDefaults.resolveMsMax + 10_000);
    assert.equal(lost.code, 'outcome-unknown');
    assert.equal(appender.unresolved, 0);
    assert.ok(logger.lines.some(({ message, level }) => level === 'warn' && /stays unknown/.test(message)));
    await appender.close();
  });

  it('goes on with the next entry when nobody waits for one of unknown outcome', async () => {
    const { appender, store, clock } = await world();
    const restore = store.interrupt('delay');
    const lost = watch(appender.submit(bytesOf('first'), 0, 500));
    await clock.advance(500);
    assert.equal(lost.code, 'outcome-unknown');
    restore();
    await appender.submit(bytesOf('second'), 0, 500);
    store.land();
    assert.ok(entriesOf(store).flat().includes('second'));
    assert.equal(
      entriesOf(store)
        .flat()
        .filter((line) => line === 'first').length,
      1,
    );
    await appender.close();
  });

  it('refuses the whole batch when the store refuses for good', async () => {
    const { appender, clock } = await world({}, new MemoryStore({ bytesMax: 10 }));
    const outcomes = ['a', 'this is too much for the store', 'b'].map((text) =>
      appender.submit(bytesOf(text), 0, 1000),
    );
    assert.deepEqual(await codesOf(outcomes), ['store-full', 'store-full', 'store-full']);
    await appender.submit(bytesOf('fits'), 0, 1000);
    await clock.advance(0);
    await appender.close();
  });

  it('does not call it refused when an earlier attempt may have happened', async () => {
    const { appender, clock, store } = await world();
    let tries = 0;
    store.interrupt((operation) => (operation === 'append' && ++tries === 1 ? 'delay' : undefined));
    const outcome = watch(appender.submit(bytesOf('a'), 0, 1000));
    await clock.settle();
    store.wipe();
    await clock.advance(1000);
    assert.equal(outcome.code, 'outcome-unknown');
    await appender.close();
  });

  it('answers in time although the adapter does not', async () => {
    const clock = new VirtualClock();
    const log = new Proxy(new MemoryEventLog({ name: 'mute' }, portsOf(clock), new MemoryStore()), {
      get: (target, name, receiver) =>
        name === 'append' ? () => new Promise(() => undefined) : Reflect.get(target, name, receiver),
    });
    const appender = new Appender(log, portsOf(clock));
    const outcome = watch(appender.submit(bytesOf('a'), 0, 3000));
    await clock.advance(3000 + appenderDefaults.cancelMsMax);
    assert.equal(outcome.code, 'outcome-unknown');
  });

  it('ends everything when it is closed, and lies to nobody', async () => {
    const { appender, store, clock } = await world();
    store.interrupt((operation) => (operation === 'append' ? 'hang' : undefined));
    const inFlight = watch(appender.submit(bytesOf('in flight'), 0, 60_000));
    await clock.advance(10);
    const queued = watch(appender.submit(bytesOf('queued'), 0, 60_000));
    await Promise.all([appender.close(), clock.settle()]);
    assert.equal(queued.code, 'closed');
    assert.equal(inFlight.code, 'outcome-unknown');
    assert.deepEqual(await codesOf([appender.submit(bytesOf('later'), 0, 1000)]), ['closed']);
    await appender.close();
    await clock.settle();
    assert.equal(clock.sleeping, 0, 'no timer is left');
  });

  it('calls lines closed that were only tried in vain', async () => {
    const { appender, store, clock } = await world();
    store.interrupt('refuse');
    const outcome = watch(appender.submit(bytesOf('a'), 0, 60_000));
    await clock.advance(100);
    await Promise.all([appender.close(), clock.settle()]);
    assert.equal(outcome.code, 'closed');
  });

  it('never lies, under any faults: acked is there once, refused is not there, order is kept', async () => {
    const fault = fc.constantFrom<Fault | undefined>(
      undefined,
      undefined,
      'refuse',
      'lose-request',
      'lose-answer',
      'delay',
      'hang',
    );
    const step = fc.record({ waitMs: fc.nat(700), deadlineMs: fc.integer({ min: 1, max: 3000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 40 }),
        fc.array(step, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        play,
      ),
      { numRuns: runs(300) },
    );
  });
});

/** Submits line after line to a store whose appends meet the faults in turn, and checks what everyone was told. */
async function play(
  faults: readonly (Fault | undefined)[],
  steps: readonly { waitMs: number; deadlineMs: number }[],
  seed: number,
): Promise<void> {
  const { appender, store, clock } = await world({}, new MemoryStore(), seed);
  const queue = faults.values();
  const plan: FaultPlan = (operation) => (operation === 'append' ? queue.next().value : undefined);
  store.interrupt(plan);
  const told: { code: string | undefined }[] = [];
  for (const [index, { waitMs, deadlineMs }] of steps.entries()) {
    told.push(watch(appender.submit(bytesOf(`${index}`), index, deadlineMs)));
    await clock.advance(waitMs);
  }
  await clock.advance(3000 + appenderDefaults.cancelMsMax);
  store.land();
  await clock.advance(appenderDefaults.settleMs + 1000);
  const lines = entriesOf(store).flat().map(Number);
  assert.equal(new Set(lines).size, lines.length, 'no line is there twice');
  for (const [index, { code }] of told.entries()) {
    if (code === 'acked') assert.ok(lines.includes(index), `line ${index} was acked and is lost`);
    else if (code === 'store-unreachable')
      assert.ok(!lines.includes(index), `line ${index} was refused and is there`);
    else assert.equal(code, 'outcome-unknown');
  }
  const acked = lines.filter((index) => told[index]?.code === 'acked');
  assert.deepEqual(
    acked,
    [...acked].sort((a, b) => a - b),
    'acked lines are in the order of their submission',
  );
  assert.equal(appender.unresolved, 0);
  await appender.close();
}

interface World {
  readonly appender: Appender;
  readonly store: MemoryStore;
  readonly clock: VirtualClock;
  readonly logger: QuietLogger;
  /** Every attempt to append, in order. */
  readonly drafts: EntryDraft[];
}

async function world(
  options: Partial<AppenderOptions> = {},
  store = new MemoryStore(),
  seed = 1,
): Promise<World> {
  const clock = new VirtualClock();
  const logger = new QuietLogger();
  const ports = { clock, random: new SeededRandom(seed), logger };
  const log = new MemoryEventLog({ name: 'appender' }, { ...ports, logger: new QuietLogger() }, store);
  await log.open(never());
  const drafts: EntryDraft[] = [];
  store.interrupt((_operation, draft) => {
    if (draft !== undefined) drafts.push(draft);
    return undefined;
  });
  return { appender: new Appender(log, ports, options), store, clock, logger, drafts };
}

function portsOf(clock: VirtualClock): { clock: VirtualClock; random: SeededRandom; logger: QuietLogger } {
  return { clock, random: new SeededRandom(7), logger: new QuietLogger() };
}

/** Lines of each entry of a store. */
function entriesOf(store: MemoryStore): string[][] {
  return Array.from({ length: store.length }, (_, index) =>
    decodeEntry(store.at(index + 1).bytes).map((line) => Buffer.from(line).toString()),
  );
}

/** What a caller has been told so far. */
function watch(outcome: Promise<void>): { code: string | undefined } {
  const told: { code: string | undefined } = { code: undefined };
  outcome.then(
    () => {
      told.code = 'acked';
    },
    (error: unknown) => {
      told.code = isWeftError(error) ? error.code : String(error);
    },
  );
  return told;
}

async function codesOf(outcomes: readonly Promise<void>[]): Promise<(string | undefined)[]> {
  const told = outcomes.map(watch);
  await Promise.allSettled(outcomes);
  return told.map(({ code }) => code);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { MemoryArchive } from '../../test/support/memory-archive.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import type { PastLog } from '../fold/course.ts';
import { initialState } from '../fold/predefined.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { EntryId, LogId } from '../model/ids.ts';
import { itemOf } from './archived-record.ts';
import { Archivist } from './archivist.ts';
import { archiveWaitingMax } from './defaults.ts';

const logId = 'a'.repeat(32) as LogId;
const otherLog = 'b'.repeat(32) as LogId;

describe('the archivist', () => {
  let archive: MemoryArchive;
  let archivist: Archivist;

  beforeEach(() => begin(new MemoryArchive()));

  /** A new daemon over what is archived. */
  function begin(over: MemoryArchive): void {
    archive = over;
    archivist = new Archivist({ archive, clock: new VirtualClock(), logger: new QuietLogger() });
  }

  /** Folds records of a history, whose hashes depend on all before them; `parts` is where it leaves the history `x`. */
  function fold(
    from: number,
    to: number,
    { parts = Number.POSITIVE_INFINITY, log = logId, past = [] as readonly PastLog[] } = {},
  ): void {
    const stateAt = (ordinal: number): State => {
      const history = ordinal >= parts ? 'f' : '0';
      const recordHash = `${ordinal}`.padStart(16, history).padEnd(64, '0');
      return { ...initialState(), ordinal, recordHash, course: { past } };
    };
    for (let ordinal = from; ordinal <= to; ordinal += 1) {
      const outcome = { accepted: false, ordinal, code: 'malformed', message: '' } as const;
      archivist.take({ outcome }, stateAt(ordinal - 1), stateAt(ordinal), log);
    }
  }

  const spans = () => archive.account.spans.map(({ first, last }) => [first, last]);

  it('writes what is folded, and what is there already not again', async () => {
    fold(1, 700);
    assert.equal(await archivist.flush(700), true);
    assert.deepEqual(spans(), [[1, 700]]);
    begin(archive);
    fold(500, 900);
    assert.equal(await archivist.flush(900), true);
    assert.deepEqual(spans(), [[1, 900]]);
    assert.deepEqual(
      archive.lines.map(({ mark }) => Number(mark)),
      Array.from({ length: 900 }, (_, index) => index + 1),
    );
  });

  it('leaves a gap where records were not folded one by one, and fills it when they are', async () => {
    fold(1, 10);
    fold(21, 30);
    await archivist.flush(30);
    assert.deepEqual(spans(), [
      [1, 10],
      [21, 30],
    ]);
    begin(archive);
    fold(5, 40);
    await archivist.flush(40);
    assert.deepEqual(spans(), [[1, 40]]);
  });

  it('goes on with a log that follows from the one before, wherever that is', async () => {
    fold(1, 50);
    await archivist.flush(50);
    begin(archive);
    fold(31, 40, { parts: 35, log: otherLog });
    await archivist.flush(40);
    assert.deepEqual(spans(), [[1, 40]]);
    assert.deepEqual(
      archive.lines.map(({ mark }) => mark.startsWith('f')),
      Array.from({ length: 40 }, (_, index) => index + 1 >= 35),
    );
    assert.equal(archive.logId, otherLog);
    fold(41, 45, { parts: 35, log: otherLog });
    await archivist.flush(45);
    assert.deepEqual(spans(), [[1, 45]]);
  });

  it('leaves a gap before a log that succeeds the one before, and takes no other for one that does', async () => {
    const recordHash = '0'.repeat(64);
    fold(1, 50);
    fold(61, 70, { log: otherLog, past: [{ logId, ordinal: 55, recordHash }] });
    assert.equal(await archivist.flush(70), true);
    const goesOn = [
      [1, 50],
      [61, 70],
    ];
    assert.deepEqual(spans(), goesOn);
    begin(new MemoryArchive());
    fold(1, 50);
    fold(61, 70, { log: otherLog, past: [{ logId, ordinal: 49, recordHash }] });
    await archivist.flush(70);
    assert.deepEqual(spans(), [[61, 70]], 'what lies beyond the end of the one before is of another history');
  });

  it('takes a log that has nothing to do with the one before for the beginning of another history', async () => {
    fold(1, 50);
    await archivist.flush(50);
    for (const [from, to] of [
      [20, 30],
      [90, 95],
    ] as const) {
      begin(archive);
      fold(from, to, { parts: 0, log: from === 20 ? otherLog : logId });
      await archivist.flush(to);
      assert.deepEqual(spans(), [[from, to]]);
    }
  });

  it('says why it cannot write, keeps the newest, and goes on with a gap', async () => {
    fold(1, 10);
    await archivist.flush(10);
    archive.fault = 'no room';
    fold(11, 20);
    assert.equal(await archivist.flush(10), true);
    assert.equal(await archivist.flush(11), false);
    fold(21, 30 + archiveWaitingMax);
    assert.deepEqual([archivist.report.fault, archivist.report.lost], ['no room', 20]);
    assert.equal(archivist.report.waiting, archiveWaitingMax);
    archive.fault = undefined;
    assert.equal(await archivist.flush(30 + archiveWaitingMax), true);
    assert.deepEqual(spans(), [
      [1, 10],
      [31, 30 + archiveWaitingMax],
    ]);
    assert.deepEqual([archivist.report.fault, archivist.report.waiting], [undefined, 0]);
  });

  it('writes what waits before it ends, and nothing after that', async () => {
    fold(1, 10);
    await archivist.close();
    assert.deepEqual(spans(), [[1, 10]]);
    fold(11, 12);
    assert.equal(await archivist.flush(12), false);
    assert.deepEqual(spans(), [[1, 10]]);
  });

  it('says that nothing is archived while it cannot look at what is there', async () => {
    archive.fault = 'gone';
    assert.equal(await archivist.flush(0), false);
    assert.deepEqual(await archivist.read({ after: 0, limit: 10 }), []);
    archive.fault = undefined;
    assert.equal(await archivist.flush(0), true);
  });
});

const snapshotOrdinals = 128;
const context = { by: 'uid:7', signal: cancelScope().signal };

describe('a cluster that archives what it trims', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let written = 0;

  beforeEach(async () => {
    cluster = new VirtualCluster(1, { snapshotOrdinals });
    h1 = await cluster.start('h1');
  });
  afterEach(() => cluster.dispose());

  /** Lets the log grow by so many records, which say nothing. */
  async function grow(records: number): Promise<void> {
    for (let count = 0; count < records; count += 1) {
      const id = (written++).toString(16).padStart(32, '0') as EntryId;
      cluster.store.put({ id, base: 0, bytes: encodeEntry([Uint8Array.of(0x7b)]) });
      if (count % 16 === 0) await cluster.clock.advance(100);
    }
    await cluster.clock.advance(2_000);
  }

  const ordinalsOf = ({ archive }: VirtualHost) => archive.lines.map(({ ordinal }) => ordinal);
  const upTo = (last: number, first = 1) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);

  it('knows who gave which address to whom, long after the log does', async () => {
    const request = { name: 'red', driver: 'overlay', subnets: [], ipv6: false, internal: false };
    const network = { ...request, space: 'default', options: {}, labels: {} };
    await cluster.drive(h1.controller.createNetwork(network, context));
    h1.kernel.addSandbox('one');
    const made = await cluster.drive(h1.controller.connect('red', { sandbox: 'one', aliases: [] }, context));
    await cluster.drive(h1.controller.removeEndpoint(made.id, context));
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 4);
    assert.deepEqual(ordinalsOf(h1), upTo(h1.controller.state.ordinal));
    const items = h1.archive.lines.map(itemOf).filter(({ record }) => record?.kind.startsWith('endpoint'));
    assert.deepEqual(
      items.map(({ record, attached }) => [record?.by, record?.kind, attached?.addresses, attached?.mac]),
      ['endpoint-create', 'endpoint-remove'].map((kind) => ['uid:7', kind, made.addresses, made.mac]),
    );
  });

  it('trims nothing that it cannot archive, and does when it can', async () => {
    h1.archive.fault = 'no room';
    await grow(4 * snapshotOrdinals);
    await cluster.clock.advance(10_000);
    assert.equal(cluster.store.floor, 0);
    assert.equal((await h1.controller.doctor()).archive.fault, 'no room');
    assert.ok(
      h1.logger.lines.some(({ message }) => message === 'the log is not trimmed before it is archived'),
    );
    assert.equal(h1.controller.state.ordinal, 1 + 4 * snapshotOrdinals, 'it folds on');
    h1.archive.fault = undefined;
    await grow(2 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    assert.deepEqual(ordinalsOf(h1), upTo(h1.controller.state.ordinal));
  });

  it('has no record twice after restarts, and a gap where it came too late', async () => {
    await grow(100);
    await cluster.stop(h1);
    h1 = await cluster.start('h1', { kernel: h1.kernel, archive: h1.archive, address: '192.168.2.11' });
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    assert.deepEqual(ordinalsOf(h1), upTo(h1.controller.state.ordinal));
    const h2 = await cluster.start('h2');
    await grow(10);
    const [began] = h2.logger.lines.filter(({ message }) => message === 'began from a snapshot');
    const first = Number(began?.values['ordinal']) + 1;
    assert.deepEqual(ordinalsOf(h2), upTo(h2.controller.state.ordinal, first));
    const page = await h2.controller.history({ after: 0, limit: 5, from: 'oldest' });
    assert.deepEqual(
      page.map(({ outcome }) => outcome.ordinal),
      upTo(first + 4, first),
    );
  });

  it('turns the pages of all that is known, from the archive into what is remembered', async () => {
    await grow(300);
    await cluster.stop(h1);
    h1 = await cluster.start('h1', { kernel: h1.kernel, archive: h1.archive, address: '192.168.2.11' });
    await grow(30);
    const seen: number[] = [];
    for (let after = 0; ; after = seen.at(-1) ?? 0) {
      const page = await h1.controller.history({ after, limit: 100, from: 'oldest' });
      if (page.length === 0) break;
      seen.push(...page.map(({ outcome }) => outcome.ordinal));
    }
    const end = h1.controller.state.ordinal;
    assert.deepEqual(seen, upTo(end));
    const newest = await h1.controller.history({ limit: 250 });
    assert.deepEqual(
      newest.map(({ outcome }) => outcome.ordinal),
      upTo(end, end - 249),
    );
  });
});

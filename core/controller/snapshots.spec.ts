/** Whole clusters that keep their log short: hosts that come late, fall behind, or meet a snapshot that is none. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { isWeftError } from '../errors.ts';
import { checkState } from '../fold/check.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { encodeEntry } from '../log/entry.ts';
import type { EntryId } from '../model/ids.ts';
import { decodeManifest } from '../snapshot/manifest.ts';

const snapshotOrdinals = 128;
const context = { by: 'uid:0', signal: cancelScope().signal };

function network(name: string) {
  const request = { name, driver: 'overlay', subnets: [], ipv6: false, internal: false };
  return { ...request, space: 'default', options: {}, labels: {} };
}

describe('a cluster that keeps its log short', () => {
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
    await cluster.clock.advance(1_000);
  }

  const manifests = () =>
    cluster.store
      .snapshots()
      .flatMap(({ manifest }) => (manifest === undefined ? [] : [decodeManifest(manifest)]))
      .sort((a, b) => a.ordinal - b.ordinal);

  it('makes a snapshot when the log has grown, and trims behind the one before', async () => {
    await grow(snapshotOrdinals);
    await cluster.until(async () => manifests().length === 1);
    assert.equal(cluster.store.floor, 0, 'one snapshot alone has nothing behind it');
    await grow(2 * snapshotOrdinals);
    await cluster.until(async () => manifests().length === 2 && cluster.store.floor > 0);
    const [older] = manifests();
    assert.ok(older !== undefined);
    assert.ok(cluster.store.length - cluster.store.floor < 3 * snapshotOrdinals);
    assert.equal(`${cluster.store.floor}:${cluster.store.idAt(cluster.store.floor)}`, older.position);
  });

  it('lets a host that comes late begin from the snapshot, and attach', async () => {
    await cluster.drive(h1.controller.createNetwork(network('red'), context));
    h1.kernel.addSandbox('one');
    await cluster.drive(h1.controller.connect('red', { sandbox: 'one', aliases: [], name: 'web' }, context));
    await grow(3 * snapshotOrdinals + 100);
    await cluster.until(async () => cluster.store.floor > 0);
    const h2 = await cluster.start('h2');
    h2.kernel.addSandbox('two');
    await cluster.drive(h2.controller.connect('red', { sandbox: 'two', aliases: [] }, context));
    await cluster.settle();
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
    assert.equal(h2.controller.state.recordHash, h1.controller.state.recordHash);
    assert.deepEqual(checkState(h2.controller.state), []);
    const began = h2.logger.lines.find(({ message }) => message === 'began from a snapshot');
    assert.ok(began !== undefined, 'it did not fold the whole log');
    assert.ok(
      h2.kernel.objects().some(({ kind }) => kind === 'fdb'),
      'it knows the endpoint of the other host',
    );
  });

  it('brings a host that fell behind the trim up to date, without its losing anything', async () => {
    const h2 = await cluster.start('h2');
    await cluster.drive(h1.controller.createNetwork(network('red'), context));
    await cluster.drive(h1.controller.createNetwork(network('blue'), context));
    for (const host of [h1, h2]) {
      host.kernel.addSandbox('one');
      await cluster.drive(host.controller.connect('red', { sandbox: 'one', aliases: [] }, context));
    }
    const blue = await cluster.drive(h1.controller.connect('blue', { sandbox: 'one', aliases: [] }, context));
    await cluster.settle();
    await cluster.stop(h2);
    await cluster.drive(h1.controller.removeEndpoint(blue.id, context));
    await cluster.drive(h1.controller.removeNetwork('blue', context));
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    const again = await cluster.start('h2', { kernel: h2.kernel, address: '192.168.2.12' });
    await cluster.settle();
    assert.equal(again.controller.state.stateHash, h1.controller.state.stateHash);
    assert.equal(again.kernel.operations, 0, 'what it needs was there');
  });

  it('leaps while it runs, when its tail comes too late', async () => {
    const h2 = await cluster.start('h2');
    await cluster.drive(h1.controller.createNetwork(network('red'), context));
    h2.kernel.addSandbox('two');
    await cluster.drive(h2.controller.connect('red', { sandbox: 'two', aliases: [] }, context));
    await cluster.settle();
    const restore = h2.log.sever();
    h1.kernel.addSandbox('one');
    await cluster.drive(h1.controller.connect('red', { sandbox: 'one', aliases: [] }, context));
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    restore();
    await cluster.until(async () => h2.controller.state.ordinal === h1.controller.state.ordinal);
    await cluster.settle();
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
    assert.ok(h2.logger.lines.some(({ message }) => message === 'began from a snapshot'));
    assert.ok(
      h2.kernel.objects().some(({ kind }) => kind === 'fdb'),
      'the endpoint of the gap is reachable',
    );
    assert.equal(await cluster.phaseOf(h2), 'running');
  });

  it('tells who asked for what it leapt over that it is decided, and at which record', async () => {
    const h2 = await cluster.start('h2');
    const restore = h2.log.severTails();
    // Its tail has the next entry in hand, whatever happens behind it.
    await grow(1);
    const before = h1.controller.state.ordinal;
    const asked = h2.controller.createNetwork(network('red'), context).then(
      () => assert.fail('nobody told this host how it ended'),
      (error: unknown) => error,
    );
    await cluster.until(async () => h1.controller.state.ordinal > before);
    await grow(3 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    restore();
    const error = await cluster.drive(asked);
    assert.ok(isWeftError(error, 'outcome-unknown'));
    assert.match(error.message, new RegExp(`decided on as record ${before + 1} of the log`));
    assert.ok([...h2.controller.state.networks.values()].some(({ name }) => name === 'red'));
  });

  it('catches up although it leaps over the end that it was to reach', async () => {
    await grow(20);
    const h2 = cluster.launch('h2');
    const restore = h2.log.severTails();
    await cluster.clock.advance(2_000);
    assert.equal(await cluster.phaseOf(h2), 'catching-up');
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 20);
    restore();
    await cluster.until(async () => (await cluster.phaseOf(h2)) === 'running');
    await cluster.settle();
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
  });

  it('passes over a snapshot that is damaged, and says so', async () => {
    await grow(2 * snapshotOrdinals + 10);
    await cluster.until(async () => manifests().length === 2);
    const newest = manifests().at(-1);
    assert.ok(newest !== undefined);
    const chunk = cluster.store.chunk(newest.id, 0);
    assert.ok(chunk !== undefined);
    cluster.store.putChunk(newest.id, 0, chunk.fill(0x20, 10, 20));
    const h2 = await cluster.start('h2');
    await cluster.settle();
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
    const said = h2.logger.lines.find(({ message }) => message === 'a snapshot cannot be used');
    assert.match(String(said?.values['reason']), /^Cannot use the snapshot/);
  });

  it('trims nothing on the word of a snapshot that it knows to be wrong', async () => {
    await grow(snapshotOrdinals);
    await cluster.until(async () => manifests().length === 1);
    const [wrong] = manifests();
    assert.ok(wrong !== undefined);
    const other = { ...wrong, stateHash: 'f'.repeat(64) };
    cluster.store.putManifest(wrong.id, Buffer.from(JSON.stringify(other)));
    await grow(snapshotOrdinals);
    await cluster.until(async () => manifests().length === 2);
    await cluster.settle();
    assert.equal(cluster.store.floor, 0);
    const said = h1.logger.lines.find(({ message }) => message === 'no snapshot was made');
    assert.match(String(said?.values['reason']), /another state/);
  });

  it('leaves to others to trim what it has not folded itself', async () => {
    const h2 = await cluster.start('h2');
    const restore = h2.log.severTails();
    await grow(4 * snapshotOrdinals);
    await cluster.until(async () => cluster.store.floor > 0);
    const trims: unknown[] = [];
    const trim = h2.log.trim.bind(h2.log);
    h2.log.trim = async (upTo, signal) => {
      trims.push(upTo);
      await trim(upTo, signal);
    };
    const late = await cluster.drive(h2.controller.makeSnapshot(context.signal));
    assert.ok(
      manifests().filter(({ ordinal }) => ordinal > late.ordinal).length === 2,
      'two of others are newer',
    );
    assert.deepEqual(trims, []);
    restore();
  });

  it('looks for newer snapshots where those that it has heard of are gone before it has read them', async () => {
    await grow(2 * snapshotOrdinals + 10);
    await cluster.until(async () => manifests().length === 2);
    const heardOf = await h1.log.snapshots.list(context.signal);
    await grow(3 * snapshotOrdinals);
    const ids = new Set(heardOf.map(({ id }) => id));
    await cluster.until(async () => manifests().every(({ id }) => !ids.has(id)));
    const h2 = cluster.launch('h2');
    const { snapshots } = h2.log;
    const list = snapshots.list.bind(snapshots);
    // Once when it starts, and once when it finds that the log does not begin at its beginning.
    const answers = [heardOf, heardOf];
    snapshots.list = async (signal) => answers.pop() ?? (await list(signal));
    await cluster.until(async () => (await cluster.phaseOf(h2)) === 'running');
    assert.equal(answers.length, 0);
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
  });

  it('halts where the log was trimmed and there is no snapshot to go on from', async () => {
    await grow(100);
    cluster.store.trim(50);
    const h2 = cluster.launch('h2');
    await cluster.until(async () => (await cluster.phaseOf(h2)) === 'halted');
    const { phaseReason } = await cluster.drive(h2.controller.status(context.signal));
    assert.match(phaseReason ?? '', /no snapshot/);
    assert.deepEqual(
      h2.kernel.objects().filter(({ kind }) => kind !== 'link'),
      [],
    );
  });

  it('makes a snapshot in spite of a store that loses answers', async () => {
    let count = 0;
    const restore = cluster.store.interrupt((operation) => {
      if (operation !== 'keep' && operation !== 'trim') return undefined;
      count += 1;
      return (['lose-answer', 'lose-request', 'refuse', undefined] as const)[count % 4];
    });
    await grow(3 * snapshotOrdinals + 100);
    await cluster.until(async () => cluster.store.floor > 0);
    restore();
    const h2 = await cluster.start('h2');
    await cluster.settle();
    assert.equal(h2.controller.state.stateHash, h1.controller.state.stateHash);
  });
});

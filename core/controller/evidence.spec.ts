import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { Ledger } from '../../test/support/ledger.ts';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { keyOf } from '../dataplane/key.ts';
import { isWeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { genesis, type LogEntry, type Position } from '../log/event-log.ts';
import { Checkpoints } from './checkpoints.ts';
import { checkpointStrideOrdinals, checkpointsMax, entryPageEntriesMax } from './defaults.ts';

const { signal } = cancelScope();
const context = { by: 'spec', signal };

describe('The evidence of a controller', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    const wishes = { ipv6: false, internal: false, space: 'default', options: {}, labels: {} };
    const subnets = [{ prefix: '10.0.1.0/24', aux: {} }];
    await cluster.drive(
      h1.controller.createNetwork({ name: 'red', driver: 'overlay', subnets, ...wishes }, context),
    );
    h1.kernel.addSandbox('one');
    await cluster.drive(h1.controller.connect('red', { sandbox: 'one', aliases: [] }, context));
    await cluster.settle();
  });

  afterEach(() => cluster.dispose());

  it('is where the fold stands and everything of weft that the kernel has, once each', async () => {
    const evidence = await cluster.drive(h1.controller.evidence(signal));
    const { state } = h1.controller;
    assert.deepEqual(
      [evidence.ordinal, evidence.recordHash, evidence.stateHash],
      [state.ordinal, state.recordHash, state.stateHash],
    );
    assert.equal(evidence.kernel.steady, true);
    assert.equal(evidence.kernel.fault, undefined);
    const keys = evidence.kernel.objects.map(keyOf);
    assert.equal(new Set(keys).size, keys.length);
    const there = h1.kernel.objects().filter(({ ns }) => ns !== 'host');
    assert.deepEqual(
      there.map(keyOf).filter((key) => !keys.includes(key)),
      [],
    );
    assert.ok(there.length > 10);
    assert.ok(evidence.kernel.objects.some(({ kind }) => kind === 'sysctl'));
  });

  it('has what others did to the kernel, and writes nothing', async () => {
    const route = h1.kernel.objects().find(({ kind, ns }) => kind === 'address' && ns === 'sandbox:one');
    assert.ok(route !== undefined);
    h1.kernel.setDeaf(true);
    h1.kernel.deleteByHand(route);
    const { changes } = h1.kernel;
    const { kernel } = await cluster.drive(h1.controller.evidence(signal));
    assert.ok(!kernel.objects.map(keyOf).includes(keyOf(route)));
    assert.equal(h1.kernel.changes, changes);
  });

  it('says so where the kernel cannot be looked at, or does not stand still', async () => {
    const dump = h1.kernel.dump.bind(h1.kernel);
    h1.kernel.dump = async (ns, options) => {
      if (ns === 'sandbox:one') throw new Error('not today');
      return dump(ns, options);
    };
    const dim = await cluster.drive(h1.controller.evidence(signal));
    assert.equal(dim.kernel.fault, 'not today');
    assert.ok(dim.kernel.objects.length > 0);
    let count = 0;
    h1.kernel.dump = async (ns, options) => {
      count += 1;
      if (ns.startsWith('net:')) await h1.controller.createNetwork(anyNetwork(count), context);
      return dump(ns, options);
    };
    const moved = await cluster.drive(h1.controller.evidence(signal));
    assert.equal(moved.kernel.steady, false);
  });

  it('has every entry in pages, byte for byte as the store', async () => {
    const { position } = await cluster.drive(h1.controller.evidence(signal));
    const { entries, end } = await cluster.drive(
      h1.controller.entries({ after: genesis, until: position }, signal),
    );
    assert.equal(end, true);
    assert.equal(entries.length, cluster.store.length);
    entries.forEach(({ bytes }, index) => assert.deepEqual(bytes, cluster.store.at(index + 1).bytes));
    const rest = await cluster.drive(
      h1.controller.entries({ after: entries[0]?.position ?? genesis, until: position }, signal),
    );
    assert.deepEqual(rest.entries, entries.slice(1));
    const none = await cluster.drive(h1.controller.entries({ after: position, until: position }, signal));
    assert.deepEqual(none, { entries: [], end: true });
  });

  it('bounds a page, which tells that it is not the last', async () => {
    for (let count = 0; count < entryPageEntriesMax; count += 1) {
      const id = count.toString(16).padStart(32, '0') as LogEntry['id'];
      cluster.store.put({ id, base: 0, bytes: Uint8Array.of(0x7b) });
    }
    await cluster.until(() => h1.controller.state.ordinal >= cluster.store.length);
    const until = (await cluster.drive(h1.controller.evidence(signal))).position;
    const page = await cluster.drive(h1.controller.entries({ after: genesis, until }, signal));
    assert.deepEqual([page.entries.length, page.end], [entryPageEntriesMax, false]);
  });

  it('does not wait for a store that is not there', async () => {
    const mend = cluster.store.interrupt('refuse');
    const reading = h1.controller.entries({ after: genesis, until: 'x' as Position }, signal);
    await assert.rejects(cluster.drive(reading), (error) => isWeftError(error, 'store-unreachable'));
    const { kernel } = await cluster.drive(h1.controller.evidence(signal));
    assert.ok(kernel.objects.length > 0);
    mend();
  });
});

function anyNetwork(count: number) {
  const rest = { ipv6: false, internal: false, space: 'default', options: {}, labels: {} };
  return { name: `n${count}`, driver: 'overlay', subnets: [], ...rest };
}

describe('Checkpoints', () => {
  it('span the whole log evenly, however long it is', () => {
    const checkpoints = new Checkpoints();
    const { state } = new Ledger();
    const last = 3 * checkpointsMax * checkpointStrideOrdinals;
    for (let ordinal = 1; ordinal <= last; ordinal += 1) checkpoints.push({ ...state, ordinal });
    const ordinals = checkpoints.list().map(({ ordinal }) => ordinal);
    assert.ok(ordinals.length <= checkpointsMax && ordinals.length > checkpointsMax / 2 - 1);
    const [first = 0] = ordinals;
    assert.deepEqual(
      ordinals,
      ordinals.map((_ordinal, index) => first * (index + 1)),
    );
    assert.ok(last - (ordinals.at(-1) ?? 0) < first);
  });
});

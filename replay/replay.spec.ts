import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { BundleLine, BundleLineOf } from '../core/bundle/lines.ts';
import { isWeftError } from '../core/errors.ts';
import { bytesOf, chunksOf, linesOf } from '../test/support/bundles.ts';
import { Ledger } from '../test/support/ledger.ts';
import { runs } from '../test/support/property-settings.ts';
import { anyRequest, send } from '../test/support/requests.ts';
import { VirtualCluster, type VirtualHost } from '../test/support/virtual-cluster.ts';
import { HostReplay } from './host-replay.ts';
import { type ReplayedEntry, type ReplayOptions, replayBundle, type Verdict } from './index.ts';

const context = { by: 'spec', signal: new AbortController().signal };

async function replayed(lines: readonly BundleLine[], options: ReplayOptions = {}) {
  const open = chunksOf(await bytesOf(lines));
  const entries: ReplayedEntry[] = [];
  let verdict: Verdict | undefined;
  for await (const event of replayBundle(open, options)) {
    if (event.type === 'entry') entries.push(event);
    if (event.type === 'verdict') verdict = event;
  }
  assert.ok(verdict !== undefined);
  return { entries, verdict };
}

function headerOf(lines: readonly BundleLine[]): BundleLineOf<'bundle'> {
  const [header] = lines;
  assert.ok(header?.type === 'bundle');
  return header;
}

describe('The replay of a bundle', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let h2: VirtualHost;
  let lines: BundleLine[];

  const attach = async (host: VirtualHost, sandbox: string, name: string) => {
    await cluster.drive(host.controller.connect('red', { sandbox, name, aliases: ['also'] }, context));
  };

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    h2 = await cluster.start('h2');
    const rest = { ipv6: true, internal: false, space: 'default', options: {}, labels: { tier: 'web' } };
    const subnets = [
      { prefix: '10.0.1.0/24', aux: {} },
      { prefix: 'fd00:1::/64', aux: {} },
    ];
    await cluster.drive(
      h1.controller.createNetwork({ name: 'red', driver: 'overlay', subnets, ...rest }, context),
    );
    h1.kernel.addSandbox('near');
    h2.kernel.addSandbox('far');
    h2.kernel.addSandbox('gone');
    await attach(h1, 'near', 'web');
    await attach(h2, 'far', 'db');
    await attach(h2, 'gone', 'old');
    await cluster.drive(h2.controller.removeEndpoint('red/old', context));
    await cluster.settle();
    lines = await cluster.drive(linesOf(h1.controller));
  });

  afterEach(() => cluster.dispose());

  it('comes to the same hash and the same kernel, on either host', async () => {
    for (const host of [h1, h2]) {
      const { verdict } = await replayed(await cluster.drive(linesOf(host.controller)));
      const { ordinal, stateHash } = host.controller.state;
      assert.deepEqual([verdict.ordinal, verdict.stateHash], [ordinal, stateHash]);
      assert.equal(verdict.hashes.result, 'same');
      assert.equal(verdict.kernel.result, 'same', JSON.stringify(verdict.kernel));
      assert.deepEqual([verdict.planner, verdict.notes, verdict.agrees], [[], [], true]);
    }
  });

  it('tells each record with its outcome, and what it changed in the kernel as commands', async () => {
    const { entries } = await replayed(lines);
    const records = entries.flatMap((entry) => entry.records);
    assert.deepEqual(
      records.map(({ record, outcome }) => [outcome.ordinal, record?.host, record?.kind, outcome.accepted]),
      [
        [1, 'h1', 'host-join', true],
        [2, 'h2', 'host-join', true],
        [3, 'h1', 'network-create', true],
        [4, 'h1', 'endpoint-create', true],
        [5, 'h2', 'endpoint-create', true],
        [6, 'h2', 'endpoint-create', true],
        [7, 'h2', 'endpoint-remove', true],
      ],
    );
    assert.deepEqual(entries[2]?.operations, []);
    const hosts = (index: number) =>
      entries[index]?.operations.filter(({ text }) => text.startsWith('#')) ?? [];
    assert.match(hosts(3)[0]?.text ?? '', /^# \/etc\/netns\/near\/hosts: 10\.0\.1\.2 web also web\.red/);
    assert.match(hosts(4)[0]?.text ?? '', /^# \/etc\/netns\/near\/hosts: \+ 10\.0\.1\.3 db also db\.red/);
    assert.match(hosts(6)[0]?.text ?? '', /^# \/etc\/netns\/near\/hosts: - 10\.0\.1\.4 old also old\.red/);
    assert.ok(entries[3]?.operations.some(({ text }) => text.includes('type vxlan id 256')));
    const fdb =
      /^bridge -n weft-\w+ fdb replace 02:42:0a:00:01:03 dev vxlan0 self permanent dst 192.168.2.12$/;
    assert.ok(entries[4]?.operations.some(({ text }) => fdb.test(text)));
    assert.ok(entries[6]?.operations.some(({ text }) => text.includes('fdb delete 02:42:0a:00:01:04')));
    assert.ok(entries.every(({ operations }) => operations.every(({ refused }) => refused === undefined)));
  });

  it('shows exactly the FDB entry that the recorded kernel lacks', async () => {
    const without = lines.filter(
      (line) => line.type !== 'object' || line.object.kind !== 'fdb' || line.object.remote === undefined,
    );
    assert.equal(without.length, lines.length - 1);
    const { verdict } = await replayed(without);
    assert.equal(verdict.agrees, false);
    assert.equal(verdict.hashes.result, 'same');
    assert.ok(verdict.kernel.result === 'differs');
    assert.deepEqual(
      verdict.kernel.differences.map(({ found, text }) => `${found}: ${text.replace(/weft-\w+/, 'NET')}`),
      ['missing: bridge -n NET fdb replace 02:42:0a:00:01:03 dev vxlan0 self permanent dst 192.168.2.12'],
    );
  });

  it('shows what the recorded kernel has otherwise and what it should not have, with the reason of the daemon', async () => {
    const altered = lines.flatMap((line): BundleLine[] => {
      if (line.type !== 'object' || line.object.kind !== 'fdb' || line.object.remote === undefined)
        return [line];
      const astray = { ...line.object, remote: '192.0.2.9' as never };
      return [
        { type: 'object', object: astray },
        { type: 'object', object: { ...line.object, mac: '02:42:0a:00:01:63' as never } },
        {
          type: 'failing',
          kind: 'fdb',
          namespace: line.object.ns,
          text: `bridge -n ${line.object.ns.slice(4)} fdb replace ${line.object.mac} dev vxlan0 self permanent dst 192.168.2.12`,
          reason: 'ENODEV: no such device',
          attempts: 3,
        },
      ];
    });
    const { verdict } = await replayed(altered);
    assert.ok(verdict.kernel.result === 'differs');
    assert.deepEqual(
      verdict.kernel.differences.map(({ found, failing }) => [found, failing]),
      [
        ['altered', 'ENODEV: no such device'],
        ['stray', undefined],
      ],
    );
    assert.match(verdict.kernel.differences[0]?.actual ?? '', /dst 192\.0\.2\.9$/);
  });

  it('says between which ordinals the fold parted from that of the daemon', async () => {
    const { entries } = await replayed(lines);
    const wrong = 'f'.repeat(64);
    const hashAt = async (to: number) => (await replayed(lines, { to })).verdict;
    const checkpoints = await Promise.all([2, 4, 5].map(hashAt));
    const recorded = checkpoints.map(({ ordinal, recordHash, stateHash }): BundleLine => {
      return { type: 'checkpoint', ordinal, recordHash, stateHash: ordinal >= 4 ? wrong : stateHash };
    });
    const { verdict } = await replayed([headerOf(lines), ...recorded, ...lines.slice(1)]);
    assert.ok(entries.length > 0);
    assert.deepEqual(verdict.hashes, { result: 'differs', at: 4, sameAt: 2, what: 'state' });
    assert.equal(verdict.agrees, false);
    const others = [{ ...headerOf(lines), recordHash: wrong }, ...lines.slice(1)];
    const { hashes } = (await replayed(others)).verdict;
    assert.deepEqual(hashes, { result: 'differs', at: 7, sameAt: 0, what: 'records' });
  });

  it('ends where it is told to, and does not blame the bundle for that', async () => {
    const { entries, verdict } = await replayed(lines, { to: 4 });
    assert.equal(entries.length, 4);
    assert.equal(verdict.ordinal, 4);
    assert.equal(verdict.kernel.result, 'not-compared');
    assert.equal(verdict.agrees, true);
    assert.equal((await replayed(lines, { to: 1_000 })).verdict.kernel.result, 'same');
    assert.equal((await replayed(lines, { to: 0 })).verdict.ordinal, 0);
  });

  it("shows another host's kernel, and compares no kernel then", async () => {
    const { entries, verdict } = await replayed(lines, { host: 'h2' });
    assert.deepEqual(entries[3]?.operations, []);
    assert.ok(entries[4]?.operations.some(({ text }) => text.includes('dst 192.168.2.11')));
    assert.equal(verdict.kernel.result, 'not-compared');
    assert.equal(verdict.agrees, true);
    const nobody = await replayed(lines, { host: 'nobody' });
    assert.ok(nobody.entries.every(({ operations }) => operations.length === 0));
  });

  it('of a bundle whose entries break off says how far it came, and does not agree', async () => {
    const broken: BundleLine[] = [...lines.slice(0, -2), { type: 'broken-off', reason: 'the store is down' }];
    const { verdict } = await replayed(broken);
    assert.equal(verdict.ordinal, 5);
    assert.ok(
      verdict.kernel.result === 'not-compared' && verdict.kernel.reason.includes('the store is down'),
    );
    assert.equal(verdict.agrees, false);
  });

  it('says what makes a difference doubtful', async () => {
    const doubtful = lines.map((line): BundleLine => {
      if (line.type === 'kernel') return { type: 'kernel', steady: false };
      if (line.type === 'daemon')
        return { ...line, status: { phase: 'halted', phaseReason: 'a newer record' } };
      return line;
    });
    const { notes } = (await replayed(doubtful)).verdict;
    assert.equal(notes.length, 2);
    assert.match(notes.join(), /halted \(a newer record\).*in motion/);
    const blind = lines.map((line): BundleLine => {
      return line.type === 'kernel' ? { ...line, fault: 'EPERM' } : line;
    });
    const { verdict } = await replayed(blind);
    assert.deepEqual([verdict.kernel.result, verdict.agrees], ['not-compared', false]);
  });

  it('stops at a record of a newer schema and says so', async () => {
    const newer: BundleLine = { type: 'entry', position: '8:x', id: 'e'.repeat(32), text: '{"v":2}' };
    const header = { ...headerOf(lines), ordinal: 8 };
    const replaying = replayed([header, ...lines.slice(1), newer]);
    await assert.rejects(
      replaying,
      (error) => isWeftError(error, 'unknown-version') && /Record 8/.test(error.message),
    );
  });

  it('shows bytes that are no record as what the fold made of them', async () => {
    const odd: BundleLine = { type: 'entry', position: '8:x', id: 'e'.repeat(32), base64: '/wA=' };
    const header = { ...headerOf(lines), ordinal: 8 };
    const { entries } = await replayed([header, ...lines.slice(1), odd]);
    const [record] = entries.at(-1)?.records ?? [];
    assert.ok(record !== undefined && !record.outcome.accepted && record.outcome.code === 'malformed');
  });
});

describe('The replay of a bundle of a trimmed log', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let lines: BundleLine[];
  let begins = 0;

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    const h2 = await cluster.start('h2');
    const attach = (host: VirtualHost, sandbox: string) => {
      host.kernel.addSandbox(sandbox);
      return cluster.drive(host.controller.connect('red', { sandbox, name: sandbox, aliases: [] }, context));
    };
    const rest = { ipv6: false, internal: false, space: 'default', options: {}, labels: {} };
    const subnets = [{ prefix: '10.0.1.0/24', aux: {} }];
    await cluster.drive(
      h1.controller.createNetwork({ name: 'red', driver: 'overlay', subnets, ...rest }, context),
    );
    await attach(h1, 'near');
    await attach(h2, 'far');
    await cluster.settle();
    begins = (await cluster.drive(h1.controller.makeSnapshot(context.signal))).ordinal;
    await attach(h1, 'nigh');
    await cluster.settle();
    // The second one trims up to the first.
    await cluster.drive(h2.controller.makeSnapshot(context.signal));
    await attach(h2, 'off');
    await cluster.settle();
    assert.ok(cluster.store.floor > 0);
    lines = await cluster.drive(linesOf(h1.controller));
  });

  afterEach(() => cluster.dispose());

  const refused = async (altered: readonly BundleLine[], why: RegExp) => {
    await assert.rejects(replayed(altered), (error) => {
      assert.ok(isWeftError(error, 'bad-bundle'), String(error));
      assert.match(error.message, why);
      assert.match(error.message, /^[^\n]+$/);
      return true;
    });
  };
  const manifestOf = (): BundleLineOf<'snapshot'>['manifest'] => {
    const line = lines.find((each) => each.type === 'snapshot');
    assert.ok(line?.type === 'snapshot');
    return line.manifest;
  };
  const withManifest = (manifest: Partial<BundleLineOf<'snapshot'>['manifest']>) =>
    lines.map((line): BundleLine => {
      return line.type === 'snapshot' ? { ...line, manifest: { ...line.manifest, ...manifest } } : line;
    });

  it('begins from the older snapshot, and comes to the same hash and the same kernel', async () => {
    assert.equal(manifestOf().ordinal, begins);
    for (const host of ['h1', 'h2']) {
      const { verdict, entries } = await replayed(lines, { host });
      const { ordinal, stateHash } = h1.controller.state;
      assert.deepEqual([verdict.ordinal, verdict.stateHash], [ordinal, stateHash]);
      assert.equal(verdict.hashes.result, 'same');
      assert.equal(entries[0]?.records[0]?.outcome.ordinal, begins + 1);
      assert.deepEqual([verdict.planner, verdict.agrees], [[], true]);
      if (host === 'h1') assert.equal(verdict.kernel.result, 'same', JSON.stringify(verdict.kernel));
    }
  });

  it('tells what of the snapshot is in the kernel, before the first entry', async () => {
    const types: string[] = [];
    const open = chunksOf(await bytesOf(lines));
    for await (const event of replayBundle(open)) {
      types.push(event.type);
      if (event.type === 'opened') assert.equal(event.snapshot?.ordinal, begins);
      if (event.type !== 'snapshot') continue;
      assert.equal(event.ordinal, begins);
      assert.ok(event.operations.some(({ text }) => text.includes('type vxlan id 256')));
      assert.ok(event.operations.every(({ refused: why }) => why === undefined));
    }
    assert.deepEqual(types.slice(0, 3), ['opened', 'snapshot', 'entry']);
  });

  it('is the same for a host that leapt while it ran', async () => {
    const h3 = await cluster.start('h3');
    const seen: number[] = [];
    const watching = h3.controller.endpoints$.subscribe((endpoints) => seen.push(endpoints.length));
    const restore = h3.log.sever();
    for (const sandbox of ['one', 'two', 'three']) {
      h1.kernel.addSandbox(sandbox);
      await cluster.drive(h1.controller.connect('red', { sandbox, aliases: [] }, context));
      await cluster.drive(h1.controller.makeSnapshot(context.signal));
    }
    const last = await cluster.drive(h1.controller.makeSnapshot(context.signal));
    restore();
    await cluster.settle();
    watching.unsubscribe();
    assert.ok(h3.logger.lines.some(({ message }) => message === 'began from a snapshot'));
    assert.equal(seen.at(-1), h3.controller.state.endpoints.size, 'who watches is told of a leap');
    h3.kernel.addSandbox('here');
    await cluster.drive(h3.controller.connect('red', { sandbox: 'here', aliases: [] }, context));
    await cluster.settle();
    const ordinals = (await h3.controller.history({ limit: 1_000 })).map(({ outcome }) => outcome.ordinal);
    assert.ok(!ordinals.includes(last.ordinal) && ordinals.includes(last.ordinal + 1), 'it has a gap');
    const { verdict } = await replayed(await cluster.drive(linesOf(h3.controller)));
    assert.equal(verdict.stateHash, h3.controller.state.stateHash);
    assert.deepEqual([verdict.hashes.result, verdict.kernel.result, verdict.agrees], ['same', 'same', true]);
  });

  it('ends at the snapshot where it is told to, and not before', async () => {
    const { entries, verdict } = await replayed(lines, { to: begins });
    assert.deepEqual([entries.length, verdict.ordinal, verdict.agrees], [0, begins, true]);
    await assert.rejects(
      replayed(lines, { to: begins - 1 }),
      (error) => isWeftError(error, 'malformed') && error.message.includes(`at record ${begins}`),
    );
  });

  it('takes no snapshot that was cut, altered or repeated', async () => {
    const at = lines.findIndex(({ type }) => type === 'snapshot');
    const last = lines.findLastIndex(({ type }) => type === 'snapshot-line');
    await refused([...lines.slice(0, last), ...lines.slice(last + 1)], /its snapshot ends before its end/);
    await refused(lines.slice(0, last), /its snapshot ends before its end/);
    await refused([...lines.slice(0, at + 2), ...lines.slice(at + 3)], /lines/);
    await refused(
      lines.filter(({ type }) => type !== 'snapshot'),
      /lines of a snapshot where none is/,
    );
    await refused(
      lines.filter(({ type }) => type !== 'snapshot-line'),
      /its snapshot ends before its end/,
    );
    await refused([...lines.slice(0, at + 1), ...lines.slice(at)], /two snapshots/);
    await refused([...lines, { type: 'snapshot', manifest: manifestOf() }], /two snapshots/);
    const moved = [...lines.filter(({ type }) => !type.startsWith('snapshot')), ...lines.slice(at, last + 1)];
    await refused(moved, /comes after entries/);
    const text = (line: BundleLine): BundleLine =>
      line.type === 'snapshot-line' ? { ...line, text: line.text.replace('"near"', '"nearby"') } : line;
    await refused(lines.map(text), /it makes the state [0-9a-f]{12} and claims/);
    await refused(
      lines.map((line): BundleLine => (line.type === 'snapshot-line' ? { ...line, text: '{' } : line)),
      /a snapshot that is none/,
    );
  });

  it('takes no snapshot of another log, of later than the bundle, or that is not what its manifest says', async () => {
    await refused(withManifest({ logId: 'f'.repeat(32) as never }), /of another log, ffff/);
    await refused(withManifest({ ordinal: 1_000 }), /of ordinal 1000, and the bundle of \d/);
    await refused(withManifest({ stateHash: 'f'.repeat(64) }), /is not what it claims/);
    await refused(withManifest({ recordHash: 'f'.repeat(64) }), /is not what it claims/);
  });

  it('that breaks off in the snapshot says so, and compares nothing', async () => {
    const last = lines.findLastIndex(({ type }) => type === 'snapshot-line');
    const broken: BundleLine[] = [
      ...lines.slice(0, last),
      { type: 'broken-off', reason: 'the store is down' },
    ];
    const { verdict, entries } = await replayed(broken);
    assert.deepEqual([entries.length, verdict.agrees], [0, false]);
    assert.ok(
      verdict.hashes.result === 'not-compared' && verdict.hashes.reason.includes('the store is down'),
    );
  });

  it('does not say of a difference that all was the same before the snapshot', async () => {
    const other = lines.filter(({ type }) => type !== 'checkpoint');
    const wrong = [{ ...headerOf(other), stateHash: 'f'.repeat(64) }, ...other.slice(1)];
    const { hashes } = (await replayed(wrong)).verdict;
    const { ordinal } = headerOf(other);
    assert.deepEqual(hashes, { result: 'differs', at: ordinal, what: 'state' });
  });
});

describe('A host that is lived again', () => {
  it('has the kernel that the log asks for after every entry, whatever the log is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRequest, { maxLength: 40, size: 'max' }), async (requests) => {
        const ledger = new Ledger('h0', 'h1', 'h2');
        const hosts = ['h0', 'h1', 'h2'].map((name) => new HostReplay(name, 'weft-'));
        const first = ledger.state;
        for (const host of hosts) {
          const changes = [...first.hosts.values()].map((one) => ({ type: 'host-set' as const, host: one }));
          await host.follow([{ changes, state: first }]);
        }
        for (const request of requests) {
          const { changes } = send(ledger, request);
          for (const host of hosts) {
            await host.follow([{ changes, state: ledger.state }]);
            assert.deepEqual(host.differences(), []);
          }
        }
      }),
      { numRuns: runs(25) },
    );
  });

  it('makes a sandbox anew where a record has another identity for it', async () => {
    const ledger = new Ledger('h1', 'h2');
    const host = new HostReplay('h1', 'weft-');
    const follow = (folded: { changes: Parameters<HostReplay['follow']>[0][number]['changes'] }) =>
      host.follow([{ changes: folded.changes, state: ledger.state }]);
    const { changes } = ledger.join('h1', { address: '192.168.2.1' });
    await host.follow([{ changes, state: ledger.state }]);
    await follow(ledger.network('h1', 'red', { subnets: [{ prefix: '10.0.1.0/24', aux: [] }] }));
    await follow(ledger.attach('h1', 'red', { sandbox: { ref: 'box', identity: 'first' } }));
    const again = await follow(ledger.attach('h1', 'red', { sandbox: { ref: 'box', identity: 'second' } }));
    assert.deepEqual(host.differences(), []);
    assert.ok(again.some(({ text }) => text.includes('address replace 10.0.1.3/24')));
    assert.ok(again.every(({ refused }) => refused === undefined));
  });
});

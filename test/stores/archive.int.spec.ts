/** History of a host whose log is trimmed again and again, on the file store and on the disk, as `weft log` shows it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { StoreHost } from '../support/store-host.ts';
import { type WeftResult, weft } from '../support/weft-program.ts';

const records = 5_000;
const snapshotOrdinals = 256;

describe('the archive of a host on the file store', function suite() {
  this.timeout(300_000);
  let folder: string;
  let host: StoreHost;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-archive-`));
    host = await start();
  });
  after(async () => {
    await host.stop();
    await rm(folder, { recursive: true });
  });

  const start = () =>
    StoreHost.start(`file:${join(folder, 'log')}`, { snapshotOrdinals, folder: join(folder, 'host') });

  async function weftHere(...args: string[]): Promise<WeftResult> {
    const result = await weft(args, host.socket);
    assert.equal(result.code, 0, result.err);
    return result;
  }

  const ordinalsIn = (json: string): number[] =>
    JSON.parse(json).map((item: { ordinal: number }) => item.ordinal);

  /** Every ordinal from the first on, without a gap, up to the last at least. */
  function assertWhole(listed: readonly number[], first: number, last: number): void {
    assert.deepEqual(
      listed,
      Array.from(listed, (_, index) => first + index),
    );
    assert.ok((listed.at(-1) ?? 0) >= last, `up to ${listed.at(-1)} of ${last}`);
  }

  it('has every record that the log was trimmed of, also in the next life of its daemon', async () => {
    await host.populate('red', 3);
    await host.grow(records);
    await host.until(async () => (await trimmedTo()) > records / 2);
    await host.stop();
    host = await start();
    // Its sandboxes went with the former life, so that it goes on releasing their endpoints while it is asked.
    const { ordinal } = host.controller.state;
    assert.ok(ordinal > records);
    const { out, err } = await weftHere('--format', 'json', 'log', '--all');
    assert.equal(err, '');
    assertWhole(ordinalsIn(out), 1, ordinal);
    const table = (await weftHere('log', '--all')).out.split('\n');
    assert.match(table[0] ?? '', /^ORDINAL {3,}WHEN/);
    assert.match(
      table[3] ?? '',
      /^3 .* uid:0 .*endpoint-create red-0 red-0 on [0-9a-f]{12} .*endpoint [0-9a-f]{12} 10\./,
    );
    assertWhole(
      ordinalsIn((await weftHere('--format', 'json', 'log', '--after', '4000')).out),
      4_001,
      ordinal,
    );
    assert.deepEqual(
      ordinalsIn((await weftHere('--format', 'json', 'log', '--after', '10', '-n', '3')).out).length,
      3,
    );
  });

  it('is for its owner alone, and packed', async () => {
    const archive = join(folder, 'host', 'archive');
    const names = await readdir(archive);
    assert.ok(names.length > 0);
    assert.equal((await stat(archive)).mode & 0o777, 0o700);
    for (const name of names) assert.equal((await stat(join(archive, name))).mode & 0o777, 0o600);
  });

  it('says what a host that came later does not know', async () => {
    const late = await StoreHost.start(`file:${join(folder, 'log')}`, {
      name: 'h2',
      number: 2,
      snapshotOrdinals,
    });
    try {
      const [first] = (await late.client.call('log', { query: { from: 'oldest' } })).items;
      assert.ok(first !== undefined && first.ordinal > records / 2);
      const { err } = await weft(['log', '--all'], late.socket);
      assert.match(err, new RegExp(`^weft: records 1 to ${first.ordinal - 1} are not known on this host`));
    } finally {
      await late.stop();
    }
  });

  /** The oldest record that a fresh reader of the log would see, or what stands before it. */
  async function trimmedTo(): Promise<number> {
    const { snapshots = [] } = await host.client.call('storeStatus');
    return snapshots.length < 2 ? 0 : (snapshots.at(-1)?.ordinal ?? 0);
  }
});

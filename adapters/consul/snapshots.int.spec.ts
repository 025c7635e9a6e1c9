/** Snapshots beside a log whose store is meddled with, cut off, and watched by tails. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { snapshotChunkBytesMax } from '../../core/limits.ts';
import type { LogId, SnapshotId } from '../../core/model/ids.ts';
import { type ConsulServer, consulUnavailable, startConsul } from '../../lab/consul.ts';
import { Relay } from '../../lab/relay.ts';
import { ConsulLogs } from '../../test/support/consul-logs.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { codeOf } from '../../test/support/log-trials.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { formatLogId, placeKeys } from './keys.ts';
import { manifestsPerRead } from './limits.ts';

const id = 'a'.repeat(32) as SnapshotId;
const bytes = Buffer.from('bytes');

describe('consul: snapshots', function snapshots() {
  this.timeout(60_000);
  const logs = new ConsulLogs();
  let server: ConsulServer;
  let places = 0;

  before(async function start() {
    const unavailable = consulUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startConsul();
  });
  afterEach(() => logs.closeAll());
  after(() => server?.stop());

  const put = (key: string, value: string) => server.request('PUT', `/v1/kv/${key}`, value);

  const place = async () => {
    places += 1;
    const prefix = `/snapshots/${places}`;
    const log = await logs.open(`${server.url}${prefix}`);
    const logId = await log.open(never());
    return { log, prefix, logId, keys: placeKeys(prefix).of(logId) };
  };
  const keysUnder = async (folder: string): Promise<string[]> => {
    const all = (await (await server.request('GET', '/v1/kv/?keys')).json()) as string[];
    return all.filter((key) => key.startsWith(folder));
  };

  it('change nothing of what a tail waits for', async () => {
    const { log, keys } = await place();
    await log.append(draft(), never());
    const folder = `/v1/kv/${keys.segment(0).folder}?recurse`;
    const indexOf = async () => (await server.request('GET', folder)).headers.get('x-consul-index');
    const index = await indexOf();
    await log.snapshots.putChunk(id, 0, new Uint8Array(snapshotChunkBytesMax), never());
    await log.snapshots.putManifest(id, bytes, never());
    await log.snapshots.drop(id, never());
    assert.equal(await indexOf(), index);
  });

  it('are listed however many there are, and foreign keys between them are not', async () => {
    const { log, keys } = await place();
    const ids = Array.from({ length: 2 * manifestsPerRead + 3 }, (_, number) =>
      String(number).padStart(32, '0'),
    );
    for (const each of ids) await log.snapshots.putManifest(each as SnapshotId, Buffer.from(each), never());
    await put(`${keys.snapshots}notes`, 'x');
    await put(`${keys.snapshots}notes/manifest`, 'x');
    await put(`${keys.snapshots}${ids[0]}/manifest.old`, 'x');
    const found = await log.snapshots.list(never());
    assert.deepEqual(found.map((each) => each.id).toSorted(), ids);
    for (const each of found) assert.equal(Buffer.from(each.manifest ?? []).toString(), each.id);
  });

  it('are not written beside another log, nor read', async () => {
    const { log, keys, prefix } = await place();
    await log.snapshots.putChunk(id, 0, bytes, never());
    await server.request('DELETE', `/v1/kv${prefix}/?recurse`);
    await logs.open(`${server.url}${prefix}`);
    for (const refused of [
      () => log.snapshots.putChunk(id, 1, bytes, never()),
      () => log.snapshots.putManifest(id, bytes, never()),
      () => log.snapshots.drop(id, never()),
      () => log.snapshots.list(never()),
      () => log.snapshots.getChunk(id, 0, never()),
    ])
      assert.equal(await codeOf(refused()), 'log-mismatch');
    assert.deepEqual(await keysUnder(keys.snapshots), []);
  });

  it('go on being kept when the identity was brought in anew, as an import does', async () => {
    const { log, keys, logId } = await place();
    await log.snapshots.putChunk(id, 0, bytes, never());
    await put(keys.identity, formatLogId(logId));
    await log.snapshots.putChunk(id, 1, bytes, never());
    assert.deepEqual(await log.snapshots.getChunk(id, 1, never()), bytes);
    await put(keys.identity, formatLogId('f'.repeat(32) as LogId));
    assert.equal(await codeOf(log.snapshots.putChunk(id, 2, bytes, never())), 'log-mismatch');
  });

  it('that were given up before they were sent were not written; those whose answer is lost may be', async () => {
    const { prefix } = await place();
    const relay = await Relay.start({ host: server.host, port: server.clientPort });
    try {
      const { snapshots: kept } = await logs.open(`consul://${relay.host}:${relay.port}${prefix}`);
      await kept.putChunk(id, 0, bytes, never());
      const aborted = AbortSignal.abort();
      assert.equal(await codeOf(kept.putChunk(id, 1, bytes, aborted)), 'store-unreachable');
      assert.equal(await codeOf(kept.getChunk(id, 0, aborted)), 'store-unreachable');
      relay.freeze();
      const sent = new AbortController();
      const writing = codeOf(kept.putChunk(id, 1, bytes, sent.signal));
      setTimeout(() => sent.abort(), 100);
      assert.equal(await writing, 'outcome-unknown');
      assert.equal(await codeOf(kept.drop(id, never())), 'outcome-unknown');
      assert.equal(await codeOf(kept.list(never())), 'store-unreachable');
      await relay.refuse();
      assert.equal(await codeOf(kept.putManifest(id, bytes, never())), 'store-unreachable');
    } finally {
      await relay.close();
    }
  });
});

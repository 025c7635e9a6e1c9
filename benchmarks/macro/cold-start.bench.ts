/**
 * A host that begins from a snapshot of 100,000 endpoints: from the store's chunks to a complete state, part by part, and
 * the heap that an endpoint takes. The snapshot lies in memory, so that the store's own speed is not in it.
 *
 *   node --expose-gc dist/benchmarks/macro/cold-start.bench.js [ENDPOINTS]
 */
import { loadavg } from 'node:os';
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { GzipCompression } from '../../adapters/system/compression.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { initialState } from '../../core/fold/predefined.ts';
import { replay } from '../../core/fold/replay.ts';
import type { State } from '../../core/fold/state.ts';
import type { Position } from '../../core/log/event-log.ts';
import type { LogId } from '../../core/model/ids.ts';
import { linesOf } from '../../core/snapshot/blocks.ts';
import { downloadSnapshot } from '../../core/snapshot/download.ts';
import { SnapshotReader } from '../../core/snapshot/read-snapshot.ts';
import { uploadSnapshot } from '../../core/snapshot/upload.ts';
import { snapshotLines } from '../../core/snapshot/write-snapshot.ts';
import { ClusterLines } from '../support/cluster-lines.ts';

const endpoints = Number(process.argv[2] ?? 100_000);
const hosts = 1_000;
const rounds = 5;
const never = new AbortController().signal;
const random = new SystemRandom();
const compression = new GzipCompression();
const ports = { clock: new SystemClock(), random, logger: createLogger({ level: 'error' }) };
const log = new MemoryEventLog({ name: 'cold-start' }, ports);
await log.open(never);
const { snapshots } = log;

await measure();

async function measure(): Promise<void> {
  const manifest = await upload();
  console.log(
    `${endpoints} endpoints, ${manifest.chunks} chunks, ${manifest.bytes} bytes; load ${loadavg()[0]?.toFixed(1)}`,
  );
  for (let round = 0; round < rounds; round += 1) {
    await parts(manifest);
    const start = performance.now();
    const state = await downloadSnapshot(manifest, { snapshots, compression }, never);
    print('from the chunks to the state', performance.now() - start);
    if (state.stateHash !== manifest.stateHash) throw new Error('another state');
  }
  await heap(manifest);
}

/** The snapshot of a state that was folded record by record, and is let go of. */
async function upload() {
  const source = {
    state: folded(),
    position: 'p' as Position,
    logId: random.hex(16) as LogId,
    host: 'h',
    at: 0,
  };
  const persist = (write: () => Promise<void>): Promise<void> => write();
  return await uploadSnapshot(source, { snapshots, compression, random, persist }, never);
}

function folded(): State {
  const lines = new ClusterLines(hosts);
  const joins = lines.joins();
  const { line, id } = lines.network('crowd');
  let { state } = replay(initialState(), [...joins, line]);
  for (let count = 0; count < endpoints; count += 1) {
    const applied = replay(state, [lines.endpoint(id)]);
    if (applied.outcomes[0]?.accepted !== true) throw new Error('the cluster is not as meant');
    state = applied.state;
  }
  return state;
}

type Made = Awaited<ReturnType<typeof upload>>;

/** What each step of it takes by itself. */
async function parts(manifest: Made): Promise<void> {
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < manifest.chunks; index += 1) {
    const chunk = await snapshots.getChunk(manifest.id, index, never);
    if (chunk !== undefined) chunks.push(chunk);
  }
  let start = performance.now();
  const blocks: string[] = [];
  for (const chunk of chunks) blocks.push(await compression.expand(chunk, 2 ** 20));
  print('  unpacking', performance.now() - start);
  start = performance.now();
  const lines = blocks.flatMap((block) => [...linesOf(block)]);
  print('  cutting into lines', performance.now() - start);
  start = performance.now();
  for (const line of lines) JSON.parse(line);
  print('  parsing JSON', performance.now() - start);
  start = performance.now();
  const reader = new SnapshotReader();
  for (const line of lines) reader.take(line);
  print('  parsing, checking and building', performance.now() - start);
  start = performance.now();
  const state = reader.finish();
  print('  pools and hash', performance.now() - start);
  start = performance.now();
  let count = 0;
  for (const line of snapshotLines(state)) count += line.length;
  print(`  (writing the same ${count} characters)`, performance.now() - start);
}

async function heap(manifest: Made): Promise<void> {
  if (globalThis.gc === undefined) {
    console.log('heap: not measured without --expose-gc');
    return;
  }
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  const state = await downloadSnapshot(manifest, { snapshots, compression }, never);
  globalThis.gc();
  const bytes = process.memoryUsage().heapUsed - before;
  console.log(`heap: ${Math.round(bytes / state.endpoints.size)} bytes an endpoint`);
}

function print(what: string, ms: number): void {
  console.log(`${what}: ${ms.toFixed(0)} ms`);
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { bytesOf, chunksOf } from '../../test/support/bundles.ts';
import { runs } from '../../test/support/property-settings.ts';
import { isWeftError, type WeftError } from '../errors.ts';
import type { LogEntry, Position } from '../log/event-log.ts';
import type { LogId, SnapshotId } from '../model/ids.ts';
import { entryBytes, entryText } from './entry-text.ts';
import type { BundleLine } from './lines.ts';
import { readBundle } from './read.ts';

const hash = 'a'.repeat(64);
const header: BundleLine = {
  type: 'bundle',
  format: 1,
  weft: '0.1.0',
  recordVersion: 1,
  madeAt: '2015-11-23T12:00:00Z',
  host: 'h1',
  store: 'file:/var/lib/weft/log',
  logId: 'b'.repeat(32),
  position: '2:x',
  ordinal: 2,
  recordHash: hash,
  stateHash: hash,
};
const lines: readonly BundleLine[] = [
  header,
  { type: 'daemon', status: { phase: 'running' }, configuration: { host: 'h1' }, system: {} },
  { type: 'checkpoint', ordinal: 1, recordHash: hash, stateHash: hash },
  { type: 'kernel', steady: true },
  { type: 'object', object: { kind: 'netns', ns: 'net:weft-1' as never } },
  { type: 'log-line', text: '{"message":"tänk\n"}' },
  {
    type: 'snapshot',
    manifest: {
      v: 1,
      id: 'e'.repeat(32) as SnapshotId,
      logId: 'b'.repeat(32) as LogId,
      position: '0:x' as Position,
      ordinal: 1,
      recordHash: hash,
      stateHash: hash,
      chunks: 1,
      bytes: 12,
      digest: hash,
      compression: 'gzip',
      host: 'h2',
      at: 1_448_280_000_000,
    },
  },
  { type: 'snapshot-line', text: '{"kind":"end","lines":0}' },
  { type: 'entry', position: '1:x', id: 'c'.repeat(32), text: '{"v":1}\n{"v":1}' },
  { type: 'entry', position: '2:x', id: 'd'.repeat(32), base64: '/wA=' },
];

async function read(bytes: Uint8Array, size?: number): Promise<BundleLine[]> {
  const found: BundleLine[] = [];
  for await (const line of readBundle(chunksOf(bytes, size)())) found.push(line);
  return found;
}

async function refusal(bytes: Uint8Array): Promise<WeftError> {
  try {
    await read(bytes);
  } catch (error) {
    assert.ok(isWeftError(error), String(error));
    assert.match(error.message, /^[^\n]+$/);
    return error;
  }
  return assert.fail('it was read');
}

describe('A bundle', () => {
  it('comes back as it was written, however its bytes are cut', async () => {
    const bytes = await bytesOf(lines);
    for (const size of [1, 7, 100, bytes.length]) assert.deepEqual(await read(bytes, size), lines);
  });

  it('is lines that a person can read, the last with the counts and the digest', async () => {
    const texts = (await bytesOf(lines)).toString('utf8').trimEnd().split('\n');
    assert.equal(texts.length, lines.length + 1);
    const end = JSON.parse(texts.at(-1) ?? '') as Record<string, unknown>;
    assert.deepEqual([end['type'], end['lines'], end['entries']], ['end', lines.length, 2]);
    assert.match(String(end['sha256']), /^[0-9a-f]{64}$/);
  });

  it('that was cut short is told, wherever it was cut', async () => {
    const bytes = await bytesOf(lines);
    for (let length = 0; length < bytes.length; length += 1) {
      const { code } = await refusal(bytes.subarray(0, length));
      assert.equal(code, 'bad-bundle', `${length} of ${bytes.length} bytes`);
    }
    const { message } = await refusal(bytes.subarray(0, bytes.lastIndexOf(0x0a, -2) + 1));
    assert.match(message, /ends after 10 lines without its end: it was cut short/);
  });

  it('of which any byte was altered is not read', async () => {
    const bytes = await bytesOf(lines);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const altered = Uint8Array.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ flip;
        const { code } = await refusal(altered);
        assert.ok(code === 'bad-bundle' || code === 'newer-bundle', code);
      }),
      { numRuns: runs(300) },
    );
  });

  it('says that its digest differs where nothing else shows', async () => {
    const text = (await bytesOf(lines)).toString('utf8').replace('weft/log', 'weft/lag');
    assert.match((await refusal(Buffer.from(text))).message, /its digest differs: it was altered/);
  });

  it('of a newer weft says so, whatever else is in its header', async () => {
    const newer = '{"type":"bundle","format":2,"weft":"9.9.9","new":true}\n{"type":"new"}\n';
    const { code, message } = await refusal(Buffer.from(newer));
    assert.equal(code, 'newer-bundle');
    assert.match(message, /format 2, made by weft 9\.9\.9; this weft reads up to 1: use a newer weft/);
  });

  it('with a line lost, added or repeated is not read', async () => {
    const [first = '', ...rest] = (await bytesOf(lines)).toString('utf8').trimEnd().split('\n');
    for (const [what, texts] of [
      ['lost', [first, ...rest.slice(1)]],
      ['repeated', [first, rest[0], ...rest]],
      ['behind the end', [first, ...rest, rest[0]]],
      ['a second header', [first, first, ...rest]],
      ['unknown', [first, '{"type":"odd"}', ...rest]],
      ['no object', [first, '7', ...rest]],
      ['no header', rest],
    ] as const) {
      const { code } = await refusal(Buffer.from(`${texts.join('\n')}\n`));
      assert.equal(code, 'bad-bundle', what);
    }
  });

  it('takes no bytes for one that are something else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        assert.equal((await refusal(bytes)).code, 'bad-bundle');
      }),
    );
  });

  it('does not take more memory than a line may have', async () => {
    async function* endless(): AsyncGenerator<Uint8Array, void, void> {
      for (;;) yield new Uint8Array(1_000_000).fill(0x20);
    }
    const reading = readBundle(endless()).next();
    await assert.rejects(
      reading,
      (error) => isWeftError(error, 'bad-bundle') && /more than/.test(error.message),
    );
  });

  it('has the bytes of entries as they are, and shows those that are text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string({ unit: 'binary' }).map((t) => Buffer.from(t)),
        ),
        (bytes) => {
          const text = entryText({ position: '1', id: 'x', bytes } as unknown as LogEntry);
          const back = entryBytes(JSON.parse(JSON.stringify(text)) as typeof text);
          assert.deepEqual(Buffer.from(back ?? []), Buffer.from(bytes));
        },
      ),
    );
    assert.equal(entryBytes({ base64: '?' }), undefined);
  });
});

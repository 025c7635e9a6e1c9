import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { chunksOf } from '../../test/support/bundles.ts';
import { FakeControl } from '../../test/support/fake-control.ts';
import { type ErrorCode, isWeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import type { LogId } from '../model/ids.ts';
import { snapshotLines } from '../snapshot/write-snapshot.ts';
import { type ExportLine, readExport } from './export.ts';
import { readBundle } from './read.ts';
import { bundleBytes } from './write.ts';

const state = await populated();

async function populated(): Promise<State> {
  const control = new FakeControl();
  const context = { by: 'uid:0', signal: new AbortController().signal };
  const request = { name: 'red', driver: 'overlay', subnets: [], ipv6: false, internal: false };
  await control.createNetwork(
    { ...request, space: 'default', options: {}, labels: { tier: 'ä\n' } },
    context,
  );
  await control.connect('red', { sandbox: 'c1', name: 'web', aliases: [] }, context);
  return control.state;
}

async function* linesOf(changes: object = {}): AsyncGenerator<ExportLine> {
  const { ordinal, recordHash, stateHash } = state;
  const header: ExportLine = {
    type: 'export',
    format: 1,
    weft: '0.1.0',
    recordVersion: 1,
    madeAt: '2015-11-23T12:00:00Z',
    host: 'h1',
    store: 'file:/var/lib/weft/log',
    logId: 'b'.repeat(32) as LogId,
    position: '2:x',
    ordinal,
    recordHash,
    stateHash,
  };
  yield { ...header, ...changes };
  for (const text of snapshotLines(state)) yield { type: 'state-line', text };
}

async function bytes(changes: object = {}): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bundleBytes(linesOf(changes), 'export')) parts.push(part);
  return Buffer.concat(parts);
}

async function refused(file: Uint8Array, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(readExport(chunksOf(file)()), (error) => {
    assert.ok(isWeftError(error, code), String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes('\n'));
    return true;
  });
}

describe('an export', () => {
  it('gives back the state, however its bytes are cut', async () => {
    const file = await bytes();
    for (const size of [1, 100, 1_000_000]) {
      const { header, state: read } = await readExport(chunksOf(file, size)());
      assert.equal(read.stateHash, state.stateHash);
      assert.equal(read.endpoints.size, 1);
      assert.equal(header.logId, 'b'.repeat(32));
    }
  });

  it('that is cut short anywhere is refused', async () => {
    const file = await bytes();
    for (let end = 0; end < file.length; end += 97)
      await refused(file.subarray(0, end), 'bad-export', /^Cannot read the export: /);
  });

  it('that was altered is refused', async () => {
    const text = (await bytes()).toString();
    await refused(Buffer.from(text.replace('c1', 'c2')), 'bad-export', /state|digest/);
    await refused(Buffer.from(text.replace('"host":"h1"', '"host":"h2"')), 'bad-export', /digest/);
    await refused(await bytes({ stateHash: 'f'.repeat(64) }), 'bad-export', /hashes differ/);
    await refused(await bytes({ more: 1 }), 'bad-export', /line 1 does not have its shape/);
    await refused(Buffer.concat([await bytes(), await bytes()]), 'bad-export', /after its end/);
  });

  it('of a newer weft is refused, as is any other file', async () => {
    await refused(
      await bytes({ format: 2, weft: '9.9.9' }),
      'newer-export',
      /format 2, made by weft 9.9.9; .* up to 1/,
    );
    await refused(Buffer.from('hello\n'), 'bad-export', /does not begin like one/);
    await refused(
      Buffer.from('{"type":"bundle","format":1}\n'),
      'bad-export',
      /it is a bundle: give it to 'weft replay'/,
    );
    const reading = (async () => {
      for await (const line of readBundle(chunksOf(await bytes())())) assert.fail(line.type);
    })();
    await assert.rejects(reading, /it is an export: give it to 'weft store import'/);
  });
});

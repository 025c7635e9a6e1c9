import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { runs } from '../../test/support/property-settings.ts';
import { anyRecord, mutationOf } from '../../test/support/records.ts';
import { isWeftError } from '../errors.ts';
import { recordBytesMax, recordDepthMax } from '../limits.ts';
import type { DecodedRecord, LogRecord } from './record.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const id = '0123456789abcdef0123456789abcdef';
const removal = {
  v: 1,
  kind: 'host-remove',
  id,
  host: 'h1',
  epoch: 1,
  base: 0,
  at: 5,
  by: 'uid:0',
  body: { name: 'h2' },
} as LogRecord;
const canonical = `{"at":5,"base":0,"body":{"name":"h2"},"by":"uid:0","epoch":1,"host":"h1","id":"${id}","kind":"host-remove","v":1}`;

/** What a line of text is, in one word or with its reason. */
function verdict(text: string): string {
  const decoded: DecodedRecord = decodeRecord(bytesOf(text));
  return decoded.type === 'malformed' ? decoded.reason : decoded.type;
}

describe('the record codec', () => {
  it('writes one line of canonical JSON', () => {
    assert.equal(textOf(encodeRecord(removal)), canonical);
    assert.deepEqual(decodeRecord(bytesOf(canonical)), { type: 'record', record: removal });
  });

  it('P6: gives back every record, whatever order its members had', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encodeRecord(record);
        assert.deepEqual(decodeRecord(bytes), { type: 'record', record });
        const turned = Object.fromEntries(Object.entries(record).reverse()) as LogRecord;
        assert.deepEqual(encodeRecord(turned), bytes);
        assert.ok(!bytes.includes(0x0a));
      }),
    );
  });

  it('P6: writes what an encoder would that shares nothing with it', () => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (typeof value !== 'object' || value === null) return value;
      const names = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(names.map(([name, member]) => [name, sorted(member)]));
    };
    fc.assert(
      fc.property(anyRecord, (record) => {
        assert.equal(Buffer.from(encodeRecord(record)).toString('utf8'), JSON.stringify(sorted(record)));
      }),
    );
  });

  it('P6: reads any bytes without throwing, and only ever one text for one record', () => {
    const spoilt = anyRecord.chain((record) => mutationOf(encodeRecord(record)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), spoilt), (bytes) => {
        const decoded = decodeRecord(bytes);
        if (decoded.type === 'record') assert.deepEqual(encodeRecord(decoded.record), bytes);
      }),
      { numRuns: runs(500) },
    );
  });

  it('refuses to write a record over its bound or without its shape', () => {
    const label: [string, string] = ['\u0000'.repeat(128), '\u0000'.repeat(1024)];
    const network = {
      name: 'n',
      driver: 'overlay',
      subnets: [],
      ipv6: false,
      internal: false,
      space: 's',
      options: [],
      labels: Array.from({ length: 64 }, () => label),
    };
    assert.throws(
      () => encodeRecord({ ...removal, kind: 'network-create', body: network } as LogRecord),
      (error) => isWeftError(error, 'too-large'),
    );
    assert.throws(
      () => encodeRecord({ ...removal, host: 'h'.repeat(256) }),
      (error) => isWeftError(error, 'malformed'),
    );
    assert.throws(
      () => encodeRecord({ ...removal, by: '\ud800' }),
      (error) => isWeftError(error, 'malformed'),
    );
    assert.doesNotThrow(() => encodeRecord({ ...removal, by: '\\ud800 and \u{1f600}' }));
  });

  it('knows a newer version before it judges anything else', () => {
    assert.deepEqual(decodeRecord(bytesOf('{"v":2}')), { type: 'unknown-version', version: 2 });
    assert.deepEqual(decodeRecord(bytesOf('{ "new": [null, 1.5], "v": 7 }')), {
      type: 'unknown-version',
      version: 7,
    });
  });

  for (const [what, text, reason] of [
    ['nothing', '', 'it is no JSON object'],
    ['no JSON', 'put docker/network', 'it is no JSON object'],
    ['a list', '[1]', 'it is no JSON object'],
    ['null', 'null', 'it is no JSON object'],
    ['a version that is text', canonical.replace('"v":1', '"v":"2"'), 'its member v does not have its shape'],
    [
      'a version below the first',
      canonical.replace('"v":1', '"v":0'),
      'its member v does not have its shape',
    ],
    [
      'a fraction of a version',
      canonical.replace('"v":1', '"v":1.5'),
      'its member v does not have its shape',
    ],
    ['an infinite version', canonical.replace('"v":1', '"v":1e400'), 'its member v does not have its shape'],
    [
      'an unknown kind',
      canonical.replace('host-remove', 'host-rename'),
      'its member kind does not have its shape',
    ],
    ['a member too many', canonical.replace('"v":1', '"v":1,"w":1'), 'the record does not have its shape'],
    [
      'a member too many in its body',
      canonical.replace('"h2"', '"h2","x":0'),
      'its member body does not have its shape',
    ],
    ['a member too few', canonical.replace('"by":"uid:0",', ''), 'its member by does not have its shape'],
    [
      'a number that loses digits',
      canonical.replace('"at":5', '"at":9007199254740993'),
      'its member at does not have its shape',
    ],
    ['a member twice', canonical.replace('"epoch":1', '"epoch":2,"epoch":1'), 'it is not in canonical form'],
    [
      'members out of order',
      canonical.replace('"at":5,"base":0', '"base":0,"at":5'),
      'it is not in canonical form',
    ],
    ['blanks', canonical.replace(',', ', '), 'it is not in canonical form'],
    ['an escape for a plain character', canonical.replace('h2', '\\u00682'), 'it is not in canonical form'],
    ['half a character', canonical.replace('h2', '\\ud83d'), 'it holds half a character'],
    ['a newline', canonical.replace(',', ',\n'), 'it is more than one line'],
    [
      'a prototype for a member',
      canonical.replace('"v":1', '"v":1,"__proto__":{}'),
      'the record does not have its shape',
    ],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(verdict(text), reason));
  }

  it('refuses bytes that are not UTF-8', () => {
    const bytes = bytesOf(canonical);
    bytes[bytes.length - 20] = 0xff;
    assert.deepEqual(decodeRecord(bytes), { type: 'malformed', reason: 'it is not UTF-8' });
  });

  it('says whose id a malformed record carries, if that much can be read', () => {
    assert.deepEqual(decodeRecord(bytesOf(`{"id":"${id}","v":1}`)), {
      type: 'malformed',
      reason: 'its member kind does not have its shape',
      id,
    });
  });

  it('bounds length and depth before it parses', () => {
    const deep = (depth: number) => `{"v":2,"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    assert.equal(verdict(deep(recordDepthMax - 1)), 'unknown-version');
    assert.equal(verdict(deep(recordDepthMax)), `it is nested more than ${recordDepthMax} deep`);
    assert.equal(verdict('['.repeat(recordBytesMax)), `it is nested more than ${recordDepthMax} deep`);
    assert.equal(verdict(`{"v":2,"x":"${'[{\\"'.repeat(100)}"}`), 'unknown-version');
    assert.equal(verdict(`{"v":2}${' '.repeat(recordBytesMax)}`), `it has more than ${recordBytesMax} bytes`);
  });
});

/** What the store in memory keeps is its own. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EntryId } from '../../core/model/ids.ts';
import { MemoryStore } from './store.ts';

describe('the store in memory', () => {
  // `slice` of a Buffer, which is an Uint8Array as well, is no copy.
  for (const [what, bytesOf] of [
    ['Uint8Array', (text: string): Uint8Array => new TextEncoder().encode(text)],
    ['Buffer', (text: string): Uint8Array => Buffer.from(text)],
  ] as const) {
    it(`keeps the bytes of an entry, whatever becomes of the caller's ${what}`, () => {
      const store = new MemoryStore();
      const bytes = bytesOf('entry');
      const sequence = store.put({ id: '1'.repeat(32) as EntryId, base: 0, bytes });
      bytes[0] = 0;
      assert.equal(Buffer.from(store.at(sequence).bytes).toString(), 'entry');
    });
  }
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { FrameCutter } from './frames.ts';
import { answerBytesMax } from './limits.ts';

const frameOf = (content: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return Buffer.concat([length, content]);
};

describe('answers of ZooKeeper', () => {
  it('come whole, in order, each once, wherever the bytes are cut', () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(contents, sizes, (sent, pieces) => {
        const frames = sent.map(frameOf);
        const bytes = Buffer.concat(frames);
        const cutter = new FrameCutter();
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = pieces[turn % pieces.length] ?? 1;
          got.push(...cutter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(got, frames);
      }),
    );
  });

  it('have a length that is one', () => {
    for (const length of [-1, answerBytesMax + 1]) {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(length);
      assert.throws(() => new FrameCutter().push(bytes), /cannot have/);
    }
  });
});

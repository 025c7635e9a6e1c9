/** Cuts what a server sends into whole answers: each is its length in four bytes, then so many bytes. */
import { answerBytesMax } from './limits.ts';

const lengthBytes = 4;

export class FrameCutter {
  #parts: Buffer[] = [];
  #bytes = 0;

  /**
   * The answers that are whole with these bytes, each with its length before it.
   *
   * @throws Error when a length is none that an answer can have
   */
  push(bytes: Buffer): Buffer[] {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    // Large answers come in many pieces: they are put together once.
    if (this.#bytes < lengthBytes || this.#bytes < this.#frameBytes()) return [];
    let rest = Buffer.concat(this.#parts);
    const frames: Buffer[] = [];
    while (rest.length >= lengthBytes && rest.length >= frameBytesOf(rest)) {
      frames.push(rest.subarray(0, frameBytesOf(rest)));
      rest = rest.subarray(frameBytesOf(rest));
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return frames;
  }

  #frameBytes(): number {
    const [first] = this.#parts;
    if (first !== undefined && first.length >= lengthBytes) return frameBytesOf(first);
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return frameBytesOf(joined);
  }
}

function frameBytesOf(bytes: Buffer): number {
  const length = bytes.readInt32BE(0);
  if (length < 0 || length > answerBytesMax) throw new Error(`an answer cannot have ${length} bytes`);
  return lengthBytes + length;
}

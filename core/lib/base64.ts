/** Base64 of RFC 4648 §4, with padding: bytes inside of JSON. Written out because core sees no platform library. */

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const values: ReadonlyMap<string, number> = new Map([...digits].map((digit, value) => [digit, value]));

export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const four = [18, 12, 6, 0].map((shift) => digits.charAt((word >> shift) & 63)).join('');
    text += four.slice(0, left + 1).padEnd(4, '=');
  }
  return text;
}

/** Undefined for anything but the one text that `encodeBase64` gives: no blanks, no missing padding, no spare bits. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const body = text.replace(/={1,2}$/, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*$/.test(body)) return undefined;
  const bytes = new Uint8Array(Math.floor((body.length * 3) / 4));
  let [word, bits, at] = [0, 0, 0];
  for (const digit of body) {
    word = ((word << 6) | (values.get(digit) ?? 0)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (word >> bits) & 0xff;
  }
  return encodeBase64(bytes) === text ? bytes : undefined;
}

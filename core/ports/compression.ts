/** PORT: packs text, which is UTF-8, in fewer bytes, and gives it back. Real in `adapters/system` (zlib), plain in the simulator. */
export interface Compression {
  /** What a reader needs to know to undo it, in the manifests of snapshots: `gzip`. */
  readonly name: string;
  /** @param text its bytes */
  compress(text: Uint8Array): Promise<Uint8Array>;
  /**
   * The text: the platform reads UTF-8 many times faster than the core could.
   *
   * @param bytesMax what may come out at most: a few bytes can be made to expand to any length
   * @throws WeftError `bad-snapshot` where the bytes are none that `compress` made, too many, or no UTF-8
   */
  expand(bytes: Uint8Array, bytesMax: number): Promise<string>;
}

/** PORT: makes bytes fewer. Real in `adapters/system` (zlib), plain in the simulator. */
export interface Compression {
  /** What a reader needs to know to undo it, in the manifests of snapshots: `gzip`. */
  readonly name: string;
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * @param bytesMax what may come out at most: a few bytes can be made to expand to any length
   * @throws WeftError `bad-snapshot` where the bytes are none that `compress` made, or too many
   */
  expand(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array>;
}

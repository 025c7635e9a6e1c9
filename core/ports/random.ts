/** The one door to randomness. Real in `adapters/system`, seeded in the simulator. */
export interface Random {
  /** `bytes` random bytes as lower-case hexadecimal; unpredictable where the implementation is the real one. */
  hex(bytes: number): string;
  /** A number in [0, 1), for jitter. */
  unit(): number;
}

/** The kernel's randomness. Ids drawn from it are unpredictable, jitter merely happens to be. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../../core/ports/random.ts';

const unitBits = 48;

export class SystemRandom implements Random {
  hex(bytes: number): string {
    return randomBytes(bytes).toString('hex');
  }

  unit(): number {
    return randomBytes(unitBits / 8).readUIntBE(0, unitBits / 8) / 2 ** unitBits;
  }
}

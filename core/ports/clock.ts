/**
 * The one door to time. Real in `adapters/system`, virtual in the simulator; nothing else in core knows what time it is.
 */
import type { CancelSignal } from './cancel.ts';

export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. For display and provenance only; it may jump. */
  wallMs(): number;
  /** Monotonic milliseconds from an arbitrary start; for deadlines and intervals. Never goes back. */
  monotonicMs(): number;
  /**
   * Resolves after `ms` milliseconds, or earlier when `signal` aborts (it resolves then too; the caller looks at the
   * signal). Order among sleeps that end at one instant is the order in which they began.
   */
  sleep(ms: number, signal?: CancelSignal): Promise<void>;
}

/** The daemon's last log lines, kept for bundles: a bug report without them begins with the question for them. */
import { recentLineLengthMax, recentLinesMax } from './defaults.ts';

export class RecentLines {
  #lines: string[] = [];

  /** Bounded: the oldest go first, in halves, and a long line loses its end. */
  push(line: string): void {
    this.#lines.push(line.slice(0, recentLineLengthMax));
    if (this.#lines.length >= 2 * recentLinesMax) this.#lines = this.#lines.slice(-recentLinesMax);
  }

  /** Oldest first. */
  list(): readonly string[] {
    return this.#lines.slice(-recentLinesMax);
  }
}

/** An archive in memory, which survives its host's daemons when it is given to the next one. Writes fail while told to. */
import { WeftError } from '../../core/errors.ts';
import type { LogId } from '../../core/model/ids.ts';
import type {
  Archive,
  ArchiveAccount,
  ArchiveLine,
  ArchiveSpan,
  ArchiveTurn,
} from '../../core/ports/archive.ts';

export class MemoryArchive implements Archive {
  #lines = new Map<number, ArchiveLine>();
  #logId: LogId | undefined;
  /** Why nothing can be written. */
  fault: string | undefined;

  get logId(): LogId | undefined {
    return this.#logId;
  }

  /** Ascending. */
  get lines(): readonly ArchiveLine[] {
    return [...this.#lines.values()].sort((a, b) => a.ordinal - b.ordinal);
  }

  get account(): ArchiveAccount {
    const spans: ArchiveSpan[] = [];
    for (const { ordinal } of this.lines) {
      const before = spans.at(-1);
      if (before?.last === ordinal - 1) spans[spans.length - 1] = { first: before.first, last: ordinal };
      else spans.push({ first: ordinal, last: ordinal });
    }
    return { spans, bytes: 0, damage: [] };
  }

  async open(): Promise<void> {
    this.#require();
  }

  async write(lines: readonly ArchiveLine[], turn?: ArchiveTurn): Promise<void> {
    this.#require();
    const first = lines[0]?.ordinal ?? 0;
    if (turn === undefined && this.#logId === undefined) throw new Error('the first lines are of no log');
    if (turn !== undefined) {
      const kept = this.lines.filter(({ ordinal }) => turn.kind === 'branch' && ordinal < first);
      this.#lines = new Map(kept.map((line) => [line.ordinal, line]));
      this.#logId = turn.logId;
    }
    lines.forEach((line, index) => {
      if (line.ordinal !== first + index) throw new Error(`line ${line.ordinal} does not follow`);
      if (this.#lines.has(line.ordinal)) throw new Error(`line ${line.ordinal} is there already`);
      this.#lines.set(line.ordinal, line);
    });
  }

  async read({
    after,
    limit,
  }: {
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly ArchiveLine[]> {
    return this.lines.filter(({ ordinal }) => ordinal > after).slice(0, limit);
  }

  async close(): Promise<void> {
    // What it has stays for the next daemon.
  }

  #require(): void {
    if (this.fault !== undefined) throw new WeftError('archive-failed', this.fault);
  }
}

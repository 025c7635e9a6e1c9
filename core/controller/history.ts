/** The last records with their outcomes, for `weft log`. Bounded: the oldest go first, and are in the archive then. */
import type { HistoryItem, HistoryQuery } from './control.ts';
import { historyItemsMax } from './defaults.ts';

/** What the archive has above an ordinal, ascending. */
export type ReadArchive = (query: {
  readonly after: number;
  readonly limit: number;
}) => Promise<readonly HistoryItem[]>;

export class History {
  /** A ring: `#next` is where the next item goes, and where the oldest is once the ring is full. */
  readonly #items: HistoryItem[] = [];
  #next = 0;

  push(item: HistoryItem): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % historyItemsMax;
  }

  /** Oldest first. What was forgotten here, or never came by, comes from the archive. @param end where the fold stands */
  async select(query: HistoryQuery, end: number, archived: ReadArchive): Promise<readonly HistoryItem[]> {
    const { after = 0, limit, from = 'newest' } = query;
    if (limit <= 0) return [];
    const ordered = [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)];
    const known = ordered.filter((item) => ordinalOf(item) > after);
    const wanted = (items: readonly HistoryItem[]) =>
      from === 'oldest' ? items.slice(0, limit) : items.slice(-limit);
    const start = from === 'oldest' ? after : Math.max(after, end - limit);
    const own = wanted(known);
    // Ordinals are dense: that many, from the first that is wanted, are all.
    if (own.length === Math.min(limit, end - after) && isDense(own, start + 1)) return own;
    const byOrdinal = new Map<number, HistoryItem>();
    // Beyond the end it may have another history, which the log has left.
    const older = (await archived({ after: start, limit })).filter((item) => ordinalOf(item) <= end);
    for (const item of [...older, ...known]) byOrdinal.set(ordinalOf(item), item);
    return wanted([...byOrdinal.values()].sort((a, b) => ordinalOf(a) - ordinalOf(b)));
  }
}

function isDense(items: readonly HistoryItem[], first: number): boolean {
  return items.every((item, index) => ordinalOf(item) === first + index);
}

function ordinalOf({ outcome }: HistoryItem): number {
  return outcome.ordinal;
}

/** The last records with their outcomes, for `weft log`. Bounded: the oldest go first. */
import type { HistoryItem } from './control.ts';
import { historyItemsMax } from './defaults.ts';

export class History {
  /** A ring: `#next` is where the next item goes, and where the oldest is once the ring is full. */
  readonly #items: HistoryItem[] = [];
  #next = 0;

  push(item: HistoryItem): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % historyItemsMax;
  }

  /** Oldest first: of those above `after`, the newest `limit`. */
  select(query: { readonly after?: number; readonly limit: number }): readonly HistoryItem[] {
    const ordered = [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)];
    const wanted = ordered.filter((item) => item.outcome.ordinal > (query.after ?? 0));
    return query.limit > 0 ? wanted.slice(-query.limit) : [];
  }
}

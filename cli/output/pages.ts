/** Items that come in pages, printed in the format asked for without holding them all. */
import type { Context } from '../context.ts';
import { TableWriter } from './table.ts';

export class PagePrinter<T> {
  readonly #context: Context;
  readonly #table: TableWriter;
  readonly #rowOf: (item: T) => readonly string[];
  #count = 0;

  constructor(context: Context, head: readonly string[], rowOf: (item: T) => readonly string[]) {
    this.#context = context;
    this.#table = new TableWriter(head);
    this.#rowOf = rowOf;
  }

  /** Resolves when the terminal, or whatever reads, takes more. */
  async add(items: readonly T[]): Promise<void> {
    if (items.length === 0) return;
    const { streams } = this.#context;
    streams.out(await this.#textOf(items));
    this.#count += items.length;
    await streams.drained();
  }

  /** What is to be there also when there was nothing, or behind it. */
  async end(): Promise<void> {
    const { options, streams } = this.#context;
    if (options.format === 'json') streams.out(this.#count === 0 ? '[]\n' : '\n]\n');
    else if (this.#count === 0) streams.out(await this.#textOf([]));
  }

  async #textOf(items: readonly T[]): Promise<string> {
    switch (this.#context.options.format) {
      case 'json':
        // The members of a list, as they stand in a longer one.
        return (this.#count === 0 ? '[' : ',') + JSON.stringify(items, null, 4).slice(1, -2);
      case 'yaml': {
        const { stringify } = await import('yaml');
        return stringify(items, { aliasDuplicateObjects: false, lineWidth: 0 });
      }
      default:
        return this.#table.page(items.map(this.#rowOf));
    }
  }
}

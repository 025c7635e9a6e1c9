/** Tables for people: columns of equal width, three blanks apart, and nothing that a terminal would obey. */

const gap = '   ';

export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return new TableWriter(head).page(rows);
}

/** A table that comes in pages: one head, and columns that do not get narrower. */
export class TableWriter {
  readonly #head: readonly string[];
  #widths: readonly number[] = [];
  #hasHead = false;

  constructor(head: readonly string[]) {
    this.#head = head;
  }

  /** The text of the next rows; of the first ones, also where there are none, with the head above them. */
  page(rows: readonly (readonly string[])[]): string {
    const lines = [...(this.#hasHead ? [] : [this.#head]), ...rows].map((row) => row.map(printable));
    this.#hasHead = true;
    this.#widths = this.#head.map((_cell, column) =>
      Math.max(this.#widths[column] ?? 0, ...lines.map((line) => line[column]?.length ?? 0)),
    );
    return lines.map((line) => `${padded(line, this.#widths)}\n`).join('');
  }
}

function padded(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(gap)
    .trimEnd();
}

/** Texts of others reach the terminal here: control characters are shown as escapes, not sent. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** What a life met: counts by name, which runs of many seeds add up. Names are `kind:what`, or `kind:what:phase`. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  addAll(other: Iterable<readonly [string, number]>): void {
    for (const [name, count] of other) this.add(name, count);
  }
}

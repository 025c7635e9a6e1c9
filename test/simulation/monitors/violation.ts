/** A broken invariant: its number, and what was seen. Ends the life of its seed. */
export class Violation extends Error {
  override readonly name = 'Violation';
  /** As listed in the README beside. */
  readonly invariant: string;

  constructor(invariant: string, seen: string) {
    super(`${invariant}: ${seen}`);
    this.invariant = invariant;
  }
}

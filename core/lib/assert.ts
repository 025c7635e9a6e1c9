/**
 * Broken invariants stop the work: they are defects of weft, never conditions of its surroundings.
 *
 * @throws Error with the message when the condition does not hold. Assertions stay on in production.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}`);
}

/** Marks the end of an exhaustive switch; the type error appears where a new variant was forgotten. */
export function unreachable(value: never): never {
  throw new Error(`Broken invariant: unexpected ${JSON.stringify(value)}`);
}

/**
 * Structural equality of plain data: primitives, arrays, and objects by their own enumerable members. A member that is
 * absent differs from one that is there, as `exactOptionalPropertyTypes` has it. Depth is that of the data; no cycles.
 */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (Array.isArray(b)) return false;
  const left = Object.entries(a);
  if (left.length !== Object.keys(b).length) return false;
  const right = b as Readonly<Record<string, unknown>>;
  return left.every(([name, value]) => Object.hasOwn(right, name) && same(value, right[name]));
}

/** Ids as tables show them: the first twelve digits, as Docker does. */
const shortIdLength = 12;

export function shortId(id: string): string {
  return id.slice(0, shortIdLength);
}

/** Mistakes on the command line: exit status 2. */

/** Thrown by verbs for what commander cannot see. The message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** `key=value` and, as with Docker, `key` alone for an empty value. @throws UsageError */
export function parsePairs(option: string, texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text): [string, string] => {
    const at = text.indexOf('=');
    return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  });
  const keys = new Set<string>();
  for (const [key] of pairs) {
    if (key === '') throw new UsageError(`${option} needs a key: write ${option} key=value`);
    if (keys.has(key)) throw new UsageError(`${option} ${JSON.stringify(key)} is given twice: give it once`);
    keys.add(key);
  }
  return Object.fromEntries(pairs);
}

/** The text of a whole number that an option was given. @throws UsageError */
export function numeral(option: string, text: string): string {
  if (/^(0|[1-9][0-9]{0,14})$/.test(text)) return text;
  throw new UsageError(`${option} ${JSON.stringify(text)} is no whole number: give one, e.g. ${option} 10`);
}

/** The whole number, with or without a sign, that an option was given. @throws UsageError */
export function integer(option: string, text: string): number {
  if (/^-?(0|[1-9][0-9]{0,9})$/.test(text)) return Number(text);
  throw new UsageError(`${option} ${JSON.stringify(text)} is no whole number: give one, e.g. ${option} 10`);
}

/** Moments as people write them: ECMA-262's date-time form, or how long ago. */

const spanUnits: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds since 1970 UTC. @param now the same, for how long ago @returns undefined where the text is neither */
export function momentOf(text: string, now: number): number | undefined {
  const [, count, unit] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? Date.parse(text) : now - Number(count) * (spanUnits[unit] ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}

/** What to write instead. @param before what stands before the moment */
export function momentAdvice(before: string): string {
  return `give a moment, e.g. ${before}2026-01-31T12:00Z, or how long ago, e.g. ${before}90m`;
}

/** Moments and spans as people read and write them. */
import { momentAdvice, momentOf } from '../../api/moment.ts';
import { UsageError } from '../usage.ts';

/** The largest moment that a Date holds, milliseconds (ECMA-262, time values). */
const momentMsMax = 8.64e15;

/** RFC 3339 in UTC. A record may say any number; one that is no moment is shown as it is. */
export function formatMoment(ms: number): string {
  return ms <= momentMsMax ? new Date(ms).toISOString() : `${ms} ms`;
}

/** `320 ms`, `4 s`, `12 min`, `5 h`, `3 d`: rounded down, one unit. */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.floor(ms)} ms`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const [name, length] = units.find(([, unitMs]) => ms >= unitMs) ?? units[3];
  return `${Math.floor(ms / length)} ${name}`;
}

/**
 * Milliseconds since 1970 UTC of what an option was given: a moment (ECMA-262's date-time form), or how long ago.
 *
 * @throws UsageError
 */
export function parseMoment(option: string, text: string): number {
  const ms = momentOf(text, Date.now());
  if (ms !== undefined) return ms;
  throw new UsageError(`${option} ${JSON.stringify(text)} is no time: ${momentAdvice(`${option} `)}`);
}

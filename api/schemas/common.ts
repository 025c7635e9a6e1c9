/**
 * Shapes that several resources share.
 *
 * Requests are strict: an unknown member is a mistake that the user should hear of. Answers are read leniently: a
 * newer daemon may add members. What only the fold can judge (a name, a subnet) is any text here.
 */
import { z } from 'zod';
import { labelKeyLengthMax, labelsMax, labelValueLengthMax, optionsMax } from '../../core/limits.ts';
import { filtersMax, refLengthMax } from '../limits.ts';

/** No control characters and no half of a surrogate pair: what cannot be shown cannot be a name or an address. */
const printable = /^[^\p{Cc}\p{Cs}]*$/u;
/** Values may have lines; NUL and broken text end in no file and no terminal as they were. */
const wellFormed = /^[^\0\p{Cs}]*$/u;

/** A name, an address, a prefix: judged by the fold. */
export const text = z.string().max(255).regex(printable, 'has characters that cannot be shown');

/** A reference to an object: name, id, or unambiguous id prefix. */
export const ref = z
  .string()
  .min(1)
  .max(refLengthMax)
  .regex(printable, 'has characters that cannot be shown');

/** A key, and a value that a label may have. */
export const filterText = z
  .string()
  .max(labelKeyLengthMax + labelValueLengthMax + 16)
  .regex(wellFormed, 'has characters that no text may have');

/** Map of texts with at most `max` members. `__proto__` never gets here: the JSON parser refuses it. */
function textMap(max: number) {
  const key = z.string().max(labelKeyLengthMax).regex(wellFormed, 'has characters that no text may have');
  const value = z.string().max(labelValueLengthMax).regex(wellFormed, 'has characters that no text may have');
  return z.record(key, value).refine((map) => Object.keys(map).length <= max, `has more than ${max} members`);
}

export const options = textMap(optionsMax);
export const labels = textMap(labelsMax);
export const texts = z.record(z.string(), z.string());

export const count = z.int().min(0);
export const objectId = z.string().regex(/^[0-9a-f]{64}$/);

/** Which record made or last changed an object. `at` is milliseconds since 1970 UTC by the author's clock. */
export const stamp = z.object({ ordinal: count, host: z.string(), by: z.string(), at: count });

/** A number in a query or a path. */
export const numeral = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,14})$/, 'is not a whole number')
  .transform(Number);

/** `KEY=VALUE` each, as `filter` once or several times in a query. What keys there are is the list's own. */
export const filters = z
  .union([filterText, z.array(filterText).max(filtersMax)])
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .default([]);

/** A list says which ordinal it stands at and whether the daemon could reach its store when it was asked. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ ordinal: count, storeReachable: z.boolean(), items: z.array(item) });
}

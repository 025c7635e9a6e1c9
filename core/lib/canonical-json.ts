/**
 * The one JSON text of a value: members in the order of their names by code units, no blanks, strings and integers as
 * JSON.stringify writes them (ECMA-262 defines both to the character). Two values with the same members give the same
 * text however they were built.
 */

/** Plain data as records are made of: no floats, no null, absent members left out. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | readonly CanonicalValue[]
  | { readonly [member: string]: CanonicalValue | undefined };

export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let text = '{';
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    if (member === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isList(value: CanonicalValue): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

/**
 * Whether a text is the canonical one of the value that it parses to. JSON.parse keeps one of two members of a name and
 * JSON.stringify writes no blanks and one form of each string and number, so a text that survives both unchanged hides
 * nothing; what is left to see is the order of the members, which both keep.
 */
export function isCanonicalJson(text: string, parsed: CanonicalValue): boolean {
  return JSON.stringify(parsed) === text && hasSortedMembers(parsed);
}

function hasSortedMembers(value: CanonicalValue): boolean {
  if (typeof value !== 'object') return true;
  if (isList(value)) return value.every(hasSortedMembers);
  let previous: string | undefined;
  for (const name of Object.keys(value)) {
    if (previous !== undefined && previous > name) return false;
    const member = value[name];
    if (member !== undefined && !hasSortedMembers(member)) return false;
    previous = name;
  }
  return true;
}

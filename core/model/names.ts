/**
 * Names that users give. They reach hosts files, DNS and terminals, so they are one DNS label in Docker's alphabet:
 * letters, digits, `_`, `.` and `-`, beginning with a letter or digit. Compared without case where DNS does.
 */
import { interfaceNameLengthMax, nameLengthMax } from '../limits.ts';

export function isName(text: string): boolean {
  return text.length <= nameLengthMax && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text);
}

/** The form under which two names are one: DNS and hosts files know no case. ASCII only, so no locale is involved. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/**
 * Interface names that are safe everywhere: the kernel also takes blanks, quotes and `%d` templates, which tools and
 * scripts do not.
 */
export function isInterfaceName(text: string): boolean {
  return text.length <= interfaceNameLengthMax && /^[A-Za-z][A-Za-z0-9_.-]*$/.test(text);
}

/** For the texts of refusals. */
export const nameRule: string = `use 1 to ${nameLengthMax} letters, digits, '_', '.' or '-', beginning with a letter or digit`;

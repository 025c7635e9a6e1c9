/** What values of drivers' options must be. */

/** What an option must be, as the end of "it must be …"; undefined when the value is that. */
export type OptionCheck = (value: string) => string | undefined;

/** Decimal digits without sign, blanks or leading zeros. */
export function wholeNumber(min: number, max: number, what = ''): OptionCheck {
  return (value) => {
    const isFine = /^(0|[1-9][0-9]{0,8})$/.test(value) && Number(value) >= min && Number(value) <= max;
    return isFine ? undefined : `${what}from ${min} to ${max}`;
  };
}

export function oneOf(...words: readonly string[]): OptionCheck {
  return (value) => (words.includes(value) ? undefined : `one of ${words.join(', ')}`);
}

/** The words that Docker takes, which are those of Go's `strconv.ParseBool`. */
const yes: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const no: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export const yesOrNo: OptionCheck = (value) =>
  yes.has(value) || no.has(value) ? undefined : 'true or false';

/** @param value one that `yesOrNo` takes; absent: the option's default */
export function isYes(value: string | undefined, byDefault: boolean): boolean {
  return value === undefined ? byDefault : yes.has(value);
}

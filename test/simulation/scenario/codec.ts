/** How the values of an intervention are written, and what may stand in a text for each of them. */

export interface Codec<T> {
  /** What belongs here, for whoever wrote something else. */
  readonly wants: string;
  readonly isOptional: boolean;
  print(value: T): string;
  /** Undefined where it is not what belongs here. */
  parse(text: string): T | undefined;
}

export const whole: Codec<number> = {
  wants: 'a whole number',
  isOptional: false,
  print: String,
  parse: (text) => (/^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined),
};

/** From 0 to less than one, in thousandths. */
export const part: Codec<number> = {
  wants: 'a number from 0 to 0.999, in thousandths',
  isOptional: false,
  print: String,
  parse: (text) => (/^0(\.\d{0,2}[1-9])?$/.test(text) ? Number(text) : undefined),
};

/** Any text but none. */
export const word: Codec<string> = {
  wants: 'a word, with %20 for a blank',
  isOptional: false,
  print: (value) => value.replace(/[\s%=#]/g, (sign) => encodeURIComponent(sign)),
  parse: (text) => {
    if (text === '' || /[\s=#]/.test(text)) return undefined;
    try {
      return decodeURIComponent(text);
    } catch {
      return undefined;
    }
  },
};

export function oneOf<T extends string>(values: readonly T[]): Codec<T> {
  return {
    wants: `one of ${values.join(', ')}`,
    isOptional: false,
    print: (value) => value,
    parse: (text) => values.find((value) => value === text),
  };
}

/** Any number of them, `-` for none. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    wants: `a list, each ${codec.wants}, or -`,
    isOptional: false,
    print: (values) => (values.length === 0 ? '-' : values.map((value) => codec.print(value)).join(' ')),
    parse: (text) => {
      if (text === '-') return [];
      const values = text.split(/ +/).map((each) => codec.parse(each));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
  };
}

const strength: Codec<readonly [string, number]> = {
  wants: 'name=part',
  isOptional: false,
  print: ([name, value]) => `${name}=${value}`,
  parse: (text) => {
    const [, name, digits = ''] = /^([a-z-]+)=(.*)$/.exec(text) ?? [];
    const value = part.parse(digits);
    return name === undefined || value === undefined ? undefined : [name, value];
  },
};
const strengthList = list(strength);

/** Parts by name. */
export const strengths: Codec<Readonly<Partial<Record<string, number>>>> = {
  ...strengthList,
  print: (values) =>
    strengthList.print(
      Object.entries(values).filter((each): each is [string, number] => each[1] !== undefined),
    ),
  parse: (text) => {
    const found = strengthList.parse(text);
    return found === undefined ? undefined : Object.fromEntries(found);
  },
};

/** May be left out. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    wants: codec.wants,
    isOptional: true,
    print: (value) => (value === undefined ? '' : codec.print(value)),
    parse: (text) => codec.parse(text),
  };
}

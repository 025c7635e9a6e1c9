/**
 * Lines that no source and no document of the house may hold, each with what to write instead. Pure: text in, findings
 * out, so that the rules themselves are tested.
 */
export interface Finding {
  readonly line: number;
  readonly advice: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly advice: string;
}

// The words are put together from parts, so that this file does not hold what it forbids.
const everywhere: readonly Rule[] = [
  {
    pattern: new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`),
    advice: 'finish it, or name it as absent in ARCHITECTURE.md',
  },
  {
    pattern: new RegExp(`(^|[\\s'"\`(])/(${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me'].join('|')})/`),
    advice: 'no path of one machine',
  },
  { pattern: /\b(issue|session)s? #?\d+\b/i, advice: 'say the reason itself, not where it was discussed' },
  { pattern: new RegExp(`\\b${'not im' + 'plemented'}\\b`, 'i'), advice: 'finish it, or leave it out' },
];

const inCode: readonly Rule[] = [
  { pattern: /^\s*@[A-Za-z_]\w*(\(|\s|$)/, advice: 'no decorators: bindings are factories in daemon/' },
  { pattern: /\bas any\b/, advice: 'narrow the type' },
  { pattern: /@ts-(ignore|nocheck)/, advice: 'mend the type' },
  { pattern: /\b(describe|it)\.only\(/, advice: 'every spec runs' },
  { pattern: /\.(exec|execSync)\(\s*[`'"][^`'"]*[ ;|&]/, advice: 'execFile with an array, no shell' },
];

/** What is wrong with a file's text, by line from 1. */
export function findWords(text: string, kind: 'code' | 'prose'): Finding[] {
  const rules = kind === 'code' ? [...everywhere, ...inCode] : everywhere;
  return text
    .split('\n')
    .flatMap((line, index) =>
      rules.filter(({ pattern }) => pattern.test(line)).map(({ advice }) => ({ line: index + 1, advice })),
    );
}

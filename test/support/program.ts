/** Programs of this repository that are started by hand: their command line, and what they end with. */

/** The command line is wrong. The message is one line: what, why, what to do. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

/**
 * Runs a program. The process ends with 0 where `main` gives true, 1 where it gives false, and 2 where the command line is
 * wrong, which one line on standard error says.
 */
export async function runProgram(main: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await main()) ? 0 : 1;
  } catch (error) {
    if (!isMisuse(error)) throw error;
    process.stderr.write(`${error.message}; the head of ${process.argv[1]} says how it is used\n`);
    process.exitCode = 2;
  }
}

/** @throws Misuse where the text is none, or it is less than `min` */
export function wholeNumber(text: string, option: string, min = 0): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min) return number;
  throw new Misuse(`--${option} takes a whole number${min > 0 ? ` from ${min} on` : ''}, not '${text}'`);
}

/** Also what `parseArgs` of `node:util` throws. */
function isMisuse(error: unknown): error is Error {
  if (error instanceof Misuse) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

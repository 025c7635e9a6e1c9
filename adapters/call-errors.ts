/** How the failure of a call to a store of several servers is told to whoever asked for it. */
import { type ErrorCode, WeftError } from '../core/errors.ts';

/** What a failed call means for a write. Codes other than `outcome-unknown` say that nothing happened. */
export type Verdict = Extract<
  ErrorCode,
  'store-unreachable' | 'outcome-unknown' | 'store-full' | 'store-auth' | 'too-large'
>;

/** @param what as in "Cannot … URL": `append to` */
type Teller<E> = (error: E, what: string, url: string) => WeftError;

export interface CallErrors<E> {
  /** What the caller of a write is told. */
  readonly writeError: Teller<E>;
  /** What the caller of a read is told: a read that failed has no outcome that could be unknown. */
  readonly readError: Teller<E>;
}

/** @param advice what to do, in words of the store in question */
export function tellCallErrors<E extends Error>(
  verdictOf: (error: E) => Verdict,
  advice: Readonly<Record<Verdict, string>>,
): CallErrors<E> {
  const tell = (code: Verdict, error: E, what: string, url: string): WeftError =>
    new WeftError(code, `Cannot ${what} ${url}: ${error.message}; ${advice[code]}.`, { cause: error });
  return {
    writeError: (error, what, url) => tell(verdictOf(error), error, what, url),
    readError: (error, what, url) => {
      const code = verdictOf(error);
      return tell(code === 'outcome-unknown' ? 'store-unreachable' : code, error, what, url);
    },
  };
}

/** What a store says, fit for a line of ours. */
export function oneLine(text: string, lengthMax = Number.POSITIVE_INFINITY): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, lengthMax);
}

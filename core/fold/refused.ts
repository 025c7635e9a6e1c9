/** How a rule of the fold says no: thrown where it is found out, caught by `apply` alone, which makes the outcome of it. */
import type { ErrorCode } from '../errors.ts';
import type { Refusal } from './outcome.ts';

export class Refused extends Error implements Refusal {
  override readonly name = 'Refused';
  readonly code: ErrorCode;

  /** @param message one line: what, why, what to do */
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What was to be done, the beginning of the message. A function because most requests are not refused. */
export type What = () => string;

/** Refuses unless the condition holds. The message is a function because most conditions do hold. */
export function refuseUnless(condition: boolean, code: ErrorCode, message: () => string): asserts condition {
  if (!condition) throw new Refused(code, message());
}

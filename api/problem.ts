/**
 * Problem documents (RFC 9457): how a WeftError travels. The `code` is the stable part; `type` is a URN made of it, for
 * clients that look at nothing else, and `title` the sentence of the reference page.
 */
import { type ErrorCode, errorTraits, isErrorCode, WeftError } from '../core/errors.ts';

export const problemMediaType = 'application/problem+json';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** The message: one line of what, why and what to do. */
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Values that a program may want beside the message. */
  readonly details: WeftError['details'];
}

export function problemOf(error: WeftError): Problem {
  const traits = errorTraits[error.code];
  return {
    type: `urn:weft:error:${error.code}`,
    title: traits.summary,
    status: traits.status,
    detail: error.message,
    code: error.code,
    retryable: traits.retryable,
    details: error.details,
  };
}

/** The error that a problem document stands for; undefined where the value is no document of weft's. */
export function errorOfProblem(value: unknown): WeftError | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { code, detail, details } = value as Partial<Record<keyof Problem, unknown>>;
  if (typeof code !== 'string' || typeof detail !== 'string') return undefined;
  // A newer daemon may have codes that this build does not know: the message says what there is to say.
  if (!isErrorCode(code)) return new WeftError('internal', detail, { details: { code } });
  return new WeftError(code, detail, { details: plainDetails(details) });
}

function plainDetails(value: unknown): WeftError['details'] {
  if (typeof value !== 'object' || value === null) return {};
  const entries = Object.entries(value).filter(([, item]) =>
    ['string', 'number', 'boolean'].includes(typeof item),
  );
  return Object.fromEntries(entries) as WeftError['details'];
}

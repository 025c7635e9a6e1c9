/** Whatever a request ended in, as a WeftError: those of weft as they are, the framework's by what the caller did. */

import { bodyBytesMax } from '../../api/limits.ts';
import { isWeftError, WeftError } from '../../core/errors.ts';

/** Fastify's and Node's codes for requests that are wrong in themselves. */
const explanations: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'the body must be application/json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as its Content-Length says',
  FST_ERR_BAD_URL: 'the path is not properly percent-encoded',
  FST_ERR_MAX_PARAM_LENGTH: 'a name or id in the path is too long',
  HPE_HEADER_OVERFLOW: 'the headers are too large',
  ERR_HTTP_REQUEST_TIMEOUT: 'it was not sent completely in time',
};

/** @returns a WeftError; `internal`, with the cause inside, for what nobody foresaw */
export function failureOf(error: unknown): WeftError {
  if (isWeftError(error)) return error;
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new WeftError('too-large', `The request's body is larger than ${bodyBytesMax} bytes: send less`);
  }
  const explanation = typeof code === 'string' ? explanations[code] : undefined;
  if (explanation !== undefined) return malformed(explanation);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return malformed('it is not understood');
  const message = "A defect in weft stopped the request: the daemon's log has the details";
  return new WeftError('internal', message, { cause: error });
}

export function malformed(why: string): WeftError {
  return new WeftError('malformed', `Malformed request: ${why}`);
}

/** The URL of a file store: `file:/absolute/directory`. */
import { WeftError } from '../../core/errors.ts';

export interface FileOptions {
  /** Absolute path of the log's directory, which it has for itself. */
  readonly directory: string;
}

/** Takes `file:/path` and `file:///path`. @throws WeftError `bad-store-url` */
export function parseFileUrl(url: string): FileOptions {
  const path = /^file:(?:\/\/)?(\/(?!\/).*)$/.exec(url)?.[1];
  const parts = path?.split('/').filter((part) => part !== '');
  if (path === undefined || parts === undefined || parts.length === 0) {
    throw badUrl(url, 'it names no absolute directory');
  }
  if (parts.some((part) => part === '.' || part === '..')) throw badUrl(url, "it has a '.' or '..' in it");
  if (hasControlCharacter(path)) throw badUrl(url, 'it has a control character in it');
  return { directory: `/${parts.join('/')}` };
}

/** Paths end up in logs and on terminals. */
function hasControlCharacter(path: string): boolean {
  return [...path].some((character) => character < ' ' || character === '\x7f');
}

function badUrl(url: string, why: string): WeftError {
  return new WeftError(
    'bad-store-url',
    `The store URL ${JSON.stringify(url)} names no file store: ${why}; write 'file:/var/lib/weft/log'`,
  );
}

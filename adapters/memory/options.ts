/** The URL of a memory store: `memory:NAME`. */
import { WeftError } from '../../core/errors.ts';

export interface MemoryOptions {
  /** Handles of one process that give the same name share one log. */
  readonly name: string;
}

/** @throws WeftError `bad-store-url` */
export function parseMemoryUrl(url: string): MemoryOptions {
  const name = /^memory:([A-Za-z0-9][A-Za-z0-9_.-]{0,62})$/.exec(url)?.[1];
  if (name !== undefined) return { name };
  throw new WeftError(
    'bad-store-url',
    `The store URL '${url}' names no memory store: write 'memory:NAME', with a name of letters, digits, '_', '.' or '-'`,
  );
}

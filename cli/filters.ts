/** `--filter KEY=VALUE`: the daemon carries filters out; mistakes in them are mistakes on the command line. */
import { type FilterKeys, parseFilters } from '../api/filters.ts';
import { isWeftError } from '../core/errors.ts';
import { UsageError } from './usage.ts';

/** @throws UsageError */
export function checkFilters<T>(keys: FilterKeys<T>, filters: readonly string[]): void {
  try {
    parseFilters(keys, filters);
  } catch (error) {
    throw isWeftError(error, 'malformed') ? new UsageError(error.message) : error;
  }
}

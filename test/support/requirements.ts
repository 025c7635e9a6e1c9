/**
 * What a test needs of the machine. Where it is not there the test is skipped, and its title says why: a skip without a
 * reason cannot be told from a test that nobody runs.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';

/** Skips the running test or hook with a reason. Does not return. */
export function skipBecause(context: Context, reason: string): never {
  const runnable = context.currentTest ?? context.test;
  if (runnable !== undefined && !runnable.title.includes('skipped:'))
    runnable.title += ` (skipped: ${reason})`;
  return context.skip();
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

export function requireRoot(context: Context): void {
  if (!isRoot()) skipBecause(context, 'needs root');
}

/** The full path of a command on PATH; undefined when it is not installed. */
export function findCommand(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function requireCommand(context: Context, name: string): string {
  return findCommand(name) ?? skipBecause(context, `needs the command '${name}', see npm run setup`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Sysctls of a network namespace. `/proc/sys/net` shows the settings of whoever opens a file in it, so files are opened
 * from inside the namespace.
 *
 * Equivalent to: ip netns exec NS sysctl NAME, ip netns exec NS sysctl -w NAME=VALUE.
 */
import * as fs from 'node:fs';
import type { HomeNamespace } from './netns/enter.ts';

/** Only what belongs to a network namespace, and nothing that leads out of the directory. */
function isSysctlName(name: string): boolean {
  const parts = name.split('/');
  return (
    parts.length > 1 &&
    parts[0] === 'net' &&
    parts.every((part) => /^[A-Za-z0-9_.:@+-]+$/.test(part) && part !== '.' && part !== '..')
  );
}

/** Values of those that exist, in the order asked for. Blanks between the parts of a value are single. */
export function readSysctls(
  home: HomeNamespace,
  namespaceFd: number,
  names: readonly string[],
): { readonly name: string; readonly value: string }[] {
  if (names.length === 0) return [];
  return home.inside(namespaceFd, () =>
    names.filter(isSysctlName).flatMap((name) => {
      const value = readOne(name);
      return value === undefined ? [] : [{ name, value }];
    }),
  );
}

/** @throws Error of Node's file system, or for a name that is none of a network namespace's sysctls */
export function writeSysctl(home: HomeNamespace, namespaceFd: number, name: string, value: string): void {
  if (!isSysctlName(name)) throw new Error(`EINVAL: Invalid argument (${name} is no sysctl of a namespace)`);
  home.inside(namespaceFd, () => {
    if (readOne(name) === value) return;
    const file = fs.openSync(`/proc/sys/${name}`, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
    try {
      fs.writeSync(file, value);
    } finally {
      fs.closeSync(file);
    }
  });
}

/** Undefined where it does not exist: those of a link come and go with it. */
function readOne(name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/sys/${name}`, 'latin1').trim().replaceAll(/\s+/g, ' ');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

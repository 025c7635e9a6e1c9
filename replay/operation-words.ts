/**
 * What an operation does, in the words of `ip` and `bridge`. Of a hosts file that changes, only the lines that come and
 * go: a whole one has up to a thousand, and is written again for every name.
 */
import type { Operation } from '../core/dataplane/kernel.ts';
import type { HostsEntry, HostsFile } from '../core/dataplane/object.ts';
import { operationText } from '../core/dataplane/text.ts';

export function operationWords(operation: Operation): string {
  const { op, object, actual: before } = operation;
  if (op !== 'set' || object.kind !== 'hosts' || before?.kind !== 'hosts') return operationText(operation);
  const [old, now] = changedLines(before, object);
  const changes = [
    ...[...old].filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...[...now].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
  const head = operationText({ op: 'set', object: { ...object, entries: [] } }).trimEnd();
  return `${head} ${changes.length === 0 ? 'other order' : changes.join(', ')}`;
}

/** The lines between what both begin and end with: lists of names are sorted, and mostly one line comes or goes. */
function changedLines(
  before: HostsFile,
  after: HostsFile,
): readonly [ReadonlySet<string>, ReadonlySet<string>] {
  const [old, now] = [before.entries, after.entries];
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && sameEntry(old[start], now[start])) start += 1;
  let end = 0;
  while (end < shorter - start && sameEntry(old.at(-1 - end), now.at(-1 - end))) end += 1;
  return [linesOf(old.slice(start, old.length - end)), linesOf(now.slice(start, now.length - end))];
}

function sameEntry(a: HostsEntry | undefined, b: HostsEntry | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.address !== b.address) return false;
  return a.names.length === b.names.length && a.names.every((name, index) => name === b.names[index]);
}

function linesOf(entries: readonly HostsEntry[]): ReadonlySet<string> {
  return new Set(entries.map(({ address, names }) => [address, ...names].join(' ')));
}

/** Turns what a schema has against a value into one line: where, what, and how much more there is. */
import type { z } from 'zod';

const shownLengthMax = 80;

/** `body.subnets[0].gateway: expected string, received number (and 2 more)`. One line, printable, bounded. */
export function explainIssues(error: z.ZodError, root: string): string {
  const [first, ...rest] = error.issues;
  if (first === undefined) return `${root}: not as expected`;
  return explainIssue(first, root) + (rest.length > 0 ? ` (and ${rest.length} more)` : '');
}

function explainIssue(issue: z.core.$ZodIssue, root: string): string {
  const place = issue.path.reduce<string>((text, part) => text + placeOf(part), root);
  if (issue.code === 'unrecognized_keys') {
    return `${place}: unknown member${issue.keys.length > 1 ? 's' : ''} ${issue.keys.map(quoted).join(', ')}`;
  }
  const inner = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
  const message = (inner?.message ?? issue.message).replace(/^(Invalid input|Too big|Too small): /, '');
  return `${place}: ${inner === undefined ? '' : 'key '}${message.slice(0, 2 * shownLengthMax)}`;
}

function placeOf(part: PropertyKey): string {
  if (typeof part === 'number') return `[${part}]`;
  const text = String(part);
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text) ? `.${shortened(text)}` : `[${quoted(text)}]`;
}

/** JSON's quotes escape what a terminal must not see. */
function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

function shortened(text: string): string {
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
}

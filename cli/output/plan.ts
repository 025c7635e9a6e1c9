/** What a change would do, as people read it: host by host, in commands that could be given by hand. */
import type { PlanView } from '../../api/index.ts';
import { shortId } from './id.ts';
import { printable } from './table.ts';

export function planText({ ordinal, subject, hosts }: PlanView): string {
  const id = subject.type === 'host' ? subject.id : shortId(subject.id);
  const lines = [
    `# Record ${ordinal} would be accepted: ${subject.type} ${printable(id)}`,
    '# Nothing was changed. Ids, and names and numbers made of them, are provisional.',
  ];
  for (const { host, commands } of hosts) {
    lines.push('', `# On ${printable(host)}${commands.length === 0 ? ': nothing' : ''}`);
    if (commands.length > 0) lines.push('', ...commands.map(printable));
  }
  return `${lines.join('\n')}\n`;
}

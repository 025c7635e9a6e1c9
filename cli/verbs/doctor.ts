/** `weft doctor`: what needs attention first, then what was repaired. Exit status 1 when something needs attention. */
import type { Command } from 'commander';
import type { DoctorView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { formatTable, printable } from '../output/table.ts';
import { formatMoment } from '../output/time.ts';

export function addVerb(program: Command, context: Context): void {
  program
    .command('doctor')
    .description(
      'what is wrong on this host, and what was found wrong and repaired; exit status 1 when something is',
    )
    .action(async () => {
      const report = await context.call('doctor');
      await context.print(report, () => reportText(report));
      if (!report.healthy) context.exitCode = 1;
    });
}

function reportText(report: DoctorView): string {
  const troubles = [
    ...(report.storeReachable ? [] : [`The store is not reachable${because(report.storeReason)}.`]),
    ...(report.phase === 'running'
      ? []
      : [`The daemon is not at work: ${report.phase}${because(report.phaseReason)}.`]),
  ];
  const sections = [
    ...(troubles.length > 0 ? [troubles.map((line) => `${printable(line)}\n`).join('')] : []),
    report.failing.length > 0 ? failingText(report.failing) : 'No kernel object fails.\n',
    report.repairs.length > 0 ? repairsText(report.repairs) : 'No drift was repaired.\n',
  ];
  return sections.join('\n');
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

function failingText(failing: DoctorView['failing']): string {
  const rows = failing.map(({ namespace, attempts, text, reason }) => [
    namespace,
    String(attempts),
    text,
    reason,
  ]);
  return formatTable(['NAMESPACE', 'ATTEMPTS', 'FAILING OBJECT', 'REASON'], rows);
}

function repairsText(repairs: DoctorView['repairs']): string {
  const rows = repairs.map(({ at, namespace, found, noticed, text }) => {
    return [formatMoment(at), namespace, found, noticed, text];
  });
  return formatTable(['WHEN', 'NAMESPACE', 'FOUND', 'NOTICED BY', 'REPAIRED OBJECT'], rows);
}

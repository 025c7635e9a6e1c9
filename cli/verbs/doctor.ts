/** `weft doctor`: what needs attention first, then what was repaired. Exit status 1 when something needs attention. */
import type { Command } from 'commander';
import type { DoctorView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { shortId } from '../output/id.ts';
import { recordsText } from '../output/record.ts';
import { formatSize } from '../output/size.ts';
import { formatTable, printable } from '../output/table.ts';
import { formatMoment, formatSpan } from '../output/time.ts';

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
    ...(report.firewallsFault === undefined
      ? []
      : [`Other firewalls could not be looked at: ${report.firewallsFault}.`]),
    ...(report.listenersFault === undefined
      ? []
      : [`What listens on this host could not be looked at: ${report.listenersFault}.`]),
    ...(report.phase === 'running'
      ? []
      : [`The daemon is not at work: ${report.phase}${because(report.phaseReason)}.`]),
  ];
  const sections = [
    ...(troubles.length > 0 ? [troubles.map((line) => `${printable(line)}\n`).join('')] : []),
    ...(report.hosts.length > 0 ? [report.hosts.map(hostText).join('')] : []),
    report.failing.length > 0 ? failingText(report.failing) : 'No kernel object fails.\n',
    ...(report.droppingChains.length > 0 ? [report.droppingChains.map(chainText).join('')] : []),
    ...(report.shadowed.length > 0 ? [report.shadowed.map(shadowedText).join('')] : []),
    archiveText(report.archive),
    report.repairs.length > 0 ? repairsText(report.repairs) : 'No drift was repaired.\n',
  ];
  return sections.join('\n');
}

function hostText(host: DoctorView['hosts'][number]): string {
  const { name, state, seenAgoMs, phase, daemons, partedAt } = host;
  const seen = seenAgoMs === undefined ? 'it was never seen here' : `last seen ${formatSpan(seenAgoMs)} ago`;
  const facts = [
    ...(state === 'up' ? [] : [`is ${state}, ${seen}`]),
    ...(state !== 'up' || phase === undefined || phase === 'running' ? [] : [`is not at work: ${phase}`]),
    ...(daemons === undefined ? [] : [`is run by ${daemons} daemons at once: stop all but one`]),
    ...(partedAt === undefined ? [] : [`has other hashes at record ${partedAt}: make a bundle on both`]),
  ];
  return facts.map((fact) => `${printable(`Host ${name} ${fact}.`)}\n`).join('');
}

function chainText({ family, table, chain, by, via, accepts }: DoctorView['droppingChains'][number]): string {
  const how = by === 'policy' ? 'by its policy' : 'by a rule for all';
  const where = via === undefined ? '' : `, in chain ${via} that it leads to,`;
  const what = `Chain ${chain} of table ${family} ${table} drops ${how}${where} what is forwarded and none of its rules accepts`;
  const then = accepts
    ? "; weft's rule in it accepts what weft lets pass."
    : ': let it accept what comes from and goes to the bridges of weft' +
      (via === undefined ? ', or run `weft daemon` with --accept-in-foreign-chains.' : '.');
  return `${printable(`${what}${then}`)}\n`;
}

function shadowedText(shadowed: DoctorView['shadowed'][number]): string {
  const { process, protocol, address, port, endpoint, sandbox } = shadowed;
  const who = process === undefined ? 'Something' : `Process ${process}`;
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const holder = `endpoint ${shortId(endpoint)} of sandbox ${sandbox}`;
  const line = `${who} listens at ${place}/${protocol}, but what comes there goes to ${holder}, which publishes the port: end one of them.`;
  return `${printable(line)}\n`;
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

function archiveText({ spans, bytes, waiting, lost, fault, damage }: DoctorView['archive']): string {
  const [first, last] = [spans[0]?.first, spans.at(-1)?.last];
  const range = first === undefined ? 'no record' : `records ${first} to ${last}, ${formatSize(bytes)}`;
  const lines = [
    `The archive has ${range}.`,
    ...spans.slice(1).map((span, index) => `It lacks ${(spans[index]?.last ?? 0) + 1} to ${span.first - 1}.`),
    ...(lost > 0 ? [`${recordsText(lost)} could not be archived since the daemon started.`] : []),
    ...(fault === undefined ? [] : [`It cannot be written: ${fault}; ${recordsText(waiting)} wait.`]),
    ...damage.map((text) => `${text}.`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
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

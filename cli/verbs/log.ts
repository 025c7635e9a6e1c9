/** `weft log`: one line a record, with what the fold decided on it. */
import type { Command } from 'commander';
import type { HistoryItemView } from '../../api/index.ts';
import type { Context } from '../context.ts';
import { shortId } from '../output/id.ts';
import { formatTable } from '../output/table.ts';
import { formatMoment } from '../output/time.ts';
import { warnIfStale } from '../standing.ts';
import { UsageError } from '../usage.ts';

interface Options {
  readonly after?: string;
  readonly number?: string;
}

export function addVerb(program: Command, context: Context): void {
  program
    .command('log')
    .description('the last records of the log: who asked for what, and what came of it')
    .option('--after <ordinal>', 'only records after this one')
    .option('-n, --number <count>', 'the newest so many (default: 100)')
    .action(async ({ after, number }: Options) => {
      const query = {
        ...(after !== undefined && { after: numeral('--after', after) }),
        ...(number !== undefined && { limit: numeral('--number', number) }),
      };
      const list = await context.call('log', { query });
      warnIfStale(context, list);
      await context.print(list.items, () => {
        return formatTable(['ORDINAL', 'WHEN', 'HOST', 'WHO', 'WHAT', 'OUTCOME'], list.items.map(rowOf));
      });
    });
}

function numeral(option: string, text: string): string {
  if (/^(0|[1-9][0-9]{0,14})$/.test(text)) return text;
  throw new UsageError(`${option} ${JSON.stringify(text)} is no whole number: give one, e.g. ${option} 10`);
}

function rowOf(item: HistoryItemView): string[] {
  const { record } = item;
  const who =
    record === undefined
      ? ['-', '-', '-', 'bytes that are no record']
      : [formatMoment(record.at), record.host, record.by, whatText(record.kind, record.body)];
  return [String(item.ordinal), ...who, outcomeText(item)];
}

function outcomeText({ accepted, subject, code, message }: HistoryItemView): string {
  if (!accepted) return `${code ?? 'rejected'}: ${message ?? ''}`;
  if (subject === undefined) return 'accepted';
  return subject.type === 'host' ? `host ${subject.id}` : `${subject.type} ${shortId(subject.id)}`;
}

type Body = Readonly<Record<string, unknown>>;

/** The members of each kind's body that tell one request from another. */
const tellingMembers: Readonly<Record<string, (body: Body) => readonly unknown[]>> = {
  'host-join': (body) => [body['address'], body['version']],
  'host-remove': (body) => [body['name']],
  'network-create': (body) => [body['name'], body['driver'], ...prefixesOf(body['subnets'])],
  'network-remove': (body) => [shortOf(body['network'])],
  'endpoint-create': (body) => [body['name'], sandboxOf(body['sandbox']), 'on', shortOf(body['network'])],
  'endpoint-remove': (body) => [shortOf(body['endpoint']), body['reason']],
};

function whatText(kind: string, body: Body): string {
  const telling = tellingMembers[kind]?.(body) ?? [];
  return [kind, ...telling.filter((part) => typeof part === 'string')].join(' ');
}

function shortOf(id: unknown): unknown {
  return typeof id === 'string' ? shortId(id) : undefined;
}

function prefixesOf(subnets: unknown): readonly unknown[] {
  return Array.isArray(subnets) ? subnets.map((subnet: Body | null) => subnet?.['prefix']) : [];
}

function sandboxOf(sandbox: unknown): unknown {
  return typeof sandbox === 'object' && sandbox !== null ? (sandbox as Body)['ref'] : undefined;
}

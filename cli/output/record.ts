/** One record and its outcome in a few words, the same wherever a log is shown. */
import { shortId } from './id.ts';

interface OutcomeWords {
  readonly accepted: boolean;
  readonly subject?: { readonly type: string; readonly id: string };
  readonly code?: string;
  readonly message?: string;
  readonly attached?: { readonly addresses: readonly string[]; readonly mac?: string };
}

export function outcomeText({ accepted, subject, code, message, attached }: OutcomeWords): string {
  if (!accepted) return `${code ?? 'rejected'}: ${message ?? ''}`;
  if (subject === undefined) return 'accepted';
  const what = subject.type === 'host' ? `host ${subject.id}` : `${subject.type} ${shortId(subject.id)}`;
  return [what, ...(attached?.addresses ?? [])].join(' ');
}

export function recordsText(count: number): string {
  return `${count} ${count === 1 ? 'record' : 'records'}`;
}

type Body = Readonly<Record<string, unknown>>;

/** The members of each kind's body that tell one request from another. */
const tellingMembers: Readonly<Record<string, (body: Body) => readonly unknown[]>> = {
  'host-join': (body) => [body['address'], body['version']],
  'log-begin': (body) => [shortOf(body['logId'])],
  'log-move': (body) => [body['url']],
  'host-remove': (body) => [body['name']],
  'host-down': (body) => [body['name'], lifeOf(body['epoch'])],
  'host-expire': (body) => [body['name'], lifeOf(body['epoch'])],
  'network-create': (body) => [body['name'], body['driver'], ...prefixesOf(body['subnets'])],
  'network-remove': (body) => [shortOf(body['network'])],
  'endpoint-create': (body) => [body['name'], sandboxOf(body['sandbox']), 'on', shortOf(body['network'])],
  'endpoint-remove': (body) => [shortOf(body['endpoint']), body['reason']],
};

export function whatText(kind: string, body: Body): string {
  const telling = tellingMembers[kind]?.(body) ?? [];
  return [kind, ...telling.filter((part) => typeof part === 'string')].join(' ');
}

function lifeOf(epoch: unknown): unknown {
  return typeof epoch === 'number' ? `epoch ${epoch}` : undefined;
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

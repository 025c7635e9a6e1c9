/** Consul's answers as the package `consul` hands them on. */
import type { Response } from '../../../../adapters/consul/channel.ts';
import type { Listing, TxnResult, Version } from './keyspace.ts';

export function status(statusCode: number, body: string): Response {
  return { statusCode, headers: {}, body };
}

/** @param knowsLeader what the server says of itself */
export function shownList({ found, index }: Listing, knowsLeader = true): Response {
  const headers = { 'x-consul-index': `${index}`, 'x-consul-knownleader': `${knowsLeader}` };
  if (found.length === 0) return { statusCode: 404, headers, body: '' };
  return { statusCode: 200, headers, body: found.map(shown) };
}

/** Names directly under a folder; a folder under it ends with a slash. */
export function shownKeys({ found, index }: Listing, folder: string): Response {
  const headers = { 'x-consul-index': `${index}` };
  if (found.length === 0) return { statusCode: 404, headers, body: '' };
  const names = found.map(({ key }) => {
    const end = key.indexOf('/', folder.length);
    return end < 0 ? key : key.slice(0, end + 1);
  });
  return { statusCode: 200, headers, body: [...new Set(names)] };
}

/** What a transaction read comes with its values, what it wrote without. */
export function shownTxn({ results }: TxnResult & { type: 'done' }, index: number): Response {
  const Results = results.map(({ version, isRead }) => ({
    KV: { ...pair(version), Value: isRead ? (version.value?.toString('base64') ?? null) : null },
  }));
  return { statusCode: 200, headers: { 'x-consul-index': `${index}` }, body: { Results, Errors: null } };
}

export function refusals(Errors: readonly { OpIndex: number; What: string }[]): Response {
  return { statusCode: 409, headers: {}, body: { Results: null, Errors } };
}

/** With bytes of its own: whoever reads it may write over them. */
function shown(version: Version) {
  return { ...pair(version), Value: Buffer.from(version.value ?? '') };
}

function pair({ key, create, modify }: Version) {
  return { Key: key, CreateIndex: create, ModifyIndex: modify };
}

/**
 * URLs of stores that are clusters of servers: `SCHEME://h1:PORT,h2:PORT/prefix`. Nothing secret is ever in one: users,
 * passwords, tokens and certificates are in files that the configuration names.
 */
import { WeftError } from '../core/errors.ts';
import { hostsMax, prefixLengthMax } from './limits.ts';

export interface ClusterHost {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Present: TLS. Files are PEM. */
export interface ClusterTls {
  /** Certificates that the servers' are checked against; absent: those of the system. */
  readonly caFile?: string;
  /** The client's own, for mutual TLS; both or neither. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** One kind of store. */
export interface ClusterKind {
  /** Also its name in messages. */
  readonly scheme: string;
  readonly defaultPort: number;
  /** What the file is called that holds what a URL may not. */
  readonly secret: string;
}

export interface ClusterPlace {
  readonly hosts: readonly ClusterHost[];
  /** Starts with a slash and does not end with one. Logs with different prefixes know nothing of each other. */
  readonly prefix: string;
}

export const defaultPrefix = '/weft';

/** Plain path segments: no `.` or `..`, nothing to percent-encode, nothing that a shell or a log would mangle. */
const prefixShape = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;
const hostShape = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const ipv6Shape = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;

/** @throws WeftError `bad-store-url` */
export function parseClusterUrl(kind: ClusterKind, url: string): ClusterPlace {
  const example = exampleOf(kind);
  const match = /^([a-z]+):\/\/([^/?#]*)([^?#]*)([?#].*)?$/.exec(url);
  const authority = match?.[1] === kind.scheme ? match[2] : undefined;
  if (authority === undefined || authority === '') throw refuse(kind, 'it names no host', example);
  if (authority.includes('@')) {
    const advice = `leave it out and give ${kind.secret} in the configuration`;
    throw refuse(kind, 'it holds a user or password', advice);
  }
  if (match?.[4] !== undefined) throw refuse(kind, 'it has a query or fragment', example);
  const hosts = authority.split(',').map((text) => parseHost(kind, text));
  if (hosts.length > hostsMax) throw refuse(kind, `it names more than ${hostsMax} hosts`, example);
  return { hosts, prefix: parsePrefix(kind, match?.[3] ?? '') };
}

/** The URL without anything secret, in one spelling. */
export function formatClusterUrl({ scheme }: ClusterKind, { hosts, prefix }: ClusterPlace): string {
  return `${scheme}://${hosts.map(formatHost).join(',')}${prefix}`;
}

export function formatHost(host: ClusterHost): string {
  return host.host.includes(':') ? `[${host.host}]:${host.port}` : `${host.host}:${host.port}`;
}

function parseHost(kind: ClusterKind, text: string): ClusterHost {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const valid = match?.[1] === undefined ? hostShape.test(host) : ipv6Shape.test(host);
  if (!valid) throw refuse(kind, `"${text}" is no host`, exampleOf(kind));
  const port = match?.[3] === undefined ? kind.defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) throw refuse(kind, `${port} is no port`, exampleOf(kind));
  return { host, port };
}

function parsePrefix(kind: ClusterKind, path: string): string {
  const prefix = path.replace(/\/$/, '');
  if (prefix === '') return defaultPrefix;
  if (prefix.length > prefixLengthMax || !prefixShape.test(prefix)) {
    const advice = 'use letters, digits, dots, dashes and underscores between slashes';
    throw refuse(kind, `"${path}" is no key prefix`, advice);
  }
  return prefix;
}

function exampleOf({ scheme, defaultPort }: ClusterKind): string {
  return `write it as ${scheme}://host:${defaultPort},host:${defaultPort}/prefix`;
}

function refuse(kind: ClusterKind, why: string, advice: string): WeftError {
  return new WeftError('bad-store-url', `Cannot use the ${kind.scheme} URL: ${why}; ${advice}.`);
}

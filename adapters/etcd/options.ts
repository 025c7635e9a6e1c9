/**
 * How to reach an etcd cluster. Hosts and prefix come from the URL, `etcd://h1:2379,h2:2379/prefix`; certificates, user
 * and password come from files that the daemon's configuration names, and are read again for every connection, so that
 * rotating them needs no restart. Secrets are never in a URL, a message or a log line.
 */
import { WeftError } from '../../core/errors.ts';
import { hostsMax, prefixLengthMax } from './limits.ts';

export interface EtcdHost {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Present: TLS. Files are PEM. */
export interface EtcdTls {
  /** Certificates that the servers' are checked against; absent: those of the system. */
  readonly caFile?: string;
  /** The client's own, for mutual TLS; both or neither. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** etcd's own users (`etcdctl user add`). The user's role needs `readwrite` on all keys that begin with `<prefix>/`. */
export interface EtcdAuth {
  readonly user: string;
  /** First line is the password. */
  readonly passwordFile: string;
}

export interface EtcdOptions {
  readonly hosts: readonly EtcdHost[];
  /** Starts with a slash and does not end with one. Logs with different prefixes know nothing of each other. */
  readonly prefix: string;
  readonly tls?: EtcdTls;
  readonly auth?: EtcdAuth;
}

export const defaultPort = 2379;
export const defaultPrefix = '/weft';

const example = 'write it as etcd://host:2379,host:2379/prefix';
/** Plain path segments: no `.` or `..`, nothing to percent-encode, nothing that a shell or a log would mangle. */
const prefixShape = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;
const hostShape = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const ipv6Shape = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;

/** @throws WeftError `bad-store-url` */
export function parseEtcdUrl(url: string): EtcdOptions {
  const match = /^etcd:\/\/([^/?#]*)([^?#]*)([?#].*)?$/.exec(url);
  const authority = match?.[1];
  if (authority === undefined || authority === '') throw refuse('it names no host', example);
  if (authority.includes('@')) {
    throw refuse(
      'it holds a user or password',
      'leave it out and give the user and a password file in the configuration',
    );
  }
  if (match?.[3] !== undefined) throw refuse('it has a query or fragment', example);
  const hosts = authority.split(',').map(parseHost);
  if (hosts.length > hostsMax) throw refuse(`it names more than ${hostsMax} hosts`, example);
  return { hosts, prefix: parsePrefix(match?.[2] ?? '') };
}

/** The URL without anything secret, in one spelling. */
export function formatEtcdUrl(options: EtcdOptions): string {
  return `etcd://${options.hosts.map(formatHost).join(',')}${options.prefix}`;
}

export function formatHost(host: EtcdHost): string {
  return host.host.includes(':') ? `[${host.host}]:${host.port}` : `${host.host}:${host.port}`;
}

function parseHost(text: string): EtcdHost {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const valid = match?.[1] === undefined ? hostShape.test(host) : ipv6Shape.test(host);
  if (!valid) throw refuse(`"${text}" is no host`, example);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (port < 1 || port > 65_535) throw refuse(`${port} is no port`, example);
  return { host, port };
}

function parsePrefix(path: string): string {
  const prefix = path.replace(/\/$/, '');
  if (prefix === '') return defaultPrefix;
  if (prefix.length > prefixLengthMax || !prefixShape.test(prefix)) {
    throw refuse(
      `"${path}" is no key prefix`,
      'use letters, digits, dots, dashes and underscores between slashes',
    );
  }
  return prefix;
}

function refuse(why: string, advice: string): WeftError {
  return new WeftError('bad-store-url', `Cannot use the etcd URL: ${why}; ${advice}.`);
}

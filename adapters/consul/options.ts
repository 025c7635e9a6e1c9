/**
 * How to reach a Consul cluster. Hosts and prefix come from the URL, `consul://h1:8500,h2:8500/prefix`; certificates and
 * the ACL token come from files that the daemon's configuration names. The certificates are read again for every
 * connection and the token when it is refused, so that rotating them needs no restart. Secrets are never in a URL, a
 * message or a log line.
 */
import {
  type ClusterKind,
  type ClusterPlace,
  type ClusterTls,
  formatClusterUrl,
  parseClusterUrl,
} from '../cluster-url.ts';

export interface ConsulOptions extends ClusterPlace {
  readonly tls?: ClusterTls;
  /**
   * The first line is the SecretID of an ACL token, whose policy needs `key_prefix "<prefix>/" { policy = "write" }`, the
   * prefix without its first slash: Consul's keys begin with none.
   */
  readonly tokenFile?: string;
}

const kind: ClusterKind = { scheme: 'consul', defaultPort: 8500, secret: 'a token file' };

/** @throws WeftError `bad-store-url` */
export function parseConsulUrl(url: string): ConsulOptions {
  return parseClusterUrl(kind, url);
}

/** The URL without anything secret, in one spelling. */
export function formatConsulUrl(options: ConsulOptions): string {
  return formatClusterUrl(kind, options);
}

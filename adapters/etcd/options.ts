/**
 * How to reach an etcd cluster. Hosts and prefix come from the URL, `etcd://h1:2379,h2:2379/prefix`; certificates, user
 * and password come from files that the daemon's configuration names, and are read again for every connection, so that
 * rotating them needs no restart. Secrets are never in a URL, a message or a log line.
 */
import {
  type ClusterHost,
  type ClusterKind,
  type ClusterPlace,
  type ClusterTls,
  formatClusterUrl,
  parseClusterUrl,
} from '../cluster-url.ts';

/** etcd's own users (`etcdctl user add`). The user's role needs `readwrite` on all keys that begin with `<prefix>/`. */
export interface EtcdAuth {
  readonly user: string;
  /** First line is the password. */
  readonly passwordFile: string;
}

export type EtcdHost = ClusterHost;

export interface EtcdOptions extends ClusterPlace {
  readonly tls?: ClusterTls;
  readonly auth?: EtcdAuth;
}

const kind: ClusterKind = {
  scheme: 'etcd',
  defaultPort: 2379,
  secret: 'the user and a password file',
};

/** @throws WeftError `bad-store-url` */
export function parseEtcdUrl(url: string): EtcdOptions {
  return parseClusterUrl(kind, url);
}

/** The URL without anything secret, in one spelling. */
export function formatEtcdUrl(options: EtcdOptions): string {
  return formatClusterUrl(kind, options);
}

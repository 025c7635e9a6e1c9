/**
 * How to reach a ZooKeeper ensemble. Hosts and prefix come from the URL, `zookeeper://h1:2181,h2:2181/prefix`;
 * certificates, user and password come from files that the daemon's configuration names, and are read again for every
 * connection, so that rotating them needs no restart. Secrets are never in a URL, a message or a log line.
 *
 * Of ZooKeeper's ways to authenticate there are TLS certificates and the `digest` scheme; SASL (Kerberos) is not to be had,
 * because the client does not speak it.
 */
import { WeftError } from '../../core/errors.ts';
import {
  type ClusterHost,
  type ClusterKind,
  type ClusterPlace,
  type ClusterTls,
  formatClusterUrl,
  parseClusterUrl,
} from '../cluster-url.ts';

/**
 * The `digest` scheme. Present: whatever the adapter creates is for this user and password alone (`auth::cdrwa`); absent:
 * for anyone (`world:anyone:cdrwa`).
 */
export interface ZookeeperAuth {
  readonly user: string;
  /** First line is the password. */
  readonly passwordFile: string;
}

export type ZookeeperHost = ClusterHost;

export interface ZookeeperOptions extends ClusterPlace {
  /** To the servers' `secureClientPort`, which by default asks for a client certificate too. */
  readonly tls?: ClusterTls;
  readonly auth?: ZookeeperAuth;
}

const kind: ClusterKind = {
  scheme: 'zookeeper',
  defaultPort: 2181,
  secret: 'the user and a password file',
};

/** @throws WeftError `bad-store-url` */
export function parseZookeeperUrl(url: string): ZookeeperOptions {
  const place = parseClusterUrl(kind, url);
  if (!/^\/zookeeper(\/|$)/.test(place.prefix)) return place;
  throw new WeftError(
    'bad-store-url',
    'Cannot use the zookeeper URL: everything below /zookeeper is reserved for ZooKeeper itself; give another prefix.',
  );
}

/** The URL without anything secret, in one spelling. */
export function formatZookeeperUrl(options: ZookeeperOptions): string {
  return formatClusterUrl(kind, options);
}

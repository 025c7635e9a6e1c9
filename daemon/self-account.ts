/**
 * What the daemon tells of itself in a bundle. Chosen member by member, so that a setting that comes later is not in it
 * before somebody has thought about it; of secrets, and of the files that hold them, only that there are some.
 */
import { release } from 'node:os';
import { withoutSecrets } from '../core/lib/redact.ts';
import type { Configuration } from './configuration/configuration.ts';
import type { RecentLines } from './recent-lines.ts';
import type { SelfAccount } from './server/handlers/handler.ts';

export function selfAccount(
  configuration: Configuration,
  log: { readonly url: string },
  recentLines: RecentLines,
): SelfAccount {
  const { host, advertise, dataDir, socket, netnsPrefix, archiveMib, logLevel, secrets } = configuration;
  const {
    hostGraceMs,
    hostRetentionMs,
    acceptInForeignChains,
    acceptForeignVteps,
    hasDefaultBridge,
    gatewaySubnet,
  } = configuration;
  return {
    configuration: {
      // As the adapter says it, not as it was given: without credentials.
      store: withoutSecrets(log.url),
      host,
      advertise,
      'data-dir': dataDir,
      socket,
      'netns-prefix': netnsPrefix,
      'accept-in-foreign-chains': String(acceptInForeignChains),
      'accept-foreign-vteps': String(acceptForeignVteps),
      ...(gatewaySubnet === undefined ? {} : { 'gateway-subnet': gatewaySubnet }),
      ...(hasDefaultBridge ? {} : { bridge: 'none' }),
      'archive-mib': String(archiveMib),
      'host-grace': `${hostGraceMs / 1_000}s`,
      'host-retention': `${hostRetentionMs / 1_000}s`,
      'log-level': logLevel,
      tls: secrets.tls === undefined ? 'no' : secrets.tls.keyFile === undefined ? 'yes' : 'mutual',
      authentication: secrets.auth === undefined ? 'no' : 'yes',
    },
    system: { kernel: release(), node: process.version, architecture: process.arch },
    logLines: () => recentLines.list().map(withoutSecrets),
  };
}

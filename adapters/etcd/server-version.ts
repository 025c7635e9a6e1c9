/**
 * Warns of servers with known faults that a log must fear: before 3.4.42 etcd may answer linearizable reads with old
 * state after a pause of the process and lets authorization be bypassed (CVE-2026-33413); before 3.4.38 watches may lose
 * or repeat events in several ways (CHANGELOG-3.4 of etcd).
 */

import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Connection } from './connection.ts';
import { asCallError } from './errors.ts';

const oldestGood = [3, 4, 42] as const;

export function isOldServer(version: string): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of oldestGood.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/** One line in the log, at most; a member that does not say its version is no reason not to go on. */
export async function warnOfServerVersion(
  connection: Connection,
  logger: Logger,
  signal: CancelSignal,
): Promise<void> {
  try {
    const version = await connection.serverVersion(signal);
    if (!isOldServer(version)) return;
    logger.warn('etcd is older than 3.4.42: it has known faults of watches and reads; update it', {
      version,
    });
  } catch (error) {
    logger.debug('etcd did not tell its version', { reason: asCallError(error).message });
  }
}

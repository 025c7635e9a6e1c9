/** The daemon as a process: signals in, exit status out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../core/ports/logger.ts';
import { type CommandLine, loadConfiguration } from './configuration/load.ts';
import { Daemon } from './daemon.ts';
import { stopMsMax } from './defaults.ts';

/**
 * Runs a daemon until SIGTERM or SIGINT; a second one ends it at once. SIGHUP is ignored: a closed terminal is no
 * reason to stop, and there is nothing to read anew.
 *
 * @returns the exit status: 0 after a clean stop, 1 when it was not clean or took longer than 5 s
 * @throws WeftError when it cannot start, or the cluster refuses it (`host-taken`, `address-in-use-by-host`, …)
 */
export async function runDaemon(commandLine: CommandLine): Promise<number> {
  const told = untilTold();
  const daemon = await Daemon.start(await loadConfiguration(commandLine));
  failLoudly(daemon.logger);
  const signal = await Promise.race([told, daemon.ended]).catch(async (error: unknown) => {
    await stopInTime(daemon);
    throw error;
  });
  daemon.logger.info('The daemon stops; the data plane stays', { signal });
  for (const again of ['SIGTERM', 'SIGINT'] as const) process.once(again, () => process.exit(1));
  return stopInTime(daemon);
}

function untilTold(): Promise<NodeJS.Signals> {
  process.on('SIGHUP', () => undefined);
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
}

async function stopInTime(daemon: Daemon): Promise<number> {
  const late = sleep(stopMsMax, 'late' as const, { ref: false });
  try {
    if ((await Promise.race([daemon.stop(), late])) !== 'late') return 0;
    daemon.logger.error('The daemon did not stop in time', { stopMsMax });
  } catch (error) {
    daemon.logger.error('The daemon did not stop cleanly', { error });
  }
  return 1;
}

/** A defect that nothing caught ends the process, since nobody knows what state it is in; its log says why. */
function failLoudly(logger: Logger): void {
  const fail = (error: unknown): void => {
    logger.error('A defect ends the daemon', { error });
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

/**
 * A daemon's life: configure, claim, compose, start, run until told to stop, stop. Stopping leaves the data plane as it
 * is: containers go on talking, and the next daemon adopts what it finds.
 */
import { version } from '../api/index.ts';
import { WeftError } from '../core/errors.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Configuration } from './configuration/configuration.ts';
import { completeContainer, createContainer } from './container.ts';
import { serviceStopMsMax } from './defaults.ts';
import { Lifecycle, type Service } from './lifecycle.ts';
import { MachineClaim } from './machine-claim.ts';
import { tokens } from './tokens.ts';

/** In the order in which they start. The API claims its socket before the controller does anything in the cluster. */
const serviceTokens = [
  tokens.kernelService,
  tokens.logService,
  tokens.apiService,
  tokens.controllerService,
] as const;

export class Daemon {
  readonly #lifecycle: Lifecycle;
  readonly logger: Logger;
  /** Rejects when the daemon cannot go on by itself, e.g. because the cluster refuses this host. Never resolves before `stop`. */
  readonly ended: Promise<void>;

  private constructor(lifecycle: Lifecycle, logger: Logger, ended: Promise<void>) {
    this.#lifecycle = lifecycle;
    this.logger = logger;
    this.ended = ended;
  }

  /**
   * Starts a daemon; resolves when its API listens. The store may be unreachable: it goes on trying.
   *
   * @throws WeftError `bad-configuration`, `bad-store-url`, `already-running`, `permission-denied`
   */
  static async start(configuration: Configuration): Promise<Daemon> {
    const container = createContainer(configuration);
    const [logger, clock, random] = [
      container.get(tokens.logger),
      container.get(tokens.clock),
      container.get(tokens.random),
    ];
    const claim = await MachineClaim.take(configuration, random);
    const services: Service[] = [claimService(claim)];
    try {
      completeContainer(container, claim);
      for (const token of serviceTokens) services.push(await container.getAsync(token));
    } catch (error) {
      await stopAll(services.reverse(), logger);
      throw error;
    }
    const lifecycle = new Lifecycle(services, clock, logger, { stopMsMax: serviceStopMsMax });
    await lifecycle.start();
    const { advertise } = configuration;
    const { url } = await container.getAsync(tokens.log);
    logger.info('The daemon runs', { version, advertise, store: url, pid: process.pid });
    const { ended } = await container.getAsync(tokens.controllerService);
    return new Daemon(lifecycle, logger, ended);
  }

  /** Stops all services in reverse order; the data plane stays. Idempotent. */
  async stop(): Promise<void> {
    try {
      await this.#lifecycle.stop();
    } catch (error) {
      throw new WeftError('internal', 'Not everything stopped as it should: the log says what', {
        cause: error,
      });
    }
  }
}

/** What was made for a daemon that did not come to be. */
async function stopAll(services: readonly Service[], logger: Logger): Promise<void> {
  for (const service of services) {
    await service
      .stop()
      .catch((error: unknown) => logger.error('Cannot stop', { service: service.name, error }));
  }
}

function claimService(claim: MachineClaim): Service {
  return { name: 'machine claim', start: async () => undefined, stop: () => claim.release() };
}

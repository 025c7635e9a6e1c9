/**
 * Starting and stopping in order. Services start one after another and stop in reverse, each within its time; what goes
 * wrong while stopping does not keep the others from stopping, and is reported at the end.
 */
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/logger.ts';

export interface Service {
  /** For the log. */
  readonly name: string;
  /** Resolves when the next service may rely on it. */
  start(): Promise<void>;
  /** Called only after a `start` that resolved. */
  stop(): Promise<void>;
}

export interface LifecycleOptions {
  /** Longest wait for one service to stop, milliseconds. */
  readonly stopMsMax: number;
}

export class Lifecycle {
  readonly #services: readonly Service[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: LifecycleOptions;
  readonly #started: Service[] = [];

  constructor(services: readonly Service[], clock: Clock, logger: Logger, options: LifecycleOptions) {
    this.#services = services;
    this.#clock = clock;
    this.#logger = logger;
    this.#options = options;
  }

  /** Starts all. When one fails, those before it are stopped and its error is thrown. */
  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        await service.start();
      } catch (error) {
        await this.stop().catch((stopError: unknown) => {
          this.#logger.error('Stopping after a failed start went wrong as well', { error: stopError });
        });
        throw error;
      }
      this.#started.push(service);
    }
  }

  /** Stops in reverse what was started. Idempotent. @throws AggregateError of all that went wrong, after the last one */
  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (let service = this.#started.pop(); service !== undefined; service = this.#started.pop()) {
      try {
        await this.#stopInTime(service);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything stopped as it should');
  }

  async #stopInTime(service: Service): Promise<void> {
    const scope = new AbortController();
    const late = this.#clock.sleep(this.#options.stopMsMax, scope.signal).then(() => {
      if (!scope.signal.aborted)
        throw new Error(`${service.name} did not stop in ${this.#options.stopMsMax} ms`);
    });
    try {
      await Promise.race([service.stop(), late]);
    } finally {
      scope.abort();
    }
  }
}

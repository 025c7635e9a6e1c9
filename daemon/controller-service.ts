/** Keeps the controller running between start and stop, and says so when it ends by itself. */
import type { CancelSignal } from '../core/ports/cancel.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Service } from './lifecycle.ts';

/** The part of a controller that is its life. */
export interface Runnable {
  run(signal: CancelSignal): Promise<void>;
  stop(): Promise<void>;
}

export class ControllerService implements Service {
  readonly name = 'controller';
  readonly #controller: Runnable;
  readonly #logger: Logger;
  readonly #scope = new AbortController();
  #running: Promise<void> | undefined;

  constructor(controller: Runnable, logger: Logger) {
    this.#controller = controller;
    this.#logger = logger;
  }

  /**
   * Begins; does not wait for the store, which may be down. When the controller breaks, that is logged and the API goes
   * on answering what it can: `weft status` shows that nothing moves, and the data plane stays.
   */
  async start(): Promise<void> {
    this.#running = this.#controller.run(this.#scope.signal).catch((error: unknown) => {
      this.#logger.error('The controller ended: restart the daemon', { error });
    });
  }

  async stop(): Promise<void> {
    this.#scope.abort();
    await this.#controller.stop();
    await this.#running;
  }
}

/** Keeps the controller running between start and stop, and tells when it ends by itself. */
import type { CancelSignal } from '../core/ports/cancel.ts';
import type { Service } from './lifecycle.ts';

/** The part of a controller that is its life. */
export interface Runnable {
  run(signal: CancelSignal): Promise<void>;
  stop(): Promise<void>;
}

export class ControllerService implements Service {
  readonly name = 'controller';
  readonly #controller: Runnable;
  readonly #scope = new AbortController();
  #running: Promise<void> | undefined;

  constructor(controller: Runnable) {
    this.#controller = controller;
  }

  /** Begins; does not wait for the store, which may be down. */
  async start(): Promise<void> {
    this.#running = this.#controller.run(this.#scope.signal);
    // Whoever asks for `ended` hears of it; until somebody does, it must not count as unhandled.
    this.#running.catch(() => undefined);
  }

  /**
   * Resolves when the controller has ended because it was told to; rejects when it could not go on, e.g. because the
   * cluster refuses this host.
   */
  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#scope.abort();
    await this.#controller.stop();
    // Why it ended by itself, if it did, is told by `ended`; that it has ended is enough here.
    await Promise.allSettled([this.#running]);
  }
}

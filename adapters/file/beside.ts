/** What lies beside the log in its directory: calls that read or write it, each after a look at the log itself. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { notSentError, repeatError, storeError } from './errors.ts';
import type { Exchanges } from './exchange.ts';
import { Serial } from './serial.ts';

export class Beside {
  readonly #directory: string;
  readonly #exchanges: Exchanges;
  /** Sees that the directory is there and holds the log that was opened. */
  readonly #refresh: (signal: CancelSignal) => Promise<void>;
  /** A repeated write must not meet the one that it repeats. */
  readonly #writes = new Serial();

  constructor(directory: string, exchanges: Exchanges, refresh: (signal: CancelSignal) => Promise<void>) {
    this.#directory = directory;
    this.#exchanges = exchanges;
    this.#refresh = refresh;
  }

  /** One at a time. @param doing for messages: `write /path` */
  async write(doing: string, signal: CancelSignal, work: () => Promise<void>): Promise<void> {
    await this.#refresh(signal);
    await this.#exchanges.run(
      signal,
      (given, onSend) =>
        this.#writes.run(async () => {
          if (given.aborted) throw notSentError(this.#directory, 'it was cancelled');
          onSend();
          await work();
        }),
      () => repeatError(doing),
    );
  }

  async look<T>(doing: string, signal: CancelSignal, read: () => Promise<T>): Promise<T> {
    await this.#refresh(signal);
    return await this.#exchanges.run(
      signal,
      () =>
        read().catch((error: unknown) => {
          throw storeError(error, doing);
        }),
      () => notSentError(this.#directory, 'it was cancelled'),
    );
  }
}

/** One thing at a time, in the order of asking. A failure concerns only who asked. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all that was asked for before has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

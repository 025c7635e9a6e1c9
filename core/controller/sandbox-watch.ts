/**
 * Notices sandboxes that were deleted behind weft's back, and releases their endpoints: a namespace that is gone takes
 * its interfaces with it, and an endpoint that stayed would hold its address and black-hole what is sent to it.
 *
 * A sandbox is gone when its reference leads nowhere, or to another namespace (its identity is never given twice). It is
 * looked at twice, `sandboxGraceMs` apart. What cannot be looked at (no permission) is not gone.
 */
import type { Kernel } from '../dataplane/kernel.ts';
import { isWeftError } from '../errors.ts';
import { Wake } from '../lib/wake.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Sandbox } from '../model/sandbox.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { sandboxCheckIntervalMs, sandboxGraceMs } from './defaults.ts';

export interface SandboxWatchTasks {
  /** The endpoints of this host, as the fold has them now. */
  endpoints(): Iterable<Endpoint>;
  /** Asks for the removal of an endpoint whose sandbox is gone. */
  release(endpoint: Endpoint, signal: CancelSignal): Promise<void>;
}

export class SandboxWatch {
  readonly #kernel: Kernel;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tasks: SandboxWatchTasks;
  readonly #wake = new Wake();

  constructor(
    kernel: Kernel,
    ports: { readonly clock: Clock; readonly logger: Logger },
    tasks: SandboxWatchTasks,
  ) {
    this.#kernel = kernel;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#tasks = tasks;
  }

  /** Something in a sandbox looked wrong: look at all of them now. */
  wake(): void {
    this.#wake.notify();
  }

  /** Watches until `signal` aborts. */
  async run(signal: CancelSignal): Promise<void> {
    while (!signal.aborted) {
      const suspects = await this.#gone([...this.#tasks.endpoints()]);
      if (suspects.length > 0) await this.#confirmAndRelease(suspects, signal);
      await this.#wake.wait(this.#clock, sandboxCheckIntervalMs, signal);
    }
  }

  async #confirmAndRelease(suspects: readonly Endpoint[], signal: CancelSignal): Promise<void> {
    await this.#clock.sleep(sandboxGraceMs, signal);
    for (const endpoint of await this.#gone(suspects)) {
      if (signal.aborted) return;
      const values = { endpoint: endpoint.id, name: endpoint.name, sandbox: endpoint.sandbox.ref };
      try {
        await this.#tasks.release(endpoint, signal);
        this.#logger.warn('released an endpoint whose sandbox is gone', values);
      } catch (error) {
        // Found again by the next round: nothing is lost by going on.
        this.#logger.warn('cannot release an endpoint whose sandbox is gone yet', {
          ...values,
          reason: String(error),
        });
      }
    }
  }

  /** Those of the endpoints whose sandboxes are gone, each sandbox looked at once. */
  async #gone(endpoints: readonly Endpoint[]): Promise<readonly Endpoint[]> {
    const verdicts = new Map<string, boolean>();
    for (const { sandbox } of endpoints) {
      const key = `${sandbox.identity} ${sandbox.ref}`;
      if (!verdicts.has(key)) verdicts.set(key, await this.#isGone(sandbox));
    }
    return endpoints.filter(({ sandbox }) => verdicts.get(`${sandbox.identity} ${sandbox.ref}`) === true);
  }

  async #isGone(sandbox: Sandbox): Promise<boolean> {
    try {
      return (await this.#kernel.inspectSandbox(sandbox.ref)).identity !== sandbox.identity;
    } catch (error) {
      if (isWeftError(error, 'no-such-sandbox') || isWeftError(error, 'bad-sandbox')) return true;
      this.#logger.warn('cannot look at a sandbox', { sandbox: sandbox.ref, reason: String(error) });
      return false;
    }
  }
}

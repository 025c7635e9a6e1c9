/**
 * Whether the fold has caught up with the log since the daemon started. Before that an empty list would be a lie, so
 * reads are refused; afterwards they answer from the fold whatever happens to the store.
 */
import type { Control, Phase, Status } from '../../core/controller/control.ts';
import { WeftError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';

const reading: ReadonlySet<Phase> = new Set<Phase>(['opening', 'catching-up']);

export class Readiness {
  readonly #control: Control;
  #readable = false;

  constructor(control: Control) {
    this.#control = control;
  }

  /** @throws WeftError `not-ready` until the fold has once been at the end of the log */
  async requireReadable(signal: CancelSignal): Promise<void> {
    if (this.#readable) return;
    const status = await this.#control.status(signal);
    if (reading.has(status.phase)) throw notReady(status);
    this.#readable = true;
  }

  /** @throws WeftError `not-ready` unless the host takes part in the log at this moment */
  async requireRunning(signal: CancelSignal): Promise<void> {
    const status = await this.#control.status(signal);
    if (status.phase !== 'running') throw notReady(status);
  }
}

function notReady(status: Status): WeftError {
  const reason = status.phaseReason ?? status.store.reason;
  const why = reason === undefined ? '' : `: ${reason}`;
  const message = `The daemon is not ready (${status.phase})${why}: try again, and see 'weft status'`;
  return new WeftError('not-ready', message, { details: { phase: status.phase } });
}

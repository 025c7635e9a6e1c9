/**
 * One process's way to servers that are spoken to over a network: a message for every request and one for every answer,
 * each of which takes its time and may be refused, lost, late or never answered.
 *
 * A request that was sent may arrive whatever becomes of its sender, and after its sender has tried again. No request
 * ends by itself: whoever sends it has a limit of his own.
 */
import type { Process } from '../world/process.ts';
import type { World } from '../world/world.ts';
import type { Link, Operation } from './link.ts';
import type { Outage } from './style.ts';

/** How long a request can be on its way. Less than the appender's `settleMs`, as that is meant to be. */
export const lateMsMax = 20_000;

/** How a request ended for its sender; `refused`: nothing was sent; `broken`: nobody knows what became of it. */
export type Ending<A> =
  | { readonly type: 'answered'; readonly answer: A }
  | { readonly type: 'refused' }
  | { readonly type: 'broken' };

/** What the store is to do about a request, beside what was asked. */
export interface Delivery<A> {
  readonly fate: 'full' | 'stale-read' | undefined;
  /** The sender was told, or will find, that nothing came of it: nobody hears the answer. */
  readonly isLate: boolean;
  reply(answer: A): void;
}

export interface WireParts {
  readonly world: World;
  readonly link: Link;
  readonly process: Process;
  readonly store: { readonly outage: Outage | undefined };
}

export class Wire {
  readonly #parts: WireParts;

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  /**
   * Sends a request; where no operation is named, nothing becomes of it on the way. `perform` is what the servers do when it arrives; they may reply at any later time.
   *
   * @returns gives the request up: `done` is not called any more
   */
  send<A>(
    operation: Operation | undefined,
    perform: (delivery: Delivery<A>) => void,
    done: (ending: Ending<A>) => void,
  ): () => void {
    const { world, link, process, store } = this.#parts;
    const { scheduler } = world;
    let isOver = false;
    const end = (ending: Ending<A>): void => {
      if (isOver) return;
      isOver = true;
      stopListening();
      done(ending);
    };
    const stopListening = link.onReset(() => end({ type: 'broken' }));
    const giveUp = (): void => {
      isOver = true;
      stopListening();
    };
    const answer = (ending: Ending<A>): void => {
      scheduler.after(link.delayMs(), process, () => end(ending));
    };
    const fate = operation === undefined ? undefined : link.fateOf(operation);
    if (fate !== undefined) world.note(process.name, `${operation}: ${fate}`);
    if (fate === 'refuse' || store.outage === 'refusing') {
      answer({ type: 'refused' });
      return giveUp;
    }
    if (fate === 'lose-request' || fate === 'hang') return giveUp;
    const isHeard = fate !== 'delay' && fate !== 'lose-answer';
    const afterMs = fate === 'delay' ? link.chance.unit() * lateMsMax : link.delayMs();
    scheduler.after(afterMs, undefined, () => {
      if (store.outage === 'silent') return;
      if (store.outage === 'refusing') return answer({ type: 'broken' });
      if (fate === 'delay' && process.dead) world.met('late request of a dead process lands');
      perform({
        fate: fate === 'full' || fate === 'stale-read' ? fate : undefined,
        isLate: fate === 'delay',
        reply: (value) => {
          if (isHeard) answer({ type: 'answered', answer: value });
        },
      });
    });
    return giveUp;
  }
}

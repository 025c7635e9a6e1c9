/** What changes would do. */
import { planView } from '../views.ts';
import type { HandlerDeps, Handlers } from './handler.ts';

export function planHandlers({ control, readiness }: HandlerDeps): Pick<Handlers, 'plan'> {
  return {
    async plan({ body, context }) {
      await readiness.requireReadable(context.signal);
      return planView(await control.plan(body, context));
    },
  };
}

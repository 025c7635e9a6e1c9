/** What lies beside the log in the store. The account is answered in any phase, also with the store down. */
import { storeView } from '../views.ts';
import type { HandlerDeps, Handlers } from './handler.ts';

export function storeHandlers({ control }: HandlerDeps): Pick<Handlers, 'storeStatus' | 'makeSnapshot'> {
  return {
    async storeStatus({ query, context }) {
      return storeView(await control.storeStatus({ check: query.check === 'true' }, context.signal));
    },
    async makeSnapshot({ context }) {
      const { id, ordinal, chunks, bytes, stateHash } = await control.makeSnapshot(context.signal);
      return { id, ordinal, chunks, bytes, stateHash };
    },
  };
}

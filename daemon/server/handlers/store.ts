/** What lies beside the log in the store. The account is answered in any phase, also with the store down. */
import { withoutSecrets } from '../../../core/lib/redact.ts';
import { recordVersion } from '../../../core/log/record.ts';
import type { LogId } from '../../../core/model/ids.ts';
import { storeView } from '../views.ts';
import type { HandlerDeps, Handlers } from './handler.ts';

type StoreRoute =
  | 'storeStatus'
  | 'reseedStore'
  | 'moveStore'
  | 'makeSnapshot'
  | 'beginExport'
  | 'exportLines';

export function storeHandlers(deps: HandlerDeps): Pick<Handlers, StoreRoute> {
  const { control, host, version } = deps;
  return {
    async storeStatus({ query, context }) {
      return storeView(await control.storeStatus({ check: query.check === 'true' }, context.signal));
    },
    async makeSnapshot({ context }) {
      const { id, ordinal, chunks, bytes, stateHash } = await control.makeSnapshot(context.signal);
      return { id, ordinal, chunks, bytes, stateHash };
    },
    async reseedStore({ body, context }) {
      const { force, discard } = body;
      const request = { force, ...(discard === undefined ? {} : { discard: discard as LogId }) };
      const { logId, beginning } = await control.reseed(request, context);
      const { store } = await control.status(context.signal);
      const { succeeds } = beginning.body;
      const { ordinal } = succeeds;
      return {
        store: withoutSecrets(store.url),
        logId,
        succeeds: succeeds.logId,
        ordinal,
        host: beginning.host,
      };
    },
    async moveStore({ body, context }) {
      const { logId, url } = await control.moveLog(body.to, context);
      return { store: withoutSecrets(url), logId };
    },
    async beginExport({ context }) {
      const head = control.beginExport();
      const { store } = await control.status(context.signal);
      return { ...head, weft: version, recordVersion, host, store: withoutSecrets(store.url) };
    },
    async exportLines({ params, query }) {
      const { lines, end } = control.exportPage(params.ref, query.page);
      return { items: [...lines], end };
    },
  };
}

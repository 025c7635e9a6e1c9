/** The daemon itself: where it stands, what its log says, what is wrong, and what its API is. */
import { openApiDocument } from '../../../api/openapi.ts';
import { doctorView, historyItemView, statusView } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';
import { shownHost } from './hosts.ts';

type StandingRoute = 'status' | 'log' | 'doctor' | 'openApi' | 'healthy' | 'ready';

export function standingHandlers(deps: HandlerDeps): Pick<Handlers, StandingRoute> {
  const { control, readiness } = deps;
  return {
    async status({ context }) {
      return statusView(await control.status(context.signal));
    },
    async log({ query, context }) {
      await readiness.requireReadable(context.signal);
      return listOf(deps, (await control.history(query)).map(historyItemView));
    },
    async doctor({ context }) {
      const hosts = [...control.state.hosts.values()].map((host) => shownHost(host, deps));
      return doctorView(await control.doctor(), await control.status(context.signal), hosts);
    },
    async openApi() {
      return openApiDocument(deps.version);
    },
    async healthy() {
      return { status: 'ok' };
    },
    async ready({ context }) {
      await readiness.requireRunning(context.signal);
      return { status: 'ok' };
    },
  };
}

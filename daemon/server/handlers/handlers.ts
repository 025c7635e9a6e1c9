/** What each route does: the control behind it, in the API's terms. Validation, errors and transport are the server's. */
import { Readiness } from '../readiness.ts';
import { bundleHandlers } from './bundle.ts';
import { endpointHandlers } from './endpoints.ts';
import type { HandlerDeps, Handlers } from './handler.ts';
import { hostHandlers } from './hosts.ts';
import { networkHandlers } from './networks.ts';
import { planHandlers } from './plan.ts';
import { standingHandlers } from './standing.ts';
import { storeHandlers } from './store.ts';

export function createHandlers(given: Omit<HandlerDeps, 'readiness'>): Handlers {
  const deps = { ...given, readiness: new Readiness(given.control) };
  return {
    ...networkHandlers(deps),
    ...endpointHandlers(deps),
    ...hostHandlers(deps),
    ...planHandlers(deps),
    ...standingHandlers(deps),
    ...bundleHandlers(deps),
    ...storeHandlers(deps),
  };
}

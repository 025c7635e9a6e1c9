/** Endpoints of all hosts. */
import { endpointsOfNetwork } from '../../../core/fold/lookup.ts';
import { shownEndpoint } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';

type EndpointRoute = 'listEndpoints' | 'inspectEndpoint' | 'removeEndpoint';

export function endpointHandlers(deps: HandlerDeps): Pick<Handlers, EndpointRoute> {
  const { control, readiness } = deps;
  return {
    async listEndpoints({ query: { network: ref }, context }) {
      await readiness.requireReadable(context.signal);
      const network = ref === undefined ? undefined : await control.findNetwork(ref, context.signal);
      const { state } = control;
      const endpoints = network === undefined ? state.endpoints.values() : endpointsOfNetwork(state, network);
      return listOf(
        deps,
        [...endpoints].map((endpoint) => shownEndpoint(endpoint, state)),
      );
    },
    async inspectEndpoint({ params, context }) {
      await readiness.requireReadable(context.signal);
      return shownEndpoint(await control.findEndpoint(params.ref, context.signal), control.state);
    },
    async removeEndpoint({ params, context }) {
      return shownEndpoint(await control.removeEndpoint(params.ref, context), control.state);
    },
  };
}

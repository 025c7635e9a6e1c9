/** Endpoints of all hosts. */
import { endpointFilters } from '../../../api/endpoint-filters.ts';
import { parseFilters } from '../../../api/filters.ts';
import { endpointsOfNetwork } from '../../../core/fold/lookup.ts';
import { shownEndpoint } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';

type EndpointRoute = 'listEndpoints' | 'inspectEndpoint' | 'removeEndpoint';

export function endpointHandlers(deps: HandlerDeps): Pick<Handlers, EndpointRoute> {
  const { control, readiness } = deps;
  return {
    async listEndpoints({ query: { network: ref, filter }, context }) {
      const isWanted = parseFilters(endpointFilters, filter);
      await readiness.requireReadable(context.signal);
      const network = ref === undefined ? undefined : await control.findNetwork(ref, context.signal);
      const { state } = control;
      const endpoints = network === undefined ? state.endpoints.values() : endpointsOfNetwork(state, network);
      return listOf(
        deps,
        [...endpoints]
          .map((endpoint) => ({
            endpoint: shownEndpoint(endpoint, state),
            network: state.networks.get(endpoint.network),
          }))
          .filter(isWanted)
          .map(({ endpoint }) => endpoint),
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

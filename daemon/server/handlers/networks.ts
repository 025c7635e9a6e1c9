/** Networks, and the sandboxes that come to and go from them. */
import { networkDetail, networkHere, networkView, shownEndpoint } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';

type NetworkRoute =
  | 'listNetworks'
  | 'createNetwork'
  | 'inspectNetwork'
  | 'removeNetwork'
  | 'connect'
  | 'disconnect';

export function networkHandlers(deps: HandlerDeps): Pick<Handlers, NetworkRoute> {
  const { control, readiness, host } = deps;
  const here = () => ({ state: control.state, host });
  return {
    async listNetworks({ context }) {
      await readiness.requireReadable(context.signal);
      return listOf(
        deps,
        [...control.state.networks.values()].map((network) => networkView(networkHere(network, here()))),
      );
    },
    async createNetwork({ body, context }) {
      return networkView(await control.createNetwork(body, context));
    },
    async inspectNetwork({ params, context }) {
      await readiness.requireReadable(context.signal);
      const network = await control.findNetwork(params.ref, context.signal);
      return networkDetail(network, here());
    },
    async removeNetwork({ params, context }) {
      return networkView(await control.removeNetwork(params.ref, context));
    },
    async connect({ params, body, context }) {
      return shownEndpoint(await control.connect(params.ref, body, context), control.state);
    },
    async disconnect({ params, body, context }) {
      return shownEndpoint(await control.disconnect(params.ref, body.ref, context), control.state);
    },
  };
}

/** Networks, and the sandboxes that come to and go from them. */
import { parseFilters } from '../../../api/filters.ts';
import { networkFilters, pruneFilters, type UsedNetwork } from '../../../api/network-filters.ts';
import type { NetworkView, Pruned } from '../../../api/schemas/network.ts';
import type { Control, RequestContext, RouteOverlap } from '../../../core/controller/control.ts';
import { isWeftError } from '../../../core/errors.ts';
import { endpointsOfNetwork } from '../../../core/fold/lookup.ts';
import { networkDetail, networkHere, networkView, shownEndpoint } from '../views.ts';
import { type HandlerDeps, type Handlers, listOf } from './handler.ts';

type NetworkRoute =
  | 'listNetworks'
  | 'createNetwork'
  | 'inspectNetwork'
  | 'removeNetwork'
  | 'pruneNetworks'
  | 'connect'
  | 'disconnect';

export function networkHandlers(deps: HandlerDeps): Pick<Handlers, NetworkRoute> {
  const { control, readiness, host } = deps;
  const here = () => ({ state: control.state, host });
  const usedNetworks = (): UsedNetwork[] =>
    [...control.state.networks.values()].map((network) => ({
      network: networkView(networkHere(network, here())),
      isUsed: () => !isEmpty(endpointsOfNetwork(control.state, network)),
    }));
  return {
    async listNetworks({ query, context }) {
      await readiness.requireReadable(context.signal);
      const isWanted = parseFilters(networkFilters, query.filter);
      return listOf(
        deps,
        usedNetworks()
          .filter(isWanted)
          .map(({ network }) => network),
      );
    },
    async createNetwork({ body, context }) {
      // Before: what fails behind the creation would be told as its failure.
      const overlaps = await control.routeOverlaps(body);
      const network = networkView(await control.createNetwork(body, context));
      return { ...network, warnings: overlaps.map((overlap) => overlapText(overlap, network.name, host)) };
    },
    async inspectNetwork({ params, context }) {
      await readiness.requireReadable(context.signal);
      const network = await control.findNetwork(params.ref, context.signal);
      return networkDetail(network, here());
    },
    async removeNetwork({ params, context }) {
      return networkView(await control.removeNetwork(params.ref, context));
    },
    async pruneNetworks({ body, context }) {
      const isWanted = parseFilters(pruneFilters, body.filters);
      await readiness.requireReadable(context.signal);
      const idle = usedNetworks().filter(
        (item) => !item.network.predefined && !item.isUsed() && isWanted(item),
      );
      return removeAll(
        control,
        idle.map(({ network }) => network),
        context,
      );
    },
    async connect({ params, body, context }) {
      return shownEndpoint(await control.connect(params.ref, body, context), control.state);
    },
    async disconnect({ params, body, context }) {
      return shownEndpoint(await control.disconnect(params.ref, body.ref, context), control.state);
    },
  };
}

/**
 * Each by a record of its own: one that somebody has connected to meanwhile is refused by the log and stays, and nothing
 * is taken from under anyone. In the order of their names. What fails otherwise ends it, for the rest would fail as well;
 * what was removed before is told all the same.
 *
 * @throws WeftError where nothing was removed
 */
async function removeAll(
  control: Control,
  networks: readonly NetworkView[],
  context: RequestContext,
): Promise<Pruned> {
  const removed: NetworkView[] = [];
  for (const { id, name } of networks.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    try {
      removed.push(networkView(await control.removeNetwork(id, context)));
    } catch (error) {
      if (isWeftError(error, 'network-in-use') || isWeftError(error, 'no-such-network')) continue;
      if (removed.length === 0 || !isWeftError(error)) throw error;
      return { removed, failure: { network: name, code: error.code, detail: error.message } };
    }
  }
  return { removed };
}

function overlapText({ subnet, route }: RouteOverlap, network: string, host: string): string {
  return `Network '${network}' has the subnet ${subnet}, which overlaps ${route}, to which host '${host}' has a route: there one hides the other; choose another subnet, or leave it`;
}

function isEmpty(items: Iterable<unknown>): boolean {
  return items[Symbol.iterator]().next().done === true;
}

/** What endpoints can be told apart by: themselves, and the network that they are on. */
import type { EndpointView, NetworkView } from '../../../api/index.ts';
import { exactly, type FilterKeys, labelled, partOf } from '../../filters.ts';

/** An endpoint with its network, where that was asked for and is still there. */
export interface PlacedEndpoint {
  readonly endpoint: EndpointView;
  readonly network: NetworkView | undefined;
}

export const endpointFilters: FilterKeys<PlacedEndpoint> = {
  driver: exactly(({ network }) => network?.driver ?? ''),
  host: exactly(({ endpoint }) => endpoint.host),
  id: partOf(({ endpoint }) => endpoint.id),
  label: labelled(({ network }) => network?.labels ?? {}),
  name: partOf(({ endpoint }) => endpoint.name ?? ''),
  network: exactly(({ endpoint }) => endpoint.networkName),
  sandbox: exactly(({ endpoint }) => endpoint.sandbox.ref),
};

/** Whether a filter is about the network more than the endpoint itself tells. */
export function asksForNetwork(filters: readonly string[]): boolean {
  return filters.some((text) => /^(driver|label)=/.test(text));
}

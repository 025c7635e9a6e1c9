/** What endpoints can be told apart by: themselves, and the network that they are on. */
import { exactly, type FilterKeys, labelled, partOf } from './filters.ts';
import type { EndpointView } from './schemas/endpoint.ts';

/** An endpoint, and what of its network matters, where that is there. */
export interface PlacedEndpoint {
  readonly endpoint: EndpointView;
  readonly network:
    | { readonly driver: string; readonly labels: Readonly<Record<string, string>> }
    | undefined;
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

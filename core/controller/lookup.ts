/** Finding objects by what users type: full ids, names, unambiguous id prefixes, in this order. Pure. */
import { WeftError } from '../errors.ts';
import { endpointNamed, endpointsOfNetwork, networkNamed } from '../fold/lookup.ts';
import type { State } from '../fold/state.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type EndpointId, isObjectId, type NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';

/** The network that a reference means; undefined when there is none. @throws WeftError `ambiguous` */
export function lookupNetwork(state: State, ref: string): Network | undefined {
  if (isObjectId(ref)) return state.networks.get(ref as NetworkId);
  const named = networkNamed(state, ref);
  if (named !== undefined) return named;
  return onlyMatch('network', ref, byIdPrefix(state.networks.values(), ref));
}

/** The endpoint that a reference means; `NETWORK/NAME` narrows a name to one network. @throws WeftError `ambiguous` */
export function lookupEndpoint(state: State, ref: string): Endpoint | undefined {
  if (isObjectId(ref)) return state.endpoints.get(ref as EndpointId);
  const slash = ref.indexOf('/');
  if (slash > 0) {
    const network = lookupNetwork(state, ref.slice(0, slash));
    return network === undefined ? undefined : lookupEndpointOf(state, network, ref.slice(slash + 1));
  }
  const named = [...state.networks.keys()].flatMap((network) => endpointNamed(state, network, ref) ?? []);
  if (named.length > 0) return onlyMatch('endpoint', ref, named);
  return onlyMatch('endpoint', ref, byIdPrefix(state.endpoints.values(), ref));
}

/** The endpoint of one network that a reference means: full id, name or id prefix. @throws WeftError `ambiguous` */
export function lookupEndpointOf(state: State, network: Network, ref: string): Endpoint | undefined {
  const named = endpointNamed(state, network.id, ref);
  if (named !== undefined) return named;
  return onlyMatch('endpoint', ref, byIdPrefix(endpointsOfNetwork(state, network), ref));
}

function byIdPrefix<T extends { readonly id: string }>(objects: Iterable<T>, prefix: string): T[] {
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return [];
  const matches: T[] = [];
  for (const object of objects) if (object.id.startsWith(prefix)) matches.push(object);
  return matches;
}

function onlyMatch<T extends { readonly id: string }>(
  kind: string,
  ref: string,
  matches: readonly T[],
): T | undefined {
  if (matches.length <= 1) return matches[0];
  const some = matches.slice(0, 3).map((match) => match.id.slice(0, 12));
  const hint =
    kind === 'endpoint' ? 'write NETWORK/NAME or more digits of the id' : 'write more digits of the id';
  throw new WeftError(
    'ambiguous',
    `'${ref}' matches ${matches.length} ${kind}s (${some.join(', ')}${matches.length > 3 ? ', …' : ''}): ${hint}`,
  );
}

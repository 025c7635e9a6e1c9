/** What an accepted record changed: the only thing that flows on from the fold. Whole objects, never deltas of them. */
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { Network } from '../model/network.ts';

export type Change =
  | { readonly type: 'host-set'; readonly host: Host; readonly previous?: Host }
  | { readonly type: 'host-removed'; readonly host: Host; readonly isExpired: boolean }
  | { readonly type: 'network-added'; readonly network: Network }
  | { readonly type: 'network-removed'; readonly network: Network }
  | { readonly type: 'endpoint-added'; readonly endpoint: Endpoint }
  | { readonly type: 'endpoint-removed'; readonly endpoint: Endpoint; readonly reason: EndpointRemoval }
  /** A sandbox's endpoint on its host's gateway bridge came, or has other addresses. */
  | { readonly type: 'gateway-set'; readonly gateway: Endpoint }
  | { readonly type: 'gateway-removed'; readonly gateway: Endpoint };

export type EndpointRemoval =
  | 'requested'
  | 'sandbox-gone'
  | 'attach-failed'
  | 'host-removed'
  | 'host-expired';

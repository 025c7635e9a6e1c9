import type { KernelObject, Link, MacvlanMode } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { macvlanModeOption } from '../../core/fold/driver-traits.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { gatewayRoutes } from '../default-route.ts';
import { loopbackUp } from '../loopback.ts';
import { askedMtu } from '../mtu.ts';
import { isInternal, parentOf } from '../parent.ts';
import { addressing, interfaceOf } from '../sandbox-interface.ts';

/** The interface of a local endpoint, with its way out; nothing for those of other hosts, which the segment finds. */
export function compileEndpoint(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  if (endpoint.host !== view.self.name) return [];
  return [
    loopbackUp(interfaceOf(endpoint).ns),
    macvlan(network, endpoint),
    ...addressing(endpoint),
    ...(isInternal(network) ? [] : gatewayRoutes(network, endpoint, view)),
  ];
}

function macvlan(network: Network, endpoint: Endpoint): Link {
  const mode = (network.options[macvlanModeOption] ?? 'bridge') as MacvlanMode;
  const mtu = askedMtu(network);
  return {
    kind: 'link',
    ...interfaceOf(endpoint),
    owner: `endpoint:${endpoint.id}`,
    up: true,
    ...(mtu === undefined ? {} : { mtu }),
    // One that is passed through has its parent's.
    ...(endpoint.mac === undefined ? {} : { mac: endpoint.mac }),
    type: { type: 'macvlan', parent: parentOf(network), mode },
  };
}

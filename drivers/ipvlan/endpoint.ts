import type { IpvlanFlag, IpvlanMode, KernelObject, Link, Route } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { ipvlanFlagOption, ipvlanModeOption } from '../../core/fold/driver-traits.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { gatewayRoutes, linkRoutes } from '../default-route.ts';
import { loopbackUp } from '../loopback.ts';
import { askedMtu } from '../mtu.ts';
import { isInternal, parentOf } from '../parent.ts';
import { addressing, interfaceOf } from '../sandbox-interface.ts';

/** The interface of a local endpoint, with its way out; nothing for those of other hosts. */
export function compileEndpoint(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  if (endpoint.host !== view.self.name) return [];
  return [
    loopbackUp(interfaceOf(endpoint).ns),
    ipvlan(network, endpoint),
    ...addressing(endpoint),
    ...wayOut(network, endpoint, view),
  ];
}

function modeOf(network: Network): IpvlanMode {
  return (network.options[ipvlanModeOption] ?? 'l2') as IpvlanMode;
}

function ipvlan(network: Network, endpoint: Endpoint): Link {
  const flag = (network.options[ipvlanFlagOption] ?? 'bridge') as IpvlanFlag;
  const mtu = askedMtu(network);
  return {
    kind: 'link',
    ...interfaceOf(endpoint),
    owner: `endpoint:${endpoint.id}`,
    up: true,
    ...(mtu === undefined ? {} : { mtu }),
    type: { type: 'ipvlan', parent: parentOf(network), mode: modeOf(network), flag },
  };
}

function wayOut(network: Network, endpoint: Endpoint, view: HostView): Route[] {
  if (isInternal(network)) return [];
  return modeOf(network) === 'l2' ? gatewayRoutes(network, endpoint, view) : linkRoutes(endpoint, view);
}

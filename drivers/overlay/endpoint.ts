/** What one endpoint adds to a host: an interface where its sandbox is, table entries everywhere else. */
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { addressOf } from '../../core/model/address.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import type { Network } from '../../core/model/network.ts';
import { macOf, pluggedInterface } from '../plugged-interface.ts';
import { overlayMtu } from './mtu.ts';
import { bridgeName, overlayNamespace, vxlanName } from './names.ts';

/** Nothing where the endpoint's host is not known: it was removed, and its endpoints are about to be. */
export function compileEndpoint(
  network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  if (endpoint.host === view.self.name) return localEndpoint(network, endpoint, view);
  const host = view.host(endpoint.host);
  return host === undefined ? [] : remoteEndpoint(network, endpoint, host, view);
}

function localEndpoint(network: Network, endpoint: Endpoint, view: HostView): KernelObject[] {
  return pluggedInterface(network, endpoint, {
    ns: overlayNamespace(network, view.netnsPrefix),
    bridge: bridgeName,
    mtu: overlayMtu(network, view),
    port: { learning: false, flood: false },
  });
}

/** The way to an endpoint of another host: who has its addresses, and behind which VTEP that is. */
function remoteEndpoint(network: Network, endpoint: Endpoint, host: Host, view: HostView): KernelObject[] {
  const mac = macOf(endpoint);
  const place = { ns: overlayNamespace(network, view.netnsPrefix), link: vxlanName };
  return [
    ...endpoint.addresses.map(
      (address): KernelObject => ({ kind: 'neighbour', ...place, address: addressOf(address), mac }),
    ),
    { kind: 'fdb', ...place, mac, remote: host.address },
  ];
}

/**
 * The gateway bridge of this host, and the interfaces that its sandboxes have on it, as parts of the desired state: by the
 * bridge driver, as if the network were of this host alone.
 */
import type { KernelObject } from '../dataplane/object.ts';
import type { Driver, HostView } from '../driver/driver.ts';
import { gatewayNetworkOn } from '../fold/gateway-network.ts';
import { type Endpoint, hasIpv6 } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';

/** What one sandbox has on the bridge. */
export function gatewayInterface(
  { network, driver }: { readonly network: Network; readonly driver: Driver },
  gateway: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  const here = gatewayNetworkOn(network, view.self, hasIpv6(gateway));
  return driver.compileEndpoint(here, gateway, view);
}

/** The bridge, as long as a sandbox is on it. */
export function gatewayBridge(
  { network, driver }: { readonly network: Network; readonly driver: Driver },
  gateways: Pick<PlacedGateways, 'size' | 'withIpv6'>,
  view: HostView,
): readonly KernelObject[] {
  if (gateways.size === 0) return [];
  return driver.compileNetwork(gatewayNetworkOn(network, view.self, gateways.withIpv6 > 0), view);
}

/** Those that are compiled, by the references of their sandboxes. */
export class PlacedGateways {
  readonly #byRef = new Map<string, Endpoint>();
  #withIpv6 = 0;

  get size(): number {
    return this.#byRef.size;
  }

  get withIpv6(): number {
    return this.#withIpv6;
  }

  /** @param gateway absent: the sandbox has none any more */
  set(ref: string, gateway: Endpoint | undefined): void {
    const before = this.#byRef.get(ref);
    if (before !== undefined && hasIpv6(before)) this.#withIpv6 -= 1;
    if (gateway === undefined) this.#byRef.delete(ref);
    else this.#byRef.set(ref, gateway);
    if (gateway !== undefined && hasIpv6(gateway)) this.#withIpv6 += 1;
  }
}

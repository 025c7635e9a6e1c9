/** How the parts of an overlay are called. */
import { type Namespace, ownedNamespace } from '../../core/dataplane/namespace.ts';
import type { Network } from '../../core/model/network.ts';

export const bridgeName = 'br0';
export const vxlanName = 'vxlan0';

/** Digits of a network's id in the name of its namespace, as in Docker's `1-f5ce773b3f`. */
const networkDigits = 10;

/** `weft-f5ce773b3f`. */
export function overlayNamespace(network: Network, netnsPrefix: string): Namespace {
  return ownedNamespace(`${netnsPrefix}${network.id.slice(0, networkDigits)}`);
}

/** How drivers call what they make. Names are as long as the kernel allows, so that ids stay recognisable. */
import { assert } from '../core/lib/assert.ts';
import { interfaceNameLengthMax } from '../core/limits.ts';
import type { Endpoint } from '../core/model/endpoint.ts';
import { type Mac, parseMac } from '../core/model/mac.ts';
import type { Network } from '../core/model/network.ts';

const vethPrefix = 'veth';
const endpointDigits = 11;
assert(vethPrefix.length + endpointDigits <= interfaceNameLengthMax, 'the name of a veth fits IFNAMSIZ');

/** The bridge's end of an endpoint's veth pair. */
export function vethName(endpoint: Endpoint): string {
  return `${vethPrefix}${endpoint.id.slice(0, endpointDigits)}`;
}

/**
 * The gateway's MAC: `02:57` and the network's id. A bridge without a MAC of its own takes the lowest of its ports and
 * changes it as they come and go, at which every endpoint's ARP entry for the gateway is wrong. It is the same on all
 * hosts, so that a moved endpoint finds its gateway; no frame to it leaves a host. Endpoints' MACs begin with `02:42`.
 */
export function gatewayMac(network: Network): Mac {
  const digits = network.id.slice(0, 8).match(/../g) ?? [];
  const mac = parseMac(['02', '57', ...digits].join(':'));
  assert(mac !== undefined, `network id ${network.id} begins with eight hexadecimal digits`);
  return mac;
}

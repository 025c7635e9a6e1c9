/**
 * The bridge driver: containers of one host on a bridge of the host's own namespace, with the host as their router.
 *
 * ```
 *   host                                              sandbox
 *   ┌────────────────────────────────────────┐        ┌───────────────────┐
 *   │ eth0 ⇠ nftables ⇢ br-<id> ── veth… ─────────────── eth0 (MAC, IPs)   │
 *   │                   (gateway addresses)  │        └───────────────────┘
 *   └────────────────────────────────────────┘
 * ```
 *
 * Every host that has an endpoint of the network has a bridge of its own of it, with the same subnet and gateway; see
 * docs/decisions/0017. Addresses are given out once in the whole cluster, so that an endpoint is the same wherever it is
 * named, but nothing leads from one host's bridge to another's.
 *
 * What may pass between bridges and the world is said by membership in the sets of weft's nftables table, whose rules are
 * the same whatever there is (`core/dataplane/firewall.ts`). Neighbours that may not reach each other are isolated ports
 * of the bridge, because frames between ports do not pass through that table.
 *
 * As on overlays the bridge learns nothing from its ports: each endpoint's MAC is in its table.
 *
 * Forwarding is switched on for the host as a whole, by `ip_forward` and for IPv6 by `all/forwarding`, and never off
 * again: others may rely on it by then. With IPv6 forwarding on, the kernel takes no router advertisements on links whose
 * `accept_ra` is 1; a host that gets its own default route from them needs `accept_ra=2` on its uplink.
 */
import type { Driver } from '../../core/driver/driver.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileNetwork } from './network.ts';

export const bridgeDriver: Driver = { name: 'bridge', compileNetwork, compileEndpoint };

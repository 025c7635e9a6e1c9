/**
 * The macvlan driver: sandboxes on the segment that a link of their host is plugged into, each with a MAC address of its
 * own, as if it were a machine there (`ip link add ... type macvlan`).
 *
 * ```
 *   host's namespace                       sandbox
 *   ┌─────────────────────────────┐        ┌───────────────────┐
 *   │ parent (eth0, eth0.50, dm-…)  ────────  eth0 (MAC, IPs)   │
 *   └───┼─────────────────────────┘        └───────────────────┘
 *       └ the outside, with the gateway
 * ```
 *
 * The network is known to all hosts, and each looks for the parent by its name among its own links, when it has an
 * endpoint of it. What connects the parents of two hosts is the operator's; weft only sees to it that no address is
 * given twice. The gateway is a machine out there: no host has its address, and nobody is told of remote endpoints,
 * because the segment finds them by itself.
 *
 * A parent `NAME.N` is the part of VLAN N on NAME, which weft makes and takes away. Without a parent it is a dummy, so
 * that the network is an internal one of each host.
 *
 * `macvlan_mode` says who reaches whom of one parent: in `bridge` all reach each other; in `private` none do, also not by
 * way of a switch that sends back; in `vepa` they do by such a switch only; `passthru` gives the whole parent, with its
 * MAC address, to one sandbox. The host itself reaches no endpoint on its own parent: that is how macvlan is.
 *
 * The parent may go and come back: with it goes the interface, and weft makes it anew as soon as it finds the parent.
 */
import type { Driver } from '../../core/driver/driver.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileNetwork } from './network.ts';

export const macvlanDriver: Driver = { name: 'macvlan', compileNetwork, compileEndpoint };

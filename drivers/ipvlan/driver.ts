/**
 * The ipvlan driver: like macvlan, but with the parent's MAC address for all, so that a switch or a wireless network that
 * lets in one address a port lets in all of them (`ip link add ... type ipvlan`). Frames are told apart by IP addresses.
 *
 * `ipvlan_mode` says what the parent does: in `l2` it is on the segment, and the gateway is a machine there; in `l3` and
 * `l3s` it routes, there is neither ARP nor broadcast, and everything beyond is on the link itself. What is outside then
 * needs a route to the host. `l3s` has the host's netfilter see the packets. `ipvlan_flag` says who reaches whom of one
 * parent: all (`bridge`), none (`private`), or by a switch that sends back (`vepa`).
 *
 * A kernel without ipvlan refuses the interface, and whoever connects is told so.
 */
import type { Driver } from '../../core/driver/driver.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileNetwork } from './network.ts';

export const ipvlanDriver: Driver = { name: 'ipvlan', compileNetwork, compileEndpoint };

/**
 * The overlay driver: one Ethernet segment over many hosts, by VXLAN (RFC 7348).
 *
 * On every host that has an endpoint of the network:
 *
 * ```
 *   namespace weft-<network>                          sandbox
 *   ┌────────────────────────────────────────┐        ┌───────────────────┐
 *   │ vxlan0 ── br0 (gateway addresses) ── veth… ────── eth1 (MAC, IPs)   │
 *   └───┼────────────────────────────────────┘        └───────────────────┘
 *       └ UDP socket in the host's namespace
 * ```
 *
 * Three tables carry all that is known, each an exact set that the reconciler holds:
 * - the bridge's FDB, one static entry per local endpoint: MAC → veth;
 * - the FDB of vxlan0, one permanent entry per remote endpoint: MAC → VTEP;
 * - the neighbours of vxlan0, one permanent entry per address of a remote endpoint: IP → MAC, from which it answers
 *   ARP and ND itself (`proxy`). A question that it cannot answer it drops.
 *
 * Why nothing is learned. With learning on, the ports of br0 remember where a MAC was last seen. An endpoint that moves
 * to another host, or an address and with it a MAC that is given to another endpoint, then has a fresh permanent entry
 * in vxlan0 that nobody asks, because the bridge still sends its frames to the port where the old one was: up to five
 * minutes of black hole, or for ever where traffic keeps the entry young. Docker had learning on and met it (an
 * exclusively created entry lost to a learned one never came back). With learning off on every port, a MAC that the
 * bridge has no static entry for is unknown unicast; flooding is off on the veths and on at vxlan0, so the frame goes
 * to vxlan0 alone, where the exact set decides: a VTEP, or the frame is dropped. There is one truth for each MAC.
 *
 * Why no list of VTEPs for flooding (the all-zero FDB entry). Broadcast and multicast stay on the host: ARP and ND need
 * none of it, and a copy to every host for each of them is what makes flat overlays fall over. Nothing but unicast
 * between endpoints is ever on the underlay.
 *
 * How the tables grow. All three are hash tables (rhashtable, or resized by the kernel), looked up once a frame. A host
 * holds entries for the endpoints of those networks that it has an endpoint of, and of no other; one endpoint more in
 * a network is one operation per table row on each such host, whatever the size of the network. Permanent neighbours
 * are not counted against `gc_thresh3` since Linux 5.0, so Docker's raised thresholds are not needed.
 *
 * Who may send. The host's firewall drops frames with the VNI of a network that come from anywhere but the VTEPs of the
 * cluster's other hosts, before the VXLAN socket gets them (`members-only.ts`).
 *
 * Why IPv6 is off in the namespace unless asked for. Otherwise each link there gives itself a link-local address,
 * announces it and asks for routers: objects that nobody desires, and noise for the endpoints. Where the network has
 * IPv6, br0 and vxlan0 alone have it, without addresses of their own making; br0 gets fe80::1 because the kernel asks
 * for the neighbours of packets that it forwards from a link-local address or not at all (`ndisc_ns_create`).
 */
import type { Driver } from '../../core/driver/driver.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileHost } from './members-only.ts';
import { compileNetwork } from './network.ts';

export const overlayDriver: Driver = { name: 'overlay', compileNetwork, compileEndpoint, compileHost };

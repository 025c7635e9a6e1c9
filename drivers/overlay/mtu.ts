/** How large a frame's payload may be, so that with VXLAN's headers around it the underlay still carries it. */
import type { HostView } from '../../core/driver/driver.ts';
import { assert } from '../../core/lib/assert.ts';
import { mtuMax, mtuMin, vxlanOverheadBytesIpv4, vxlanOverheadBytesIpv6 } from '../../core/limits.ts';
import { familyOf } from '../../core/model/address.ts';
import type { Network } from '../../core/model/network.ts';
import { askedMtu } from '../mtu.ts';

/** Bytes. The option, or the smallest underlay MTU less the outer headers. */
export function overlayMtu(network: Network, view: HostView): number {
  const asked = askedMtu(network);
  if (asked !== undefined) {
    assert(Number.isInteger(asked) && asked >= mtuMin && asked <= mtuMax, `MTU ${asked} is one`);
    return asked;
  }
  const overhead = familyOf(view.self.address) === 4 ? vxlanOverheadBytesIpv4 : vxlanOverheadBytesIpv6;
  const underlay = Math.min(view.self.mtu, view.underlayMtuMin ?? view.self.mtu);
  return Math.max(underlay - overhead, mtuMin);
}

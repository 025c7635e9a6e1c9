/**
 * What keeps frames of strangers out of a host's overlays: whoever reaches a host's VXLAN port and guesses a VNI could
 * otherwise send to its endpoints as if he were one. Nothing of it where the host's operator switched it off.
 */
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { familyOf } from '../../core/model/address.ts';
import type { Host } from '../../core/model/host.ts';

const ns = hostNamespace;

/** Of one network: frames with its VNI come from members alone. */
export function membersOnly(vni: number, view: HostView): readonly KernelObject[] {
  if (view.acceptsForeignVteps) return [];
  return [
    { kind: 'nft-table', ns, intact: true },
    { kind: 'nft-element', ns, set: 'vnis', key: [String(vni)] },
  ];
}

/** Of a host: it is a member. This host is none to itself, since it sends no frames to itself. */
export function compileHost(host: Host, view: HostView): readonly KernelObject[] {
  if (view.acceptsForeignVteps || host.name === view.self.name) return [];
  return [{ kind: 'nft-element', ns, set: `vteps${familyOf(host.address)}`, key: [host.address] }];
}

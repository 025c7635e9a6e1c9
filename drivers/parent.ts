/** What the interfaces of a network are stacked on: a link of the host's, or one that weft makes for it. */
import { hostNamespace } from '../core/dataplane/namespace.ts';
import type { Link, LinkPlace } from '../core/dataplane/object.ts';
import { parentOption } from '../core/fold/driver-traits.ts';
import { assert } from '../core/lib/assert.ts';
import { interfaceNameLengthMax } from '../core/limits.ts';
import type { Network } from '../core/model/network.ts';
import { parseParent } from '../core/model/parent.ts';

/** Docker's, for a network without a parent. */
const dummyPrefix = 'dm-';
/** Digits of a network's id behind it. */
const networkDigits = 12;
assert(dummyPrefix.length + networkDigits <= interfaceNameLengthMax, 'the name of a dummy fits IFNAMSIZ');

/** The link by whose name the network's interfaces are made. */
export function parentOf(network: Network): LinkPlace {
  const name = network.options[parentOption] ?? `${dummyPrefix}${network.id.slice(0, networkDigits)}`;
  return { ns: hostNamespace, name };
}

/**
 * The link where it is weft's to make: a dummy where none was named, which keeps the network on its host; or the part of
 * one VLAN where a VLAN was. The last user of the network takes it along.
 */
export function parentLinks(network: Network): Link[] {
  const { vlan, link } = parseParent(network.options[parentOption] ?? '');
  const common = { kind: 'link', ...parentOf(network), owner: `network:${network.id}`, up: true } as const;
  if (network.options[parentOption] === undefined) return [{ ...common, type: { type: 'dummy' } }];
  if (vlan === undefined) return [];
  return [{ ...common, type: { type: 'vlan', parent: { ns: hostNamespace, name: link }, id: vlan } }];
}

/** Without a way out: asked for, or for want of a parent. */
export function isInternal(network: Network): boolean {
  return network.internal || network.options[parentOption] === undefined;
}

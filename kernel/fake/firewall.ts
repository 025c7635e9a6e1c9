/**
 * The rules of the fake machine for weft's nftables table, and for its rule in chains of others.
 *
 * What weft itself changes is told to nobody, as the real adapter tells nothing of its own transactions; what others
 * change makes the whole table stale.
 */
import type { DroppingChain } from '../../core/dataplane/dropping-chain.ts';
import { sameState } from '../../core/dataplane/equal.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { hostNamespace, type Namespace } from '../../core/dataplane/namespace.ts';
import type { NftElement, NftTable, ObjectKind } from '../../core/dataplane/object.ts';
import { forgetOutdated } from './flows.ts';
import type { Machine } from './machine.ts';
import { refuse } from './refusal.ts';
import type { FakeNamespace } from './state.ts';

const nftKinds: ReadonlySet<ObjectKind> = new Set(['nft-table', 'nft-element', 'nft-accepts']);

/** Makes the table, or makes it anew, and then empty, where it is not as wanted. */
export function setTable(machine: Machine, table: NftTable, byHand: boolean): void {
  const namespace = hostOf(machine, table.ns);
  const { firewall } = namespace;
  if (firewall?.intact === table.intact) return;
  // By hand the rules of a table are altered, and what is in its sets stays.
  if (byHand && firewall !== undefined) firewall.intact = table.intact;
  else namespace.firewall = { intact: table.intact, elements: new Map() };
  changed(machine, table.ns, byHand);
}

export function deleteTable(machine: Machine, ns: Namespace, byHand: boolean): void {
  const namespace = machine.namespaces.get(ns);
  if (namespace?.firewall === undefined) return;
  if (!byHand)
    for (const element of namespace.firewall.elements.values()) forgetOutdated(namespace, element, true);
  namespace.firewall = undefined;
  changed(machine, ns, byHand);
}

export function setElement(machine: Machine, element: NftElement, byHand: boolean): void {
  const namespace = hostOf(machine, element.ns);
  const { firewall } = namespace;
  if (firewall === undefined) return refuse('ENOENT', 'no table inet weft');
  if (!byHand) forgetOutdated(namespace, element, false);
  const key = keyOf(element);
  const old = firewall.elements.get(key);
  if (old !== undefined && sameState(element, old)) return;
  firewall.elements.set(key, element);
  changed(machine, element.ns, byHand);
}

export function deleteElement(machine: Machine, element: NftElement, byHand: boolean): void {
  const namespace = machine.namespaces.get(element.ns);
  if (namespace !== undefined && !byHand) forgetOutdated(namespace, element, true);
  if (namespace?.firewall?.elements.delete(keyOf(element)) === true) changed(machine, element.ns, byHand);
}

/** Others make a chain that drops what is forwarded. */
export function addDroppingChain(machine: Machine, chain: DroppingChain): void {
  const namespace = hostOf(machine, hostNamespace);
  namespace.droppingChains = [...namespace.droppingChains, chain];
  changed(machine, hostNamespace, true);
}

/** Puts weft's rule in every such chain, or takes it out. */
export function setAccepts(machine: Machine, ns: Namespace, accepts: boolean, byHand: boolean): void {
  const namespace = hostOf(machine, ns);
  if (namespace.droppingChains.every((chain) => chain.accepts === accepts)) return;
  namespace.droppingChains = namespace.droppingChains.map((chain) => ({ ...chain, accepts }));
  changed(machine, ns, byHand);
}

/** `nft flush ruleset` takes along what is others'. */
export function flushRuleset(machine: Machine): void {
  hostOf(machine, hostNamespace).droppingChains = [];
  deleteTable(machine, hostNamespace, true);
}

function hostOf(machine: Machine, ns: Namespace): FakeNamespace {
  const namespace = machine.namespace(ns);
  if (ns !== hostNamespace) refuse('EOPNOTSUPP', `weft has no firewall in ${ns}`);
  return namespace;
}

function changed(machine: Machine, ns: Namespace, byHand: boolean): void {
  machine.changed(byHand ? { type: 'stale', ns, kinds: nftKinds } : undefined);
}

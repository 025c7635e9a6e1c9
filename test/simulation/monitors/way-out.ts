/**
 * Whether sandboxes have a way out where they should have one, and none where they should not, read off the kernel's
 * objects. As `wire.ts` it knows the state of the fold and how Linux forwards, and shares nothing with what it judges: who
 * needs the gateway bridge is said here once more, by drivers' names.
 */
import { hostNamespace, sandboxNamespace } from '../../../core/dataplane/namespace.ts';
import type { KernelObject, Link, Route } from '../../../core/dataplane/object.ts';
import type { State } from '../../../core/fold/state.ts';
import { addressOf } from '../../../core/model/address.ts';
import type { Network } from '../../../core/model/network.ts';

const bridge = 'weft_gwbridge';

/** What is wrong with the ways out of a host's sandboxes, one line each. @param objects all that its kernel has */
export function wayOutFaults(objects: readonly KernelObject[], host: string, state: State): string[] {
  const faults: string[] = [];
  const given = new Map<string, string>();
  for (const [ref, networks] of networksOf(host, state)) {
    const ns = sandboxNamespace(ref);
    const ways = objects.filter(
      (each): each is Route => each.kind === 'route' && each.ns === ns && each.destination === '0.0.0.0/0',
    );
    const onBridge = ways.filter((way) => isOnBridge(objects, way));
    const say = (what: string) =>
      faults.push(`${ref} on ${networks.map(({ name }) => name).join()}: ${what}`);
    if (ways.length > 1) say(`${ways.length} default routes`);
    if (networks.some(leadsOut)) {
      if (ways.length === 0) say('no default route');
      if (onBridge.length > 0) say('a default route over the gateway bridge, beside its own way out');
    } else if (networks.some(({ driver, internal }) => driver === 'overlay' && !internal)) {
      const [way] = onBridge;
      if (way === undefined) say('no way out over the gateway bridge');
      else for (const fault of faultsOf(objects, way, given, ref)) say(fault);
    } else if (ways.length > 0) {
      say('a way out, and its networks are internal');
    }
  }
  return faults;
}

/** The networks that give interfaces, of each sandbox of the host. */
function networksOf(host: string, state: State): ReadonlyMap<string, readonly Network[]> {
  const all = new Map<string, Network[]>();
  for (const endpoint of state.endpoints.values()) {
    const network = state.networks.get(endpoint.network);
    if (endpoint.host !== host || endpoint.ifname === undefined || network === undefined) continue;
    all.set(endpoint.sandbox.ref, [...(all.get(endpoint.sandbox.ref) ?? []), network]);
  }
  return all;
}

function leadsOut({ driver, internal, options }: Network): boolean {
  if (internal) return false;
  return driver === 'bridge' || (['macvlan', 'ipvlan'].includes(driver) && options['parent'] !== undefined);
}

function isOnBridge(objects: readonly KernelObject[], way: Route): boolean {
  return portOf(objects, way)?.master === bridge;
}

/** The host's end of the interface that a route of a sandbox leads out by. */
function portOf(objects: readonly KernelObject[], { ns, link }: Route): Link | undefined {
  return objects.find(
    (each): each is Link =>
      each.kind === 'link' &&
      each.ns === hostNamespace &&
      each.type.type === 'veth' &&
      each.type.peer.ns === ns &&
      each.type.peer.name === link,
  );
}

function* faultsOf(
  objects: readonly KernelObject[],
  way: Route,
  given: Map<string, string>,
  ref: string,
): IterableIterator<string> {
  const port = portOf(objects, way);
  if (port?.port?.isolated !== true) yield 'its neighbours on the gateway bridge are reached';
  const addresses = objects.filter((each) => each.kind === 'address');
  const isRouter = addresses.some(
    ({ ns, link, address }) => ns === hostNamespace && link === bridge && addressOf(address) === way.via,
  );
  if (!isRouter) yield `${way.via} is not the gateway bridge's`;
  const own = addresses.filter(({ ns, link }) => ns === way.ns && link === way.link);
  if (own.length === 0) yield 'no address on the gateway bridge';
  for (const { address } of own) {
    const other = given.get(address);
    if (other !== undefined) yield `${address} is ${other}'s too`;
    given.set(address, ref);
  }
  for (const set of ['bridges', 'outward', 'masquerade4'])
    if (!objects.some((each) => each.kind === 'nft-element' && each.set === set && each.key[0] === bridge))
      yield `the gateway bridge is not among ${set}`;
}

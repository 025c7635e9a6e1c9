/**
 * The endpoints of this host, by network and by sandbox.
 *
 * A sandbox that was deleted and made again under its old reference is another sandbox: until the endpoints of the old
 * one are released, both are in the state, and both would want `eth0` in one place. Only the endpoints of the latest
 * sandbox of a reference count, the one that the youngest endpoint is in; those of the others have nowhere to be.
 */
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';

export class LocalEndpoints {
  readonly #byNetwork = new Map<NetworkId, Map<string, Endpoint>>();
  readonly #bySandbox = new Map<string, Map<string, Endpoint>>();

  add(endpoint: Endpoint): void {
    put(this.#byNetwork, endpoint.network, endpoint);
    put(this.#bySandbox, endpoint.sandbox.ref, endpoint);
  }

  remove(endpoint: Endpoint): void {
    drop(this.#byNetwork, endpoint.network, endpoint);
    drop(this.#bySandbox, endpoint.sandbox.ref, endpoint);
  }

  /**
   * Every endpoint of this host with that sandbox reference, in no particular order.
   *
   * @param identity of the sandbox; absent: outdated ones included
   */
  inSandbox(ref: string, identity?: string): Iterable<Endpoint> {
    const all = this.#bySandbox.get(ref)?.values() ?? [];
    return identity === undefined ? all : [...all].filter(({ sandbox }) => sandbox.identity === identity);
  }

  /** The endpoints of this host on the network whose sandboxes are the latest of their references. */
  onNetwork(network: NetworkId): readonly Endpoint[] {
    const endpoints = this.#byNetwork.get(network);
    return endpoints === undefined
      ? []
      : [...endpoints.values()].filter((endpoint) => this.isCurrent(endpoint));
  }

  hasNetwork(network: NetworkId): boolean {
    for (const endpoint of this.#byNetwork.get(network)?.values() ?? []) {
      if (this.isCurrent(endpoint)) return true;
    }
    return false;
  }

  networks(): Iterable<NetworkId> {
    return this.#byNetwork.keys();
  }

  sandboxes(): Iterable<string> {
    return this.#bySandbox.keys();
  }

  isCurrent(endpoint: Endpoint): boolean {
    return endpoint.sandbox.identity === latestIdentity(this.inSandbox(endpoint.sandbox.ref));
  }
}

/** Identity of the sandbox that the youngest of some endpoints with one reference is in. */
export function latestIdentity(endpoints: Iterable<Endpoint>): string | undefined {
  let latest: Endpoint | undefined;
  for (const endpoint of endpoints) {
    if (latest === undefined || isYounger(endpoint, latest)) latest = endpoint;
  }
  return latest?.sandbox.identity;
}

/** Ids only break ties that the fold never makes. */
function isYounger(a: Endpoint, b: Endpoint): boolean {
  if (a.created.ordinal !== b.created.ordinal) return a.created.ordinal > b.created.ordinal;
  return a.id > b.id;
}

function put<K>(index: Map<K, Map<string, Endpoint>>, key: K, endpoint: Endpoint): void {
  const group = index.get(key);
  if (group === undefined) index.set(key, new Map([[endpoint.id, endpoint]]));
  else group.set(endpoint.id, endpoint);
}

function drop<K>(index: Map<K, Map<string, Endpoint>>, key: K, endpoint: Endpoint): void {
  const group = index.get(key);
  group?.delete(endpoint.id);
  if (group?.size === 0) index.delete(key);
}

/**
 * Network namespaces as the data plane names them. One text per namespace, so that it can be part of a key:
 * - `host`: where the daemon runs and the underlay is;
 * - `net:NAME`: a named namespace that weft made and owns, visible in `ip netns list`;
 * - `sandbox:REF`: a user's sandbox by its reference; weft owns only what it put there.
 */
declare const brand: unique symbol;

export type Namespace = string & { readonly [brand]: 'Namespace' };

export const hostNamespace: Namespace = 'host' as Namespace;

export function ownedNamespace(name: string): Namespace {
  return `net:${name}` as Namespace;
}

export function sandboxNamespace(ref: string): Namespace {
  return `sandbox:${ref}` as Namespace;
}

/** The parts of a namespace's text. */
export function parseNamespace(
  namespace: Namespace,
):
  | { readonly type: 'host' }
  | { readonly type: 'owned'; readonly name: string }
  | { readonly type: 'sandbox'; readonly ref: string } {
  if (namespace === hostNamespace) return { type: 'host' };
  if (namespace.startsWith('net:')) return { type: 'owned', name: namespace.slice('net:'.length) };
  return { type: 'sandbox', ref: namespace.slice('sandbox:'.length) };
}

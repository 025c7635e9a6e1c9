/** Loopback, which every namespace has and none has up. */
import type { Namespace } from '../core/dataplane/namespace.ts';
import type { Link } from '../core/dataplane/object.ts';

/** Loopback of the namespace, up. Never made or deleted, so it has no owner, and several endpoints may ask for it. */
export function loopbackUp(ns: Namespace): Link {
  return { kind: 'link', ns, name: 'lo', owner: '', up: true, type: { type: 'loopback' } };
}

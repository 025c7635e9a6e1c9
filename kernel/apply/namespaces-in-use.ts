/** The namespaces and links that one `apply` has to do with, each looked up once. */
import type { Namespace } from '../../core/dataplane/namespace.ts';
import { errno } from '../native/constants.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import type { NamespaceHandle, NamespaceRegistry, OpenFault } from '../netns/registry.ts';
import { getLink, type LinkRecord, readLink } from '../objects/link.ts';
import { dumpRoutes, type RouteRecord } from '../objects/route.ts';
import { refusal, refusalOf } from './outcome.ts';

export class NamespacesInUse {
  readonly registry: NamespaceRegistry;
  readonly #handles: Map<Namespace, NamespaceHandle | OpenFault> = new Map();
  readonly #links: Map<Namespace, Map<string, LinkRecord | undefined>> = new Map();
  readonly #routes: Map<Namespace, RouteRecord[]> = new Map();

  constructor(registry: NamespaceRegistry) {
    this.registry = registry;
  }

  /** Undefined when it does not exist. @throws OperationFailure when it is there but cannot be used */
  find(ns: Namespace): NamespaceHandle | undefined {
    const found = this.#handles.get(ns) ?? this.registry.acquire(ns);
    this.#handles.set(ns, found);
    if (typeof found === 'object') return found;
    if (found === 'absent') return undefined;
    throw refusalOf(found, ns);
  }

  /** @throws OperationFailure */
  get(ns: Namespace): NamespaceHandle {
    const found = this.find(ns);
    if (found === undefined) throw refusalOf('absent', ns);
    return found;
  }

  link(handle: NamespaceHandle, name: string): LinkRecord | undefined {
    const known = this.#links.get(handle.ns) ?? new Map<string, LinkRecord | undefined>();
    this.#links.set(handle.ns, known);
    if (!known.has(name)) known.set(name, askForLink(handle, name));
    return known.get(name);
  }

  /**
   * The number of a link that objects may be put on.
   *
   * @throws OperationFailure when it does not exist, or is not weft's
   */
  linkIndex(handle: NamespaceHandle, name: string): number {
    const link = this.link(handle, name);
    if (link === undefined) throw refusal(errno.ENODEV, `${name} in ${handle.ns}`);
    if (handle.type !== 'owned' && link.weft === undefined) {
      throw refusal(errno.EPERM, `${name} in ${handle.ns} is not weft's`);
    }
    return link.index;
  }

  /** As they were when read, and as `apply` has changed them since; undefined when they must be read. */
  routes(ns: Namespace): RouteRecord[] | undefined {
    return this.#routes.get(ns);
  }

  readRoutes(handle: NamespaceHandle): RouteRecord[] {
    const routes = dumpRoutes(handle.requests);
    this.#routes.set(handle.ns, routes);
    return routes;
  }

  /** Routes go and come with addresses. */
  routesChanged(ns: Namespace): void {
    this.#routes.delete(ns);
  }

  /** Links have changed: what was looked up counts no more. Deleting one deletes its mate, wherever that is. */
  linksChanged(): void {
    this.#links.clear();
    this.#routes.clear();
  }

  /** The namespace was made or removed. */
  namespaceChanged(ns: Namespace): void {
    const handle = this.#handles.get(ns);
    if (typeof handle === 'object') this.registry.release(handle);
    this.registry.forget(ns);
    this.#handles.delete(ns);
    this.linksChanged();
  }

  releaseAll(): void {
    for (const handle of this.#handles.values()) {
      if (typeof handle === 'object') this.registry.release(handle);
    }
    this.#handles.clear();
  }
}

/** @throws KernelError for anything but its absence */
function askForLink(handle: NamespaceHandle, name: string): LinkRecord | undefined {
  const [answer] = handle.requests.ask([getLink(name)], readLink);
  if (!(answer instanceof KernelError)) return answer;
  if (answer.errno === errno.ENODEV) return undefined;
  throw answer;
}

/**
 * Namespaces by their text, opened.
 *
 * An open namespace lives on, whoever removes its name. Those of weft's own are kept open between calls (with their
 * request socket) and compared with their name at each use, so that one that was removed or made anew is let go; a
 * user's sandbox is opened for a call and let go at its end, so that weft does not keep it alive.
 */
import * as fs from 'node:fs';
import { type Namespace, ownedNamespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import { parseSandboxRef } from '../../core/model/sandbox.ts';
import { RequestSocket } from '../netlink/request.ts';
import { NetlinkSocket, type NetlinkSocketOptions } from '../netlink/socket.ts';
import type { HomeNamespace } from './enter.ts';
import type { MachineMounts } from './machine-mounts.ts';
import type { NamedNamespaces } from './named-namespaces.ts';
import { type NamespaceFault, namespaceInode, openNamespaceFile } from './namespace-file.ts';

/** An open namespace. */
export interface NamespaceHandle {
  readonly ns: Namespace;
  readonly type: 'host' | 'owned' | 'sandbox';
  readonly fd: number;
  readonly inode: number;
  /** Asks in this namespace. */
  readonly requests: RequestSocket;
}

/** Why a namespace cannot be opened. `host`: the reference leads to where the daemon runs, or to process 1's. */
export type OpenFault = NamespaceFault | 'host' | 'malformed';

export class NamespaceRegistry {
  readonly home: HomeNamespace;
  /** The host's namespace: home, unless another was named. */
  readonly host: { readonly fd: number; readonly inode: number };
  readonly named: NamedNamespaces;
  readonly #mounts: MachineMounts;
  readonly #netnsPrefix: string;
  /** `/proc/PID/ns/net` of the process that stands for the machine. */
  readonly #machinePath: string | undefined;
  readonly #kept: Map<Namespace, NamespaceHandle> = new Map();

  constructor(
    home: HomeNamespace,
    named: NamedNamespaces,
    mounts: MachineMounts,
    options: {
      readonly netnsPrefix: string;
      readonly machineProcess: string | undefined;
      readonly hostPath: string | undefined;
    },
  ) {
    this.home = home;
    this.host = options.hostPath === undefined ? home : openHost(options.hostPath);
    this.named = named;
    this.#mounts = mounts;
    this.#netnsPrefix = options.netnsPrefix;
    this.#machinePath = options.machineProcess === undefined ? undefined : `${options.machineProcess}/ns/net`;
  }

  /** For use within one call; give it back with `release`. */
  acquire(ns: Namespace): NamespaceHandle | OpenFault {
    const { type } = parseNamespace(ns);
    if (type === 'sandbox') return this.open(ns);
    const kept = this.#kept.get(ns);
    if (kept !== undefined && this.isCurrent(kept)) return kept;
    this.forget(ns);
    const opened = this.open(ns);
    if (typeof opened === 'object') this.#kept.set(ns, opened);
    return opened;
  }

  release(handle: NamespaceHandle): void {
    if (this.#kept.get(handle.ns) !== handle) this.close(handle);
  }

  /** A handle of the caller's own; `close` it. */
  open(ns: Namespace): NamespaceHandle | OpenFault {
    const { type } = parseNamespace(ns);
    if (type === 'host') return this.#handle(ns, type, this.host);
    let fault: OpenFault = 'malformed';
    for (const path of this.pathsOf(ns)) {
      const opened = openNamespaceFile(path);
      if (typeof opened === 'object') {
        if (!this.#isHost(opened.inode)) return this.#handle(ns, type, opened);
        fs.closeSync(opened.fd);
        return 'host';
      }
      // What was found first says most, but for "absent".
      if (fault === 'malformed' || fault === 'absent') fault = opened;
    }
    return fault;
  }

  /** True where the text leads to the host's namespace. */
  leadsToHost(ns: Namespace): boolean {
    return this.pathsOf(ns).some((path) => namespaceInode(path) === this.host.inode);
  }

  close(handle: NamespaceHandle): void {
    handle.requests.close();
    if (handle.type !== 'host') fs.closeSync(handle.fd);
  }

  /** True while the text still leads to the namespace of the handle. */
  isCurrent(handle: NamespaceHandle): boolean {
    if (handle.type === 'host') return true;
    return this.pathsOf(handle.ns).some((path) => namespaceInode(path) === handle.inode);
  }

  /** Opens a notification socket there. */
  openSocket(handle: NamespaceHandle, options: NetlinkSocketOptions): NetlinkSocket {
    return openSocketIn(this.home, handle.fd, options);
  }

  /** Where the namespace is to be looked for, in order. Empty for a malformed reference. */
  pathsOf(ns: Namespace): string[] {
    const parsed = parseNamespace(ns);
    if (parsed.type === 'host') return ['/proc/thread-self/ns/net'];
    if (parsed.type === 'owned')
      return isPlainName(parsed.name) ? this.#bothWays(this.#named(parsed.name)) : [];
    const ref = parseSandboxRef(parsed.ref);
    switch (ref?.type) {
      case 'name':
        return this.#bothWays(this.#named(ref.name));
      case 'pid':
        return [`/proc/${ref.pid}/ns/net`];
      case 'path':
        return ref.path.startsWith('/proc/') ? [ref.path] : this.#bothWays(ref.path);
      default:
        return [];
    }
  }

  /** True for the names that weft of this prefix gives to its namespaces. */
  isOwnedName(name: string): boolean {
    return name.startsWith(this.#netnsPrefix) && /^[0-9a-f]{10}$/.test(name.slice(this.#netnsPrefix.length));
  }

  /** Weft's own, as named. */
  owned(): Namespace[] {
    return this.named
      .names()
      .filter((name) => this.isOwnedName(name) && this.named.exists(name))
      .map(ownedNamespace);
  }

  closeAll(): void {
    for (const ns of [...this.#kept.keys()]) this.forget(ns);
    if (this.host !== this.home) fs.closeSync(this.host.fd);
    this.home.close();
  }

  /** Lets go of a namespace that is about to be removed. */
  forget(ns: Namespace): void {
    const kept = this.#kept.get(ns);
    if (kept === undefined) return;
    this.#kept.delete(ns);
    this.close(kept);
  }

  #handle(
    ns: Namespace,
    type: NamespaceHandle['type'],
    opened: { readonly fd: number; readonly inode: number },
  ): NamespaceHandle {
    const requests = new RequestSocket((receiveBufferBytes) =>
      openSocketIn(this.home, opened.fd, { receiveBufferBytes }),
    );
    return { ns, type, fd: opened.fd, inode: opened.inode, requests };
  }

  #isHost(inode: number): boolean {
    if (inode === this.home.inode || inode === this.host.inode) return true;
    return (
      namespaceInode('/proc/1/ns/net') === inode ||
      (this.#machinePath !== undefined && namespaceInode(this.#machinePath) === inode)
    );
  }

  #named(name: string): string {
    return `${this.named.directory}/${name}`;
  }

  #bothWays(path: string): string[] {
    const outside = this.#mounts.path(path);
    return outside === path ? [path] : [path, outside];
  }
}

/** @throws Error when there is no namespace at that path */
function openHost(path: string): { readonly fd: number; readonly inode: number } {
  const opened = openNamespaceFile(path);
  if (typeof opened === 'object') return opened;
  throw new Error(`${path} is no network namespace that can be the host's: ${opened}`);
}

function openSocketIn(home: HomeNamespace, fd: number, options: NetlinkSocketOptions): NetlinkSocket {
  return home.inside(fd, () => new NetlinkSocket(options));
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name);
}

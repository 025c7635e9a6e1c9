/**
 * Changes of the followed namespaces, as they happen.
 *
 * What the kernel notifies of is heard on one socket per namespace. That a namespace is gone is seen by its file (a
 * named one, or at a path) or the end of its process (`pid:N`), and then the socket is closed at once, because an open
 * one would keep the namespace alive. Hosts files are watched as files. Sysctls are not watched: the kernel tells of few
 * of them, so the audit finds those.
 *
 * Events are pulled: what is not asked for waits in the sockets, and what they cannot hold becomes `stale`.
 */
import * as path from 'node:path';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import { type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type { HostsFile } from '../../core/dataplane/object.ts';
import { parseSandboxRef } from '../../core/model/sandbox.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { HostsFiles } from '../hosts-file.ts';
import { close, pidfdOpen } from '../native/libc.ts';
import type { PeerFinder } from '../netns/peers.ts';
import type { NamespaceRegistry } from '../netns/registry.ts';
import type { Firewall } from '../nft/firewall.ts';
import { FirewallWatch } from '../nft/firewall-watch.ts';
import { FollowedNamespace } from './followed-namespace.ts';
import { Poller } from './poller.ts';
import { WatchedFiles } from './watched-files.ts';

interface Followed {
  readonly namespace: FollowedNamespace;
  /** Of the host's namespace alone. */
  readonly firewall: FirewallWatch | undefined;
  /** Becomes readable when the process that the sandbox is named after ends. */
  readonly pidfd: number | undefined;
}

export class KernelWatch {
  readonly #registry: NamespaceRegistry;
  readonly #peers: PeerFinder;
  readonly #hosts: HostsFiles;
  readonly #firewall: Firewall;
  readonly #logger: Logger;
  readonly #signal: CancelSignal;
  readonly #poller: Poller = new Poller();
  readonly #files: WatchedFiles;
  readonly #followed: Map<Namespace, Followed> = new Map();
  /** By socket and pidfd. */
  readonly #byFd: Map<number, Followed> = new Map();
  readonly #lastHosts: Map<Namespace, HostsFile | undefined> = new Map();
  readonly #end = (): void => this.end();
  /** Directories in which something changed since the last turn. */
  #changedDirectories: Set<string> = new Set();
  #ended = false;
  #released = false;

  constructor(
    registry: NamespaceRegistry,
    peers: PeerFinder,
    hosts: HostsFiles,
    firewall: Firewall,
    logger: Logger,
    signal: CancelSignal,
  ) {
    this.#firewall = firewall;
    this.#registry = registry;
    this.#peers = peers;
    this.#hosts = hosts;
    this.#logger = logger;
    this.#signal = signal;
    this.#files = new WatchedFiles((directory) => {
      this.#changedDirectories.add(directory);
      if (!this.#ended) this.#poller.wake();
    }, logger);
    signal.addEventListener('abort', this.#end, { once: true });
    if (signal.aborted) this.end();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** When this returns, everything that happens in the namespaces is heard. */
  follow(namespaces: ReadonlySet<Namespace>): void {
    if (this.#ended) return;
    for (const [ns, followed] of [...this.#followed]) {
      if (!namespaces.has(ns) || !this.#registry.isCurrent(followed.namespace.handle))
        this.#drop(ns, followed);
    }
    for (const ns of namespaces) if (!this.#followed.has(ns)) this.#add(ns);
    for (const ns of [...this.#lastHosts.keys()]) if (!namespaces.has(ns)) this.#lastHosts.delete(ns);
    for (const ns of namespaces) {
      if (this.#hosts.pathOf(ns) !== undefined && !this.#lastHosts.has(ns)) {
        this.#lastHosts.set(ns, this.#readHosts(ns));
      }
    }
    this.watchFiles();
  }

  /** To be called when weft has made directories that may be of interest. */
  watchFiles(): void {
    if (!this.#ended) this.#files.watch(this.#directories());
  }

  /** No events come after this; whoever waits for one is told so. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal.removeEventListener('abort', this.#end);
    if (this.#poller.waiting) this.#poller.wake();
    else this.#release();
  }

  async *events(): AsyncGenerator<KernelEvent, void, undefined> {
    try {
      while (!this.#ended) {
        const ready = await this.#poller.wait();
        if (this.#ended) break;
        for (const event of this.#turn(ready)) {
          yield event;
          if (this.#ended) break;
        }
      }
    } finally {
      this.end();
      this.#release();
    }
  }

  #turn(ready: readonly number[]): KernelEvent[] {
    const events: KernelEvent[] = [];
    const changed = this.#changedDirectories;
    this.#changedDirectories = new Set();
    let look = this.#holdNamespaces(changed);
    for (const fd of ready) {
      const followed = this.#byFd.get(fd);
      if (followed === undefined) continue;
      if (fd === followed.pidfd) look = true;
      else if (fd === followed.firewall?.fd) events.push(...followed.firewall.drain());
      else events.push(...this.#drain(followed));
    }
    if (look) events.push(...this.#gone());
    if (changed.size > 0) {
      events.push(...this.#hostsEvents(changed));
      this.watchFiles();
    }
    return events;
  }

  /** Whether a followed namespace may have lost its name by what changed in these directories. */
  #holdNamespaces(changed: ReadonlySet<string>): boolean {
    if (changed.size === 0) return false;
    const paths = [...this.#followed.keys()].flatMap((ns) => this.#registry.pathsOf(ns));
    return paths.some((file) => changed.has(path.dirname(file)));
  }

  #drain({ namespace }: Followed): KernelEvent[] {
    try {
      return namespace.drain();
    } catch (error) {
      // The socket itself failed: it is opened anew, and what it missed must be looked at.
      const { ns } = namespace;
      this.#logger.warn('Lost the notifications of a namespace', { ns, error: String(error) });
      const followed = this.#followed.get(ns);
      if (followed !== undefined) this.#drop(ns, followed);
      return [this.#reopen(ns) ? { type: 'stale', ns } : { type: 'namespace-gone', ns }];
    }
  }

  /** False when the namespace is gone. One that is there but cannot be heard is left to the audit, and told. */
  #reopen(ns: Namespace): boolean {
    try {
      this.#add(ns);
      return this.#followed.has(ns);
    } catch (error) {
      this.#logger.error('Cannot follow a namespace any more', { ns, error: String(error) });
      return true;
    }
  }

  #gone(): KernelEvent[] {
    const events: KernelEvent[] = [];
    for (const [ns, followed] of [...this.#followed]) {
      if (this.#registry.isCurrent(followed.namespace.handle)) continue;
      this.#drop(ns, followed);
      // Kept open it would live on.
      this.#registry.forget(ns);
      events.push({ type: 'namespace-gone', ns });
    }
    return events;
  }

  #hostsEvents(changed: ReadonlySet<string>): KernelEvent[] {
    const all = changed.has(this.#hosts.directory);
    return [...this.#lastHosts].flatMap(([ns, before]): KernelEvent[] => {
      const file = this.#hosts.pathOf(ns);
      if (!all && (file === undefined || !changed.has(path.dirname(file)))) return [];
      const after = this.#readHosts(ns);
      this.#lastHosts.set(ns, after);
      if (after !== undefined) {
        return sameHosts(before, after) ? [] : [{ type: 'present', object: after }];
      }
      return before === undefined ? [] : [{ type: 'absent', object: before }];
    });
  }

  /** What cannot be read is not weft's block; the audit reports the reason. */
  #readHosts(ns: Namespace): HostsFile | undefined {
    try {
      return this.#hosts.read(ns);
    } catch (error) {
      this.#logger.warn('Cannot read a hosts file', { ns, error: String(error) });
      return undefined;
    }
  }

  #add(ns: Namespace): void {
    const handle = this.#registry.open(ns);
    if (typeof handle !== 'object') return;
    let followed: Followed;
    try {
      followed = {
        namespace: new FollowedNamespace(this.#registry, this.#peers, handle),
        firewall:
          handle.type === 'host' ? new FirewallWatch(this.#registry, this.#firewall, handle) : undefined,
        pidfd: openPidfd(ns),
      };
    } catch (error) {
      this.#registry.close(handle);
      throw error;
    }
    this.#followed.set(ns, followed);
    for (const fd of descriptorsOf(followed)) {
      this.#byFd.set(fd, followed);
      this.#poller.add(fd);
    }
    // It may have gone between opening it and hearing of its end.
    if (!this.#registry.isCurrent(handle)) this.#drop(ns, followed);
  }

  #drop(ns: Namespace, followed: Followed): void {
    this.#followed.delete(ns);
    for (const fd of descriptorsOf(followed)) {
      this.#byFd.delete(fd);
      this.#poller.remove(fd);
    }
    followed.namespace.close();
    followed.firewall?.close();
    if (followed.pidfd !== undefined) close(followed.pidfd);
  }

  #directories(): Set<string> {
    const directories = new Set<string>();
    for (const ns of this.#followed.keys()) {
      for (const file of this.#registry.pathsOf(ns)) {
        if (!/^\/proc\/\d+\/|^\/proc\/[a-z]+-self\/ns/.test(file)) directories.add(path.dirname(file));
      }
    }
    for (const ns of this.#lastHosts.keys()) {
      const file = this.#hosts.pathOf(ns);
      if (file === undefined) continue;
      directories.add(path.dirname(file)).add(this.#hosts.directory);
    }
    return directories;
  }

  #release(): void {
    if (this.#released || this.#poller.waiting) return;
    this.#released = true;
    this.#files.close();
    for (const [ns, followed] of [...this.#followed]) this.#drop(ns, followed);
    this.#poller.close();
  }
}

function descriptorsOf({ namespace, firewall, pidfd }: Followed): number[] {
  return [namespace.socket.fd, firewall?.fd, pidfd].filter((fd) => fd !== undefined);
}

function openPidfd(ns: Namespace): number | undefined {
  const parsed = parseNamespace(ns);
  const ref = parsed.type === 'sandbox' ? parseSandboxRef(parsed.ref) : undefined;
  const pid = ref?.type === 'pid' ? ref.pid : procPid(ref?.type === 'path' ? ref.path : undefined);
  return pid === undefined ? undefined : pidfdOpen(pid);
}

function procPid(file: string | undefined): number | undefined {
  const digits = file === undefined ? undefined : /^\/proc\/(\d+)\//.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function sameHosts(before: HostsFile | undefined, after: HostsFile): boolean {
  if (before === undefined) return false;
  return before.entries === after.entries || entriesText(before) === entriesText(after);
}

function entriesText(file: HostsFile): string {
  return JSON.stringify(file.entries);
}

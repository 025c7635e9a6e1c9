/**
 * The machine's network, for real: the port `core/dataplane/kernel.ts` over rtnetlink, nftables, nsfs, /proc/sys and hosts files.
 *
 * - `native/` is the C library, `netlink/` messages, attributes and sockets, with the layouts as tables in
 *   `netlink/tables/`; `objects/` has one file per kind of object: to requests, and from messages.
 * - `nft/` is the firewall: dumps over netlink, changes through libnftables.
 * - `netns/` opens, makes and enters namespaces; `ownership.ts` says what in them is weft's.
 * - `dump.ts`, `apply/` and `watch/` are the three sides of the port.
 *
 * Everything that enters a namespace does so in one synchronous section on the main thread and comes back, or the
 * process ends. Needs CAP_NET_ADMIN, CAP_SYS_ADMIN and Linux 5.18.
 */
import { readFileSync } from 'node:fs';
import type { DroppingChain } from '../core/dataplane/dropping-chain.ts';
import type {
  Kernel,
  KernelEvent,
  Operation,
  OperationResult,
  SandboxInspection,
} from '../core/dataplane/kernel.ts';
import { hostNamespace, type Namespace, sandboxNamespace } from '../core/dataplane/namespace.ts';
import type { KernelObject } from '../core/dataplane/object.ts';
import { isWeftError, WeftError } from '../core/errors.ts';
import { addressOf, type IpAddress, type Prefix } from '../core/model/address.ts';
import type { Listener } from '../core/model/published-port.ts';
import type { CancelSignal } from '../core/ports/cancel.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/logger.ts';
import { Applier } from './apply/apply.ts';
import { NamespaceDumper } from './dump.ts';
import { HostsFiles } from './hosts-file.ts';
import { requestBufferBytes } from './limits.ts';
import { Listeners } from './listeners.ts';
import { HomeNamespace } from './netns/enter.ts';
import { MachineMounts } from './netns/machine-mounts.ts';
import { machineProcess } from './netns/machine-process.ts';
import { NamedNamespaces } from './netns/named-namespaces.ts';
import { PeerFinder } from './netns/peers.ts';
import { type NamespaceHandle, NamespaceRegistry, type OpenFault } from './netns/registry.ts';
import { Firewall } from './nft/firewall.ts';
import { dumpAddresses } from './objects/address.ts';
import { dumpLinks } from './objects/link.ts';
import { dumpDestinations } from './objects/route.ts';
import { KernelWatch } from './watch/kernel-watch.ts';

export interface LinuxKernelOptions {
  /** Prefix of the names of weft's own namespaces, `weft-` by default of the daemon. */
  readonly netnsPrefix: string;
  /** Where named namespaces are. */
  readonly netnsDir?: string;
  /** Path of the namespace that is the host's; absent: the one that the process is in. */
  readonly hostNetns?: string;
  /** Where the files of named namespaces are that `ip netns exec` mounts. */
  readonly hostsDir?: string;
}

export class LinuxKernel implements Kernel {
  readonly #mounts: MachineMounts;
  readonly #registry: NamespaceRegistry;
  readonly #hosts: HostsFiles;
  readonly #peers: PeerFinder;
  readonly #firewall: Firewall;
  readonly #listeners: Listeners;
  readonly #dumper: NamespaceDumper;
  readonly #applier: Applier;
  readonly #logger: Logger;
  #followed: ReadonlySet<Namespace> = new Set();
  #watch: KernelWatch | undefined;
  #closed = false;
  /** Whether sandboxes were searched for what nothing leads to: once in the life of a daemon, which then knows its own. */
  #searched = false;

  /** The namespace in which this is called is the host's, unless the options name another. */
  constructor(options: LinuxKernelOptions, ports: { readonly logger: Logger; readonly clock: Clock }) {
    const { netnsPrefix, netnsDir = '/run/netns', hostsDir = '/etc/netns' } = options;
    const machine = machineProcess();
    const home = new HomeNamespace();
    this.#logger = ports.logger;
    this.#mounts = new MachineMounts(machine, ports.logger);
    const named = new NamedNamespaces(netnsDir, this.#mounts, home);
    this.#registry = new NamespaceRegistry(home, named, this.#mounts, {
      netnsPrefix,
      machineProcess: machine,
      hostPath: options.hostNetns,
    });
    this.#hosts = new HostsFiles({ hostsDirectory: hostsDir, netnsDirectory: netnsDir, prefix: netnsPrefix });
    this.#peers = new PeerFinder(this.#registry);
    this.#firewall = new Firewall(this.#registry);
    this.#listeners = new Listeners(this.#registry);
    const parts = [this.#registry, this.#peers, this.#hosts, this.#firewall, ports.clock] as const;
    this.#dumper = new NamespaceDumper(...parts);
    this.#applier = new Applier(...parts);
  }

  async namespaces(): Promise<readonly Namespace[]> {
    this.#requireOpen();
    const listed = this.#told('Cannot list namespaces', () => [
      ...this.#registry.owned(),
      ...(this.#dumper.isInHost() ? [hostNamespace] : []),
      ...this.#hosts.namespaces(),
    ]);
    if (this.#searched) return listed;
    const found = await this.#dumper.sandboxes();
    this.#searched = true;
    return [...new Set([...listed, ...found])];
  }

  async dump(ns: Namespace, options: Parameters<Kernel['dump']>[1] = {}): Promise<readonly KernelObject[]> {
    this.#requireOpen();
    try {
      return await this.#dumper.dump(ns, options);
    } catch (error) {
      throw toWeftError(`Cannot read ${ns}`, error);
    }
  }

  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.#requireOpen();
    const results = await this.#applier.apply(operations);
    if (operations.some(({ object }) => object.kind === 'hosts' || object.kind === 'netns')) {
      this.#watch?.watchFiles();
    }
    return results;
  }

  /** Listening begins with the call, not with the first event that is asked for. */
  watch(signal: CancelSignal): AsyncIterable<KernelEvent> {
    this.#requireOpen();
    if (this.#watch?.ended === false) {
      throw new WeftError('internal', 'Cannot watch the kernel twice at a time: end the first watch before');
    }
    const watch = new KernelWatch(
      this.#registry,
      this.#peers,
      this.#hosts,
      this.#firewall,
      this.#logger,
      signal,
    );
    this.#watch = watch;
    watch.follow(this.#followed);
    const events = watch.events();
    return { [Symbol.asyncIterator]: () => events };
  }

  async follow(namespaces: ReadonlySet<Namespace>): Promise<void> {
    this.#requireOpen();
    this.#followed = new Set(namespaces);
    this.#told('Cannot follow namespaces', () => this.#watch?.follow(this.#followed));
  }

  async inspectSandbox(ref: string): Promise<SandboxInspection> {
    this.#requireOpen();
    const opened = this.#registry.open(sandboxNamespace(ref));
    const isHost = opened === 'host' && this.#registry.leadsToHost(sandboxNamespace(ref));
    const handle = isHost ? this.#registry.open(hostNamespace) : opened;
    if (typeof handle !== 'object') throw sandboxError(ref, handle);
    try {
      return this.#told(`Cannot look into the sandbox ${ref}`, () => ({
        identity: this.#identityOf(handle),
        foreignLinks: dumpLinks(handle.requests)
          .filter((link) => link.weft === undefined)
          .map((link) => link.name),
        ...(isHost ? { isHost } : {}),
      }));
    } finally {
      this.#registry.close(handle);
    }
  }

  async underlay(address: IpAddress): Promise<{ readonly link: string; readonly mtu: number }> {
    this.#requireOpen();
    return this.#told('Cannot read the underlay', () => {
      const host = this.#registry.acquire(hostNamespace) as NamespaceHandle;
      const found = dumpAddresses(host.requests).find((one) => addressOf(one.address) === address);
      const link = dumpLinks(host.requests).find((one) => one.index === found?.index);
      if (link !== undefined) return { link: link.name, mtu: link.mtu };
      throw new WeftError(
        'bad-configuration',
        `Cannot advertise ${address}: no interface of this host has it; give one that \`ip address\` shows`,
      );
    });
  }

  async routes(): Promise<readonly Prefix[]> {
    this.#requireOpen();
    return this.#told('Cannot read the routes of this host', () => {
      const host = this.#registry.acquire(hostNamespace) as NamespaceHandle;
      return dumpDestinations(host.requests);
    });
  }

  async droppingChains(): Promise<readonly DroppingChain[]> {
    this.#requireOpen();
    return this.#told("Cannot read other firewalls' chains", () => this.#firewall.droppingChains());
  }

  async listeners(isNamed: (listener: Listener) => boolean): Promise<readonly Listener[]> {
    this.#requireOpen();
    try {
      return await this.#listeners.list(isNamed);
    } catch (error) {
      throw toWeftError('Cannot read what listens on this host', error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.end();
    this.#firewall.close();
    this.#listeners.close();
    this.#registry.closeAll();
    this.#mounts.close();
  }

  #identityOf(handle: NamespaceHandle): string {
    const socket = this.#registry.openSocket(handle, { receiveBufferBytes: requestBufferBytes });
    try {
      return `${bootId()}:${socket.namespaceCookie()}`;
    } finally {
      socket.close();
    }
  }

  #told<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toWeftError(what, error);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new WeftError('closed', 'The kernel adapter is closed');
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

function toWeftError(what: string, error: unknown): WeftError {
  if (isWeftError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new WeftError('kernel', `${what}: ${reason}`, { cause: error });
}

function sandboxError(ref: string, fault: OpenFault): WeftError {
  switch (fault) {
    case 'absent':
      return new WeftError(
        'no-such-sandbox',
        `Cannot find the sandbox ${ref}: no such network namespace on this host; see \`ip netns list\``,
      );
    case 'denied':
      return new WeftError('permission-denied', `Cannot open the sandbox ${ref}: the daemon lacks the right`);
    case 'host':
      return new WeftError(
        'host-sandbox',
        `Cannot use ${ref} as a sandbox: it is the machine's own network namespace, and the daemon runs in another; name another`,
      );
    case 'no-namespace':
    case 'malformed':
      return new WeftError(
        'bad-sandbox',
        `Cannot use ${ref} as a sandbox: it is no network namespace; give NAME, /absolute/path or pid:N`,
      );
  }
}

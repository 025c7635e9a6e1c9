/**
 * PORT: the machine's network, as far as weft needs it. Real in `kernel/`, in memory in `kernel/fake/`; both pass
 * `test/contract/kernel.contract.ts`.
 *
 * The kernel is asked for what is there (`dump`), told what to do (`apply`) and heard when something changes (`watch`).
 * It never decides: what should be there is the reconciler's business.
 */
import type { IpAddress, Prefix } from '../model/address.ts';
import type { Listener } from '../model/published-port.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { DroppingChain } from './dropping-chain.ts';
import type { Namespace } from './namespace.ts';
import type { KernelObject, ObjectKind } from './object.ts';

export interface Kernel {
  /**
   * The namespaces in which weft (of this namespace prefix) has anything: those it owns, and sandboxes with a hosts
   * block of its own. Sandboxes without are found through the veth pairs whose bridge ends lie in owned namespaces, and
   * by the first call, for what an earlier daemon has left, those of `ip netns` with links that are stacked on the host's.
   */
  namespaces(): Promise<readonly Namespace[]>;

  /**
   * Every object in the namespace that is weft's: links by their alias, everything on them, static entries of their
   * tables, routes over them, and in owned namespaces the namespace itself. Loopback is reported as a link wherever the
   * namespace exists. Sysctls are reported for the names asked for. What others made is never reported: not a link
   * without our alias, not an address that a user added to our interface in a sandbox (ours carry our protocol number).
   * Nor are link-local addresses that the kernel gave itself, and link-local routes. Empty when the namespace does not
   * exist, but for a hosts block, which is in `/etc/netns` and outlives its sandbox.
   *
   * The first dump of the host's firewall also makes the kernel forget flows that contradict the published UDP ports that are
   * there, in case a former life of the daemon died between the two.
   *
   * @param kinds restricts the dump; absent: all kinds
   * @param sysctls names below `/proc/sys/` whose values are wanted
   */
  dump(
    ns: Namespace,
    options?: { kinds?: ReadonlySet<ObjectKind>; sysctls?: readonly string[] },
  ): Promise<readonly KernelObject[]>;

  /**
   * Carries out operations in the order given, many to a system call where they allow it, and reports on each. A failed
   * operation does not stop the rest. With a published UDP port that comes, changes or goes, the kernel forgets the
   * flows that it tracks and that lead elsewhere, or there still. Deleting what is not there and making what is there already as wanted succeed.
   *
   * @returns one result per operation, in their order
   */
  apply(operations: readonly Operation[]): Promise<readonly OperationResult[]>;

  /**
   * Changes to the namespaces given to `follow`, by whomever, our own included. Ends when `signal` aborts. Between the
   * end of one and the start of another `watch`, changes are lost; there is at most one at a time.
   */
  watch(signal: CancelSignal): AsyncIterable<KernelEvent>;

  /** The set of namespaces that `watch` reports on. Replaces the former set; those that do not exist are left out. */
  follow(namespaces: ReadonlySet<Namespace>): Promise<void>;

  /**
   * Looks at a sandbox, which may be the host's own namespace.
   *
   * @throws WeftError `no-such-sandbox`, `host-sandbox` (it is process 1's namespace, and the daemon runs in another),
   *   `bad-sandbox` (it is there but no network namespace), `permission-denied`
   */
  inspectSandbox(ref: string): Promise<SandboxInspection>;

  /**
   * The underlay link that has the address.
   *
   * @throws WeftError `bad-configuration` when no link of the host's namespace has it
   */
  underlay(address: IpAddress): Promise<{ readonly link: string; readonly mtu: number }>;

  /**
   * What the host's namespace has routes to, by whomever, but for weft's own routes, default routes, link-local and
   * multicast ones.
   */
  routes(): Promise<readonly Prefix[]>;

  /**
   * What listens in the host's namespace: sockets of TCP, UDP and SCTP that take what comes to a port.
   *
   * @param isNamed of which the process is wanted too, which takes time in proportion to the machine's processes
   */
  listeners(isNamed: (listener: Listener) => boolean): Promise<readonly Listener[]>;

  /** Chains of other firewalls in the host's namespace that drop what is forwarded unless a rule of theirs accepts it. */
  droppingChains(): Promise<readonly DroppingChain[]>;

  /** Releases sockets and ends `watch`. Objects stay: weft's data plane outlives its daemon. */
  close(): Promise<void>;
}

export interface SandboxInspection {
  /** Boot id and namespace cookie; see `Sandbox.identity`. */
  readonly identity: string;
  /** Names of interfaces in it that are not weft's, loopback included. */
  readonly foreignLinks: readonly string[];
  /** Present where it is the namespace that the daemon runs in. */
  readonly isHost?: true;
}

/**
 * `set` makes an object or alters the one with its key until it equals `object`. `replace` deletes the one with its key
 * first, because it differs in what the kernel cannot alter. `delete` removes it.
 *
 * A veth pair is made by the end that `makesPair` names, and by no other: were the first refused and the pair made by the
 * second, an end without weft's alias would be left in an owned namespace and its mate in a sandbox nobody looks into.
 */
export interface Operation {
  readonly op: 'set' | 'replace' | 'delete';
  readonly object: KernelObject;
  /** What the reconciler believes is there; present where it knows. */
  readonly actual?: KernelObject;
}

export type OperationResult =
  | { readonly ok: true }
  | {
      readonly ok: false /** One line with the kernel's own words, e.g. `EEXIST: File exists (RTNETLINK: …)`. */;
      readonly reason: string;
    };

export type KernelEvent =
  /** An object now is as given. */
  | { readonly type: 'present'; readonly object: KernelObject }
  /** The object with that key is gone; its other members are as last seen. */
  | { readonly type: 'absent'; readonly object: KernelObject }
  /** Something changed that must be looked at anew: events were lost, or do not say enough. */
  | { readonly type: 'stale'; readonly ns: Namespace; readonly kinds?: ReadonlySet<ObjectKind> }
  /** The namespace exists no more. */
  | { readonly type: 'namespace-gone'; readonly ns: Namespace };

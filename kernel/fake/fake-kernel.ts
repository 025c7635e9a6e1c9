/**
 * A kernel in memory: for unit tests, for the simulator and for dry runs. It passes the contract that the real one
 * passes (`test/contract/kernel.contract.ts`).
 *
 * What happens inside is synchronous and deterministic, without timers or randomness; only the port is asynchronous.
 * Everything that is no method of the port plays the rest of the world: users with sandboxes, foreign actors with `ip`
 * and `bridge`, and faults.
 */

import type { DroppingChain } from '../../core/dataplane/dropping-chain.ts';
import { isAdopted, needsReplacing } from '../../core/dataplane/equal.ts';
import type {
  Kernel,
  KernelEvent,
  Operation,
  OperationResult,
  SandboxInspection,
} from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import {
  hostNamespace,
  type Namespace,
  parseNamespace,
  sandboxNamespace,
} from '../../core/dataplane/namespace.ts';
import type { KernelObject, ObjectKind } from '../../core/dataplane/object.ts';
import { isTransactional } from '../../core/dataplane/order.ts';
import { WeftError } from '../../core/errors.ts';
import { assert } from '../../core/lib/assert.ts';
import type { IpAddress, Prefix } from '../../core/model/address.ts';
import type { Listener } from '../../core/model/published-port.ts';
import { parseSandboxRef } from '../../core/model/sandbox.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { deleteEntry, setEntry } from './entries.ts';
import { EventQueue } from './event-queue.ts';
import {
  addDroppingChain,
  deleteElement,
  deleteTable,
  flushRuleset,
  setAccepts,
  setElement,
  setTable,
} from './firewall.ts';
import { type FakeFlow, forgetOutdated, forgetUnexplained, newFlow } from './flows.ts';
import { Machine } from './machine.ts';
import { Refusal, refuse } from './refusal.ts';
import { foreignObjects, isVisibleLink, readSysctl, visibleObjects } from './state.ts';

export interface FakeKernelOptions {
  /** Owned namespaces are reported where their names begin with this; default `weft-`. */
  readonly netnsPrefix?: string;
  /** References that mean the daemon's own namespace; default `pid:1` and `/proc/1/ns/net`. */
  readonly hostRefs?: readonly string[];
}

/** A fault: `undefined` lets the operation pass. */
export interface Fault {
  /** In the kernel's words. */
  readonly reason: string;
  /** The operation is carried out and only its answer is lost. */
  readonly applied?: boolean;
  /** The operation is answered as carried out and changes nothing, as an append to an FDB entry that is there. */
  readonly ignored?: boolean;
}

export class FakeKernel implements Kernel {
  /** Operations given to `apply`, failed ones and those without effect included. */
  operations = 0;
  /** Operations that changed something. */
  changes = 0;
  readonly #prefix: string;
  readonly #hostRefs: ReadonlySet<string>;
  readonly #machine: Machine = new Machine((event) => this.#emit(event));
  readonly #underlay: Map<IpAddress, { readonly link: string; readonly mtu: number }> = new Map();
  readonly #routes: Set<Prefix> = new Set();
  #listeners: readonly Listener[] = [];
  readonly #noNamespaces: Set<string> = new Set();
  #followed: Set<Namespace> = new Set();
  #queue: EventQueue | undefined;
  #deaf = false;
  #fault: ((operation: Operation, index: number) => Fault | undefined) | undefined;
  #closed = false;
  #flowsCompared = false;

  constructor(options: FakeKernelOptions = {}) {
    this.#prefix = options.netnsPrefix ?? 'weft-';
    this.#hostRefs = new Set(options.hostRefs ?? ['pid:1', '/proc/1/ns/net']);
  }

  // The port.

  async namespaces(): Promise<readonly Namespace[]> {
    this.#requireOpen();
    const owned = [...this.#machine.namespaces.keys()].filter((ns) => this.#isOwned(ns));
    const host = this.#reported(hostNamespace).some((object) => !isLoopback(object)) ? [hostNamespace] : [];
    const stacked = [...this.#machine.namespaces.values()]
      .filter(({ links }) =>
        [...links.values()].some((one) => isVisibleLink(one) && 'parent' in one.link.type),
      )
      .map(({ ns }) => ns);
    return [...new Set([...owned, ...host, ...stacked, ...this.#machine.hosts.keys()])];
  }

  async dump(
    ns: Namespace,
    options: { kinds?: ReadonlySet<ObjectKind>; sysctls?: readonly string[] } = {},
  ): Promise<readonly KernelObject[]> {
    this.#requireOpen();
    if (ns === hostNamespace) this.#compareFlows();
    const objects = this.#reported(ns);
    const namespace = this.#machine.namespaces.get(ns);
    for (const name of options.sysctls ?? []) {
      const value = namespace === undefined ? undefined : readSysctl(namespace, name);
      if (value !== undefined) objects.push({ kind: 'sysctl', ns, name, value });
    }
    return objects.filter(({ kind }) => options.kinds?.has(kind) ?? true);
  }

  /** As the real adapter does the first time: what a former life may have left undone. */
  #compareFlows(): void {
    if (this.#flowsCompared) return;
    this.#flowsCompared = true;
    const host = this.#machine.namespaces.get(hostNamespace);
    if (host === undefined) return;
    for (const element of host.firewall?.elements.values() ?? []) forgetOutdated(host, element, false);
    forgetUnexplained(host);
  }

  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.#requireOpen();
    return operations.map((operation) => this.#applyOne(operation));
  }

  watch(signal: CancelSignal): AsyncIterable<KernelEvent> {
    this.#requireOpen();
    assert(this.#queue === undefined, 'there is at most one watch at a time');
    const queue = new EventQueue(signal, () => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    if (!signal.aborted) this.#queue = queue;
    return queue;
  }

  async follow(namespaces: ReadonlySet<Namespace>): Promise<void> {
    this.#requireOpen();
    this.#followed = new Set([...namespaces].filter((ns) => this.#machine.namespaces.has(ns)));
  }

  async inspectSandbox(ref: string): Promise<SandboxInspection> {
    this.#requireOpen();
    if (parseSandboxRef(ref) === undefined || this.#noNamespaces.has(ref)) {
      throw new WeftError(
        'bad-sandbox',
        `"${ref}" is no network namespace; give a name of \`ip netns\`, a path or pid:N`,
      );
    }
    const isHost = this.#hostRefs.has(ref);
    const namespace = this.#machine.namespaces.get(isHost ? hostNamespace : sandboxNamespace(ref));
    if (namespace === undefined) {
      throw new WeftError(
        'no-such-sandbox',
        `no sandbox "${ref}" on this host; make it first, e.g. ip netns add ${ref}`,
      );
    }
    const foreign = [...namespace.links.values()].filter(({ link }) => link.owner === '');
    const foreignLinks = foreign.map(({ link }) => link.name);
    return { identity: namespace.identity, foreignLinks, ...(isHost ? { isHost } : {}) };
  }

  async underlay(address: IpAddress): Promise<{ readonly link: string; readonly mtu: number }> {
    this.#requireOpen();
    const found = this.#underlay.get(address);
    if (found !== undefined) return found;
    throw new WeftError(
      'bad-configuration',
      `no link of this host has the address ${address}; advertise one that it has`,
    );
  }

  async routes(): Promise<readonly Prefix[]> {
    this.#requireOpen();
    return [...this.#routes];
  }

  async listeners(isNamed: (listener: Listener) => boolean): Promise<readonly Listener[]> {
    this.#requireOpen();
    return this.#listeners.map((listener) => {
      const { process: _process, ...place } = listener;
      return isNamed(place) ? listener : place;
    });
  }

  async droppingChains(): Promise<readonly DroppingChain[]> {
    this.#requireOpen();
    return this.#machine.namespace(hostNamespace).droppingChains;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#queue?.end();
  }

  /** The machine for the next life of its daemon: all that is in it stays, the counts begin anew. */
  reopen(): void {
    this.#closed = false;
    this.#queue = undefined;
    this.#followed = new Set();
    this.#flowsCompared = false;
    this.operations = 0;
    this.changes = 0;
  }

  // The world around: what it has.

  /** A link of the host with an address for `underlay`; others can be stacked on it. */
  addUnderlay(address: IpAddress, link = 'eth0', mtu = 1500): void {
    this.#underlay.set(address, { link, mtu });
    if (this.#machine.findLink(hostNamespace, link) === undefined) this.addForeignLink(hostNamespace, link);
  }

  /** A route of the host's for `routes`. */
  addRoute(destination: Prefix): void {
    this.#routes.add(destination);
  }

  /** A chain of another firewall for `droppingChains`. */
  addDroppingChain(chain: DroppingChain): void {
    addDroppingChain(this.#machine, chain);
  }

  /** A process of the host listens. */
  addListener(listener: Listener): void {
    this.#listeners = [...this.#listeners, listener];
  }

  /** Somebody begins to send datagrams to a port of the host, and goes on. */
  startFlow(address: IpAddress, port: number): void {
    const host = this.#machine.namespace(hostNamespace);
    host.flows = [...host.flows, newFlow(host, { address, port })];
  }

  /** What is sent to the host, and who gets it. */
  get flows(): readonly FakeFlow[] {
    return this.#machine.namespace(hostNamespace).flows;
  }

  addSandbox(ref: string): Namespace {
    const ns = sandboxNamespace(ref);
    assert(!this.#machine.namespaces.has(ns), `there is no sandbox ${ref} yet`);
    this.#machine.addNamespace(ns);
    return ns;
  }

  /** As `ip netns delete` does: the far ends of its veth pairs go too, its hosts file stays. */
  removeSandbox(ref: string): void {
    this.#machine.removeNamespace(sandboxNamespace(ref));
  }

  /** Removes it and makes another one of the same name, with another identity. */
  recreateSandbox(ref: string): Namespace {
    this.removeSandbox(ref);
    return this.addSandbox(ref);
  }

  /** A reference to something that is there but no network namespace, such as a plain file. */
  addNoNamespace(ref: string): void {
    this.#noNamespaces.add(ref);
  }

  /** A bridge without weft's alias. */
  addForeignLink(ns: Namespace, name: string): void {
    this.#machine.setLink({ kind: 'link', ns, name, owner: '', up: true, type: { type: 'bridge' } });
  }

  // The world around: what it does.

  /** Makes an object as a user would, without weft's protocol number; a link without an owner is foreign. */
  addByHand(object: KernelObject): void {
    this.#set(object, false);
  }

  /** Gives the object with that key, which must be there, other members, whatever it takes. */
  alterByHand(object: KernelObject): void {
    if (object.kind === 'link') {
      const holder = this.#machine.link(object.ns, object.name);
      if (needsReplacing(object, holder.link)) {
        this.#machine.removeLink(holder);
        this.#machine.setLink(object);
      } else {
        this.#machine.alterLink(holder, object);
      }
    } else {
      const holder = 'link' in object ? this.#machine.link(object.ns, object.link) : undefined;
      this.#set(object, holder?.entries.get(keyOf(object))?.ours ?? false);
    }
  }

  /** Deletes an object by itself or its key, whoever made it; with the cascades of the kernel. */
  deleteByHand(target: KernelObject | string): void {
    const key = typeof target === 'string' ? target : keyOf(target);
    const object = this.inventory().find((candidate) => keyOf(candidate) === key);
    assert(object !== undefined, `there is an object ${key}`);
    this.#delete(object, true);
  }

  /** As `nft flush ruleset` on the host. */
  flushRuleset(): void {
    flushRuleset(this.#machine);
  }

  // Faults.

  /**
   * Decides about every operation from now on, until `injectFault(undefined)`.
   *
   * @param fault is given the operation and how many came before it since this call
   */
  injectFault(fault: ((operation: Operation, index: number) => Fault | undefined) | undefined): void {
    const before = this.operations;
    this.#fault = fault === undefined ? undefined : (operation, index) => fault(operation, index - before);
  }

  /** Drops the events that nobody has taken yet and tells the watcher so, as after a socket overrun. */
  loseEvents(): void {
    this.#queue?.clear();
    for (const ns of this.#followed) this.#queue?.push({ type: 'stale', ns });
  }

  /** While deaf, changes are lost and nobody is told: only an audit finds them. */
  setDeaf(deaf: boolean): void {
    this.#deaf = deaf;
  }

  // For assertions.

  /** What the port reports, of all namespaces, sysctls apart. */
  objects(): KernelObject[] {
    return [...this.#allNamespaces()].flatMap((ns) => this.#reported(ns));
  }

  /** What the port never reports: what others made. */
  foreignObjects(): KernelObject[] {
    return [...this.#machine.namespaces.values()].flatMap(foreignObjects);
  }

  /** Everything, sysctls apart. */
  inventory(): KernelObject[] {
    return [...this.objects(), ...this.foreignObjects()];
  }

  /** The value of a sysctl; undefined where namespace or link do not exist. */
  sysctl(ns: Namespace, name: string): string | undefined {
    const namespace = this.#machine.namespaces.get(ns);
    return namespace === undefined ? undefined : readSysctl(namespace, name);
  }

  #applyOne(operation: Operation): OperationResult {
    const fault = this.#fault?.(operation, this.operations);
    this.operations++;
    // nftables commits, or says why not.
    if (fault?.ignored === true && !isTransactional(operation.object)) return { ok: true };
    if (fault !== undefined && fault.applied !== true && fault.ignored !== true)
      return { ok: false, reason: fault.reason };
    const result = this.#carryOut(operation);
    return fault?.applied === true ? { ok: false, reason: fault.reason } : result;
  }

  #carryOut({ op, object }: Operation): OperationResult {
    const before = this.#machine.revision;
    try {
      if (op !== 'set') this.#delete(object, false);
      if (op !== 'delete') this.#set(object, true);
      return { ok: true };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ok: false, reason: error.message };
    } finally {
      if (this.#machine.revision !== before) this.changes++;
    }
  }

  #set(object: KernelObject, ours: boolean): void {
    switch (object.kind) {
      case 'nft-table':
        return setTable(this.#machine, object, !ours);
      case 'nft-element':
        return setElement(this.#machine, object, !ours);
      case 'nft-accepts':
        return setAccepts(this.#machine, object.ns, object.complete, !ours);
      case 'netns':
        return this.#machine.addNamespace(object.ns);
      case 'link':
        return this.#machine.setLink(object);
      case 'sysctl':
        return this.#machine.setSysctl(object);
      case 'hosts':
        return this.#machine.setHosts(object);
      default:
        return setEntry(this.#machine, object, ours);
    }
  }

  #delete(object: KernelObject, byHand: boolean): void {
    switch (object.kind) {
      case 'netns':
        return this.#machine.removeNamespace(object.ns);
      case 'link': {
        const holder = this.#machine.findLink(object.ns, object.name);
        if (holder?.link.type.type === 'loopback') refuse('EOPNOTSUPP', 'loopback stays');
        if (holder === undefined || !(byHand || isVisibleLink(holder))) return;
        if (isAdopted(holder.link) && !byHand) return this.#machine.letGo(holder);
        return this.#machine.removeLink(holder);
      }
      case 'nft-table':
        return deleteTable(this.#machine, object.ns, byHand);
      case 'nft-element':
        return deleteElement(this.#machine, object, byHand);
      case 'nft-accepts':
        return setAccepts(this.#machine, object.ns, false, byHand);
      case 'sysctl':
        return refuse('EOPNOTSUPP', 'a sysctl cannot be deleted');
      case 'hosts':
        return this.#machine.removeHosts(object.ns);
      default:
        return deleteEntry(this.#machine, object, byHand);
    }
  }

  #reported(ns: Namespace): KernelObject[] {
    const namespace = this.#machine.namespaces.get(ns);
    const hosts = this.#machine.hosts.get(ns);
    return [
      ...(namespace === undefined ? [] : visibleObjects(namespace)),
      ...(hosts === undefined ? [] : [hosts]),
    ];
  }

  #allNamespaces(): Set<Namespace> {
    return new Set([...this.#machine.namespaces.keys(), ...this.#machine.hosts.keys()]);
  }

  #isOwned(ns: Namespace): boolean {
    const parsed = parseNamespace(ns);
    return parsed.type === 'owned' && parsed.name.startsWith(this.#prefix);
  }

  #emit(event: KernelEvent): void {
    const ns = event.type === 'stale' || event.type === 'namespace-gone' ? event.ns : event.object.ns;
    if (!this.#followed.has(ns)) return;
    if (event.type === 'namespace-gone') this.#followed.delete(ns);
    if (!this.#deaf) this.#queue?.push(event);
  }

  #requireOpen(): void {
    if (this.#closed) throw new WeftError('closed', 'the kernel is closed; open another one');
  }
}

function isLoopback(object: KernelObject): boolean {
  return object.kind === 'link' && object.type.type === 'loopback';
}

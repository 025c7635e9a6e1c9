/**
 * The rules of the fake machine that concern namespaces and links. What is on links follows `entries.ts`.
 *
 * Every rule here was seen on Linux 6.18, most of them by the commands that `test/contract/kernel.contract.ts` stands
 * for; where the kernel and this differ, this is wrong.
 */
import { isAdopted, needsReplacing, sameState } from '../../core/dataplane/equal.ts';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import { linkKey } from '../../core/dataplane/key.ts';
import { hostNamespace, type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type { HostsFile, Link, StackedType, Sysctl } from '../../core/dataplane/object.ts';
import { makesPair } from '../../core/dataplane/order.ts';
import { parentKeyOf } from '../../core/dataplane/parent.ts';
import { linkOfSysctl } from '../../core/dataplane/sysctl.ts';
import { type Mac, macFromBytes } from '../../core/model/mac.ts';
import { connectAddress, dropEntries, dropIpv6, dropOnDown } from './entries.ts';
import { refuse } from './refusal.ts';
import {
  addressesOf,
  disableIpv6,
  type FakeLink,
  type FakeNamespace,
  hasIpv6,
  isVisibleLink,
  readSysctl,
} from './state.ts';

const defaultMtu = 1500;

export class Machine {
  readonly namespaces: Map<Namespace, FakeNamespace> = new Map();
  /** In `/etc/netns`: they outlive their namespaces. */
  readonly hosts: Map<Namespace, HostsFile> = new Map();
  /** Counts changes of any kind. */
  revision = 0;
  readonly #onEvent: (event: KernelEvent) => void;
  #made = 0;

  constructor(onEvent: (event: KernelEvent) => void) {
    this.#onEvent = onEvent;
    this.addNamespace(hostNamespace);
  }

  /** Counts a change, and tells of it where it is one of an object that the port reports. */
  changed(event?: KernelEvent): void {
    this.revision++;
    if (event !== undefined) this.#onEvent(event);
  }

  addNamespace(ns: Namespace): void {
    if (this.namespaces.has(ns)) return;
    const identity = `fake-boot/${++this.#made}`;
    const namespace: FakeNamespace = {
      ns,
      identity,
      links: new Map(),
      sysctls: new Map(),
      firewall: undefined,
      droppingChains: [],
      flows: [],
    };
    this.namespaces.set(ns, namespace);
    const loopback: Link = { kind: 'link', ns, name: 'lo', owner: '', up: false, type: { type: 'loopback' } };
    namespace.links.set('lo', { link: loopback, entries: new Map() });
    this.changed();
  }

  removeNamespace(ns: Namespace): void {
    const namespace = this.namespaces.get(ns);
    if (namespace === undefined) return;
    for (const holder of [...namespace.links.values()]) this.removeLink(holder);
    this.namespaces.delete(ns);
    this.changed({ type: 'namespace-gone', ns });
  }

  namespace(ns: Namespace): FakeNamespace {
    return this.namespaces.get(ns) ?? refuse('ENOENT', `no namespace ${ns}`);
  }

  findLink(ns: Namespace, name: string): FakeLink | undefined {
    return this.namespaces.get(ns)?.links.get(name);
  }

  link(ns: Namespace, name: string): FakeLink {
    return this.namespace(ns).links.get(name) ?? refuse('ENODEV', name);
  }

  setLink(link: Link): void {
    const holder = this.namespace(link.ns).links.get(link.name);
    if (holder === undefined) this.#makeLink(link);
    else if (this.#isAdoptable(link, holder)) this.#adopt(holder, link);
    else if (!isVisibleLink(holder) && !this.#isOtherEndOfOurs(link, holder)) refuse('EEXIST', link.name);
    else if (needsReplacing(link, holder.link)) refuse('EOPNOTSUPP', `${link.name} cannot be altered so`);
    else this.alterLink(holder, link);
  }

  #isAdoptable({ type }: Link, { link }: FakeLink): boolean {
    return type.type === 'bridge' && type.adopted === 'allowed' && (link.owner === '' || isAdopted(link));
  }

  #adopt(holder: FakeLink, { owner, up }: Link): void {
    if (holder.link.type.type !== 'bridge') refuse('EEXIST', `${holder.link.name} is no bridge`);
    holder.link = { ...holder.link, type: { type: 'bridge', adopted: 'yes' } };
    this.alterLink(holder, { ...holder.link, owner, up });
  }

  /** Takes weft's mark off a link that it adopted. */
  letGo(holder: FakeLink): void {
    const { link } = holder;
    this.changed({ type: 'absent', object: link });
    holder.link = { ...link, owner: '', type: { type: 'bridge' } };
  }

  /** The second end of a pair has no alias until its own `set`, but the first tells whose it is. */
  #isOtherEndOfOurs(link: Link, holder: FakeLink): boolean {
    if (link.type.type !== 'veth' || needsReplacing(link, holder.link)) return false;
    const { peer } = link.type;
    return (this.findLink(peer.ns, peer.name)?.link.owner ?? '') !== '';
  }

  #makeLink(link: Link): void {
    if (link.type.type === 'loopback') refuse('EOPNOTSUPP', 'loopback is not made');
    if (link.type.type === 'vxlan') this.#requireFreeVni(link.type.vni);
    if (link.master !== undefined) this.#requireBridge(link.ns, link.master);
    if ('parent' in link.type) this.#requireParent(link.type);
    if (link.type.type === 'veth') {
      if (!makesPair(link)) refuse('ENODEV', link.name);
      const { peer } = link.type;
      if (this.namespace(peer.ns).links.has(peer.name)) refuse('EEXIST', peer.name);
      this.#insert(
        this.#bareLink(peer.ns, peer.name, { type: 'veth', peer: { ns: link.ns, name: link.name } }),
      );
    }
    const holder = this.#insert(
      this.#bareLink(link.ns, link.name, link.type.type === 'bridge' ? { type: 'bridge' } : link.type),
    );
    this.alterLink(holder, link);
  }

  #bareLink(ns: Namespace, name: string, type: Link['type']): Link {
    return { kind: 'link', ns, name, owner: '', up: false, mtu: defaultMtu, mac: this.#nextMac(), type };
  }

  #insert(link: Link): FakeLink {
    const namespace = this.namespace(link.ns);
    const holder: FakeLink = { link, entries: new Map() };
    namespace.links.set(link.name, holder);
    this.changed();
    const inherited = readSysctl(namespace, disableIpv6('default'));
    if (inherited !== undefined && inherited !== '0')
      namespace.sysctls.set(disableIpv6(link.name), inherited);
    return holder;
  }

  /** Random in the real kernel; counted here, so that runs repeat. */
  #nextMac(): Mac {
    const count = ++this.#made;
    return macFromBytes([0xfe, 0xfa, 0, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]);
  }

  /** One socket in the host's namespace carries all VNIs, so each is taken once, wherever the links are. */
  #requireFreeVni(vni: number): void {
    for (const namespace of this.namespaces.values()) {
      for (const { link } of namespace.links.values()) {
        if (link.type.type !== 'vxlan' || link.type.vni !== vni) continue;
        refuse('EEXIST', 'A VXLAN device with the specified VNI already exists');
      }
    }
  }

  /** What takes its frames off a parent does so alone: one kind of stacked links, and one that passes all through. */
  #requireParent(type: StackedType): void {
    const { ns, name } = type.parent;
    const parent = this.link(ns, name);
    if (parent.link.type.type === 'loopback') refuse('EINVAL', `${name} is no parent`);
    if (type.type === 'vlan') return;
    for (const other of this.#stackedOn(parent)) {
      const { type: of } = other.link;
      if (of.type !== 'macvlan' && of.type !== 'ipvlan') continue;
      if (of.type !== type.type) refuse('EBUSY', name);
      const isPassthru = [of, type].some((one) => one.type === 'macvlan' && one.mode === 'passthru');
      if (isPassthru) refuse('EINVAL', `${name} is passed through`);
    }
  }

  /** In every namespace. */
  #stackedOn({ link: { ns, name } }: FakeLink): FakeLink[] {
    return [...this.namespaces.values()]
      .flatMap(({ links }) => [...links.values()])
      .filter(({ link: { type } }) => parentKeyOf(type) === linkKey(ns, name));
  }

  #requireBridge(ns: Namespace, name: string): void {
    if (this.link(ns, name).link.type.type !== 'bridge') refuse('EOPNOTSUPP', `${name} takes no ports`);
  }

  /** Gives the link the members of `wanted`; those that it leaves open stay. */
  alterLink(holder: FakeLink, wanted: Link): void {
    const old = holder.link;
    const wasVisible = isVisibleLink(holder);
    if (wanted.master !== undefined) this.#requireBridge(wanted.ns, wanted.master);
    const { master: _master, port: _port, ...rest } = { ...old, ...wanted, type: old.type };
    const plug = wanted.master === undefined ? {} : { master: wanted.master, port: portOf(wanted) };
    holder.link = { ...rest, ...plug };
    const visible = isVisibleLink(holder);
    if (wasVisible && !visible) this.changed({ type: 'absent', object: old });
    else if (!sameState(holder.link, old)) {
      this.changed(visible ? { type: 'present', object: holder.link } : undefined);
    }
    if (old.master !== holder.link.master) {
      dropEntries(this, holder, ({ object }) => object.kind === 'fdb' && object.remote === undefined);
    }
    if (old.mac !== holder.link.mac) dropEntries(this, holder, ({ object }) => object.kind === 'neighbour');
    if (!hasIpv6(this.namespace(old.ns), holder.link)) dropIpv6(this, holder);
    if (old.up && !holder.link.up) dropOnDown(this, holder);
    if (!old.up && holder.link.up)
      for (const { object } of addressesOf(holder)) connectAddress(this, holder, object);
  }

  removeLink(holder: FakeLink): void {
    const { link } = holder;
    const namespace = this.namespace(link.ns);
    if (!namespace.links.has(link.name)) return;
    for (const port of namespace.links.values()) if (port.link.master === link.name) this.#unplug(port);
    dropEntries(this, holder, () => true);
    namespace.links.delete(link.name);
    for (const name of [...namespace.sysctls.keys()]) {
      if (linkOfSysctl(name) === link.name) namespace.sysctls.delete(name);
    }
    this.changed(isVisibleLink(holder) ? { type: 'absent', object: link } : undefined);
    for (const stacked of this.#stackedOn(holder)) this.removeLink(stacked);
    if (link.type.type !== 'veth') return;
    const mate = this.findLink(link.type.peer.ns, link.type.peer.name);
    if (mate !== undefined) this.removeLink(mate);
  }

  #unplug(holder: FakeLink): void {
    const { master: _master, port: _port, ...unplugged } = holder.link;
    this.alterLink(holder, unplugged);
  }

  setSysctl({ ns, name, value }: Sysctl): void {
    const namespace = this.namespace(ns);
    const old = readSysctl(namespace, name);
    if (old === undefined) refuse('ENOENT', `/proc/sys/${name}`);
    if (old !== value) this.changed();
    if (name === disableIpv6('all')) {
      for (const link of ['default', ...namespace.links.keys()]) this.#switchIpv6(namespace, link, value);
    }
    namespace.sysctls.set(name, value);
    const link = linkOfSysctl(name);
    if (link !== undefined && name === disableIpv6(link)) this.#switchIpv6(namespace, link, value);
  }

  #switchIpv6(namespace: FakeNamespace, link: string, value: string): void {
    namespace.sysctls.set(disableIpv6(link), value);
    const holder = namespace.links.get(link);
    if (value === '1' && holder !== undefined) dropIpv6(this, holder);
  }

  setHosts(file: HostsFile): void {
    const parsed = parseNamespace(file.ns);
    if (parsed.type !== 'sandbox' || /[/:]/.test(parsed.ref))
      refuse('EINVAL', `${file.ns} has no hosts file`);
    const old = this.hosts.get(file.ns);
    if (old !== undefined && sameState(file, old)) return;
    this.hosts.set(file.ns, file);
    this.changed();
  }

  removeHosts(ns: Namespace): void {
    if (this.hosts.delete(ns)) this.changed();
  }
}

/** The kernel's own choice for a new port is to learn and to flood. */
function portOf(link: Link): NonNullable<Link['port']> {
  return link.port ?? { learning: true, flood: true };
}

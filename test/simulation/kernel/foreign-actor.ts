/**
 * Everyone else on a host: users who make and remove sandboxes, and hands that alter what is weft's. What they make
 * themselves is kept in a ledger, because weft must leave it as it is.
 */

import { keyOf } from '../../../core/dataplane/key.ts';
import { hostNamespace, type Namespace, sandboxNamespace } from '../../../core/dataplane/namespace.ts';
import type { FdbEntry, KernelObject, Link } from '../../../core/dataplane/object.ts';
import type { InterfaceAddress, IpAddress } from '../../../core/model/address.ts';
import { macFromBytes } from '../../../core/model/mac.ts';
import type { FakeKernel } from '../../../kernel/fake/fake-kernel.ts';
import { Violation } from '../monitors/violation.ts';
import { type ForeignDoing, ownLinks } from '../scenario/intervention.ts';
import type { Chance } from '../world/chance.ts';
import type { KernelFault } from '../world/plan.ts';
import type { World } from '../world/world.ts';

export const sandboxes = ['s0', 's1', 's2', 's3'] as const;

/** On every host a process listens there. */
export const listenedPort = 8082;

const doings = [
  'lost-events',
  'deaf',
  'delete-by-hand',
  'alter-by-hand',
  'add-by-hand',
  'foreign-link',
  'sandbox-removed',
  'sandbox-remade',
] as const satisfies readonly KernelFault[];

/** After so long the slowest clock's audit has seen what no event told of. */
const auditMsMax = 35_000;

export class ForeignActor {
  readonly #world: World;
  readonly #host: string;
  readonly #machine: FakeKernel;
  readonly #chance: Chance;
  readonly #doings: Chance;
  #deafUntilMs = 0;
  /** By key, the text of what was made. */
  readonly #made = new Map<string, string>();
  /**
   * When something was last done that weft has to mend, or that takes something from it; where the kernel told nobody, by
   * when an audit has seen it.
   */
  disturbedAtMs = Number.NEGATIVE_INFINITY;

  constructor(world: World, host: string, machine: FakeKernel) {
    this.#world = world;
    this.#host = host;
    this.#machine = machine;
    this.#chance = world.chance(`${host} foreign`);
    this.#doings = world.chance(`${host} foreign doings`);
    for (const ref of sandboxes) machine.addSandbox(ref);
  }

  begin(): void {
    for (const doing of doings) this.#soon(doing);
  }

  /** What others made is as they made it, byte for byte. */
  check(): void {
    const found = new Map(this.#machine.inventory().map((object) => [keyOf(object), object]));
    for (const [key, text] of this.#made) {
      const object = found.get(key);
      const now = object === undefined ? 'nothing' : JSON.stringify(object);
      if (now !== text)
        this.#world.fail(new Violation('I32', `${this.#host}: foreign ${text} became ${now}`));
    }
    this.#world.checked('I32');
  }

  /** Ends what is in weft's way, and makes the sandboxes that are missing. */
  heal(): void {
    this.#machine.setDeaf(false);
    for (const object of this.#machine.foreignObjects()) {
      // The host's own is the underlay, and in nobody's way.
      if (object.ns === hostNamespace) continue;
      if (object.kind === 'link' && object.name.startsWith('eth') && object.owner === '')
        this.#remove(object);
    }
  }

  /** Returns whether there was anything that it could be done to. */
  perform(doing: ForeignDoing): boolean {
    const isDone = this.#do(doing);
    if (isDone) this.#world.record(this.#host, doing);
    this.check();
    return isDone;
  }

  /** A sandbox that is there; it is made if none is. */
  provide(): string {
    const found = sandboxes.find((ref) => this.#has(sandboxNamespace(ref)));
    if (found === undefined) this.#machine.addSandbox(sandboxes[0]);
    return found ?? sandboxes[0];
  }

  /**
   * Deletes or alters something of weft's, of a kind that the kernel tells of; now and then more happens at once than it
   * can tell of, and it says so. Returns whether there was anything.
   */
  disturb(): boolean {
    const isOverrun = this.#chance.happens(0.3);
    this.#machine.setDeaf(isOverrun);
    const isDone = this.#disturbOne();
    this.#machine.setDeaf(false);
    if (isOverrun) this.#machine.loseEvents();
    return isDone;
  }

  #disturbOne(): boolean {
    const told = this.#ours().filter(({ kind }) => kind !== 'netns' && kind !== 'hosts');
    const inUse = new Set(told.map(({ ns }) => ns));
    // The host's own is held by nobody, whatever else of weft's is beside it.
    const loopbacks = this.#loopbacks().filter(({ ns }) => ns !== hostNamespace && inUse.has(ns));
    const altering = (this.#chance.happens(0.3) ? loopbacks : told).flatMap(altered);
    return altering.length > 0 && this.#chance.happens(0.5)
      ? this.#toOne(altering, this.#chance.part(), 'alters', (object) => this.#machine.alterByHand(object))
      : this.#toOne(told, this.#chance.part(), 'deletes', (object) => this.#machine.deleteByHand(object));
  }

  #soon(fault: (typeof doings)[number]): void {
    const perMinute = this.#world.plan.kernel[fault];
    if (perMinute === 0) return;
    this.#world.scheduler.first(this.#doings.ms(120_000 / perMinute), () => {
      if (!this.#world.isFaulty) return;
      if (this.perform(this.#drawn(fault))) this.#world.met(`kernel ${fault}`);
      this.#soon(fault);
    });
  }

  #drawn(fault: (typeof doings)[number]): ForeignDoing {
    const chance = this.#doings;
    switch (fault) {
      case 'lost-events':
        return { verb: fault };
      case 'deaf':
        return { verb: fault, ms: chance.ms(10_000) };
      case 'delete-by-hand':
      case 'alter-by-hand':
      case 'add-by-hand':
        return { verb: fault, which: chance.part() };
      case 'foreign-link':
        if (this.#madeLinks().length > 0 && chance.happens(0.4))
          return { verb: 'foreign-unlink', which: chance.part() };
        return {
          verb: fault,
          name: chance.pick(ownLinks),
          sandbox: chance.happens(0.3) ? undefined : chance.pick(sandboxes),
        };
      case 'sandbox-removed':
      case 'sandbox-remade': {
        const verb = chance.happens(0.5) ? fault : 'sandbox-remade';
        return { verb, sandbox: chance.pick(sandboxes) };
      }
    }
  }

  #do(doing: ForeignDoing): boolean {
    switch (doing.verb) {
      case 'lost-events':
        this.#machine.loseEvents();
        return true;
      case 'deaf':
        return this.#beDeaf(doing.ms);
      case 'delete-by-hand':
        return this.#toOne(this.#ours(), doing.which, 'deletes', (object) =>
          this.#machine.deleteByHand(object),
        );
      case 'alter-by-hand':
        return this.#toOne(
          [...this.#ours(), ...this.#loopbacks()].flatMap(altered),
          doing.which,
          'alters',
          (object) => this.#machine.alterByHand(object),
        );
      case 'add-by-hand': {
        const strays = this.#ours().flatMap((object) => this.#stray(object));
        return this.#toOne(strays, doing.which, 'adds', (object) => this.#machine.addByHand(object));
      }
      case 'foreign-link':
        return this.#foreignLink(
          doing.name,
          doing.sandbox === undefined ? hostNamespace : sandboxNamespace(doing.sandbox),
        );
      case 'foreign-unlink':
        return this.#foreignUnlink(doing.which);
      case 'sandbox-removed':
        return this.#removeSandbox(doing.sandbox, false);
      case 'sandbox-remade':
        return this.#removeSandbox(doing.sandbox, true);
    }
  }

  #beDeaf(ms: number): boolean {
    this.#disturb('goes deaf');
    this.#machine.setDeaf(true);
    this.#deafUntilMs = this.#world.nowMs + ms;
    this.#world.scheduler.after(ms, undefined, () => this.#machine.setDeaf(false));
    return true;
  }

  #ours(): KernelObject[] {
    return this.#machine
      .objects()
      .filter((object) => !(object.kind === 'link' && object.type.type === 'loopback'))
      .filter((object) => !this.#made.has(keyOf(object)));
  }

  #loopbacks(): KernelObject[] {
    return this.#machine.objects().filter((each) => each.kind === 'link' && each.type.type === 'loopback');
  }

  #toOne(
    objects: readonly KernelObject[],
    which: number,
    verb: string,
    act: (object: KernelObject) => void,
  ): boolean {
    const object = objects[Math.floor(which * objects.length)];
    if (object === undefined) return false;
    this.#disturb(`${verb} ${keyOf(object)}`);
    try {
      act(object);
    } catch (error) {
      // The kernel refuses users too.
      if (!(error instanceof Error) || error.name !== 'Refusal') throw error;
    }
    return true;
  }

  /** Something beside the object that looks like weft's and is not wanted. */
  #stray(object: KernelObject): KernelObject[] {
    const mac = macFromBytes([2, 0x42, 10, 0, 1, this.#chance.below(16)]);
    if (object.kind === 'fdb' && object.remote !== undefined) return [{ ...object, mac }];
    if (object.kind === 'neighbour') {
      return [{ ...object, address: `10.0.1.${this.#chance.below(16)}` as IpAddress, mac }];
    }
    return [];
  }

  #foreignUnlink(which: number): boolean {
    const existing = this.#madeLinks();
    const link = existing[Math.floor(which * existing.length)];
    if (link === undefined) return false;
    this.#remove(link);
    return true;
  }

  #foreignLink(name: string, ns: Namespace): boolean {
    if (!this.#has(ns) || this.#machine.inventory().some((object) => isLink(object, ns, name))) return false;
    this.#disturb(`makes ${name} in ${ns}`);
    this.#machine.addForeignLink(ns, name);
    this.#keep(`link ${ns} ${name}`);
    const address: KernelObject = {
      kind: 'address',
      ns,
      link: name,
      address: '172.31.7.1/24' as InterfaceAddress,
    };
    this.#machine.addByHand(address);
    this.#keep(keyOf(address));
    return true;
  }

  #keep(key: string): void {
    const object = this.#machine.inventory().find((candidate) => keyOf(candidate) === key);
    this.#made.set(key, JSON.stringify(object));
  }

  #madeLinks(): Link[] {
    return this.#machine
      .foreignObjects()
      .filter((object): object is Link => object.kind === 'link' && this.#made.has(keyOf(object)));
  }

  #remove(link: Link): void {
    this.#disturb(`removes its ${link.name} in ${link.ns}`);
    for (const key of [...this.#made.keys()]) {
      if (key === keyOf(link) || key.startsWith(`address ${link.ns} ${link.name} `)) this.#made.delete(key);
    }
    this.#machine.deleteByHand(link);
  }

  #removeSandbox(ref: string, again: boolean): boolean {
    const ns = sandboxNamespace(ref);
    this.#disturb(`removes sandbox ${ref}${again ? ' and makes it anew' : ''}`);
    for (const key of [...this.#made.keys()]) if (key.split(' ')[1] === ns) this.#made.delete(key);
    const existed = this.#has(ns);
    if (existed) this.#machine.removeSandbox(ref);
    if (again || !existed) this.#machine.addSandbox(ref);
    return true;
  }

  #has(ns: Namespace): boolean {
    return this.#machine.inventory().some((object) => isLink(object, ns, 'lo'));
  }

  #disturb(what: string): void {
    const { nowMs } = this.#world;
    this.disturbedAtMs = nowMs < this.#deafUntilMs ? this.#deafUntilMs + auditMsMax : nowMs;
    this.#world.note(this.#host, `foreign actor ${what}`);
  }
}

/** The object with members that weft did not give it. */
function altered(object: KernelObject): KernelObject[] {
  switch (object.kind) {
    case 'link':
      if (object.type.type === 'loopback') return [{ ...object, up: false }];
      // The MTU of these is left to the kernel, and so to anyone.
      if (object.type.type === 'dummy' || 'parent' in object.type) return [{ ...object, up: !object.up }];
      return [
        { ...object, up: !object.up },
        { ...object, mtu: 1_300 },
      ];
    case 'fdb':
      return object.remote === undefined ? [] : [{ ...object, remote: '192.168.2.99' } as FdbEntry];
    case 'neighbour':
      return [{ ...object, mac: macFromBytes([2, 0x42, 9, 9, 9, 9]) }];
    default:
      return [];
  }
}

function isLink(object: KernelObject, ns: Namespace, name: string): boolean {
  return object.kind === 'link' && object.ns === ns && object.name === name;
}

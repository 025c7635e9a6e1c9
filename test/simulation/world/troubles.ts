/** What happens to hosts and to the store as a whole: crashes, restarts, pauses, jumps of clocks, cuts and outages. */
import type { ModelStore } from '../store/model-store.ts';
import type { Chance } from './chance.ts';
import { type HostFault, hostFaults, requestFaults } from './plan.ts';
import type { SimHost } from './sim-host.ts';
import type { World } from './world.ts';

const downMsMax = 15_000;
const pauseMsMax = 20_000;
const cutMsMax = 15_000;
/** Between two cuts of a swizzle, or two that end. */
const swizzleStepMsMax = 2_000;
const dayMs = 86_400_000;

export class Troubles {
  readonly #world: World;
  readonly #store: ModelStore;
  readonly #hosts: readonly SimHost[];
  /** Stops under way: the machine is not free until they have ended. */
  readonly #stopping = new Set<Promise<void>>();

  constructor(world: World, store: ModelStore, hosts: readonly SimHost[]) {
    this.#world = world;
    this.#store = store;
    this.#hosts = hosts;
  }

  begin(): void {
    for (const host of this.#hosts) {
      for (const fault of hostFaults) {
        if (!isOfAll(fault)) this.#soon(fault, host, this.#world.chance(`${host.name} ${fault}`));
      }
      this.#reviveRemoved(host, this.#world.chance(`${host.name} operator`));
    }
    const [first] = this.#hosts;
    if (first === undefined) return;
    for (const fault of hostFaults.filter(isOfAll)) this.#soon(fault, first, this.#world.chance(fault));
  }

  /** Ends all of it, but for the hosts that are to stay dead. */
  async heal(dead: ReadonlySet<SimHost>): Promise<void> {
    if (this.#store.outage !== undefined) this.#world.met('healed a store that was out');
    this.#store.outage = undefined;
    await this.#world.drive(Promise.all(this.#stopping), 60_000);
    for (const host of this.#hosts) {
      host.link.cutOff(undefined);
      host.link.stall(false);
      host.link.reset();
      host.foreign.heal();
      if (host.life?.process.paused === true) this.#world.met('healed a host that was paused');
      host.life?.process.resume();
      if (dead.has(host)) {
        host.crash();
      } else if (host.life === undefined) {
        this.#world.met('healed a host that was down');
        host.start();
      }
    }
  }

  #soon(fault: HostFault, host: SimHost, chance: Chance): void {
    const perMinute = this.#world.plan.host[fault];
    if (perMinute === 0) return;
    this.#world.scheduler.after((chance.unit() * 2 * 60_000) / perMinute, undefined, () => {
      if (!this.#world.isFaulty) return;
      const phase = host.life?.phase;
      if (this.#happen(fault, host, chance)) this.#world.met(`host ${fault}`, phase);
      this.#soon(fault, host, chance);
    });
  }

  /** Returns whether it could happen. */
  #happen(fault: HostFault, host: SimHost, chance: Chance): boolean {
    if (fault === 'outage') return this.#outage(chance);
    if (fault === 'swizzle') return this.#swizzle(chance);
    if (fault === 'wall-jump') return this.#jump(host, chance);
    const { life } = host;
    if (life === undefined) return false;
    switch (fault) {
      case 'crash':
        host.crash();
        this.#startLater(host, chance);
        return true;
      case 'stop':
        return this.#stop(host, chance);
      case 'pause':
        if (life.process.paused) return false;
        this.#world.note(life.process.name, 'is paused');
        life.process.pause();
        this.#later(chance.unit() * pauseMsMax, () => life.process.resume());
        return true;
      case 'cut-off':
        host.link.cutOff(chance.pick(requestFaults));
        this.#world.note(host.name, 'is cut off');
        this.#later(chance.unit() * cutMsMax, () => host.link.cutOff(undefined));
        return true;
      case 'tail-stall':
        host.link.stall(true);
        this.#later(chance.unit() * cutMsMax, () => host.link.stall(false));
        return true;
    }
  }

  #outage(chance: Chance): boolean {
    this.#store.outage = chance.pick(['refusing', 'silent'] as const);
    this.#world.note('store', `is ${this.#store.outage}`);
    this.#later(chance.unit() * cutMsMax, () => {
      this.#store.outage = undefined;
      this.#world.note('store', 'is back');
    });
    return true;
  }

  /**
   * Some of the hosts are cut off one after the other, and come back in another order: the order in which parts fail and
   * heal finds what no single cut does (FoundationDB's "swizzle-clogging").
   */
  #swizzle(chance: Chance): boolean {
    const some = this.#hosts.filter(() => chance.happens(0.7));
    if (some.length < 2) return false;
    const cutMs = some.length * swizzleStepMsMax;
    for (const host of some) {
      this.#later(chance.unit() * cutMs, () => this.#world.isFaulty && host.link.cutOff('hang'));
      this.#later(cutMs + chance.unit() * cutMs, () => host.link.cutOff(undefined));
    }
    this.#world.note('network', `cuts off ${some.map(({ name }) => name).join(', ')} one by one`);
    return true;
  }

  #jump(host: SimHost, chance: Chance): boolean {
    host.time.wallOffsetMs += chance.between(-dayMs, dayMs);
    return true;
  }

  #stop(host: SimHost, chance: Chance): boolean {
    if (host.life?.process.paused === true) return false;
    const stopping = host.stop().then(() => {
      this.#stopping.delete(stopping);
      if (this.#world.isFaulty) this.#startLater(host, chance);
    });
    this.#stopping.add(stopping);
    return true;
  }

  #startLater(host: SimHost, chance: Chance): void {
    this.#later(chance.unit() * downMsMax, () => {
      if (this.#world.isFaulty && host.isFree) {
        host.start();
        this.#world.met('restart');
      }
    });
  }

  /** A removed host stays as it is until its operator starts it anew. */
  #reviveRemoved(host: SimHost, chance: Chance): void {
    this.#later(chance.between(5_000, 30_000), () => {
      if (!this.#world.isFaulty) return;
      host.reviveIfRemoved();
      this.#reviveRemoved(host, chance);
    });
  }

  #later(ms: number, act: () => void): void {
    this.#world.scheduler.after(ms, undefined, act);
  }
}

/** It happens to all hosts together. */
function isOfAll(fault: HostFault): boolean {
  return fault === 'outage' || fault === 'swizzle';
}

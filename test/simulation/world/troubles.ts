/** What happens to hosts and to the store as a whole: crashes, restarts, pauses, jumps of clocks, cuts and outages. */
import { isWeftError } from '../../../core/errors.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { HostDoing } from '../scenario/intervention.ts';
import type { Stores } from '../store/stores.ts';
import type { Chance } from './chance.ts';
import { type HostFault, hostFaults, requestFaults } from './plan.ts';
import type { Process } from './process.ts';
import type { SimHost } from './sim-host.ts';
import type { World } from './world.ts';

const firstStartMsMax = 3_000;
const downMsMax = 15_000;
const pauseMsMax = 20_000;
const cutMsMax = 15_000;
/** Between two cuts of a swizzle, or two that end. */
const swizzleStepMsMax = 2_000;
/** Between two tries of an operator to move the cluster, and how long the host that he asks may live. */
const copyPauseMsMax = 12_000;
const copyDeathMsMax = 1_500;
const operatorMsMin = 5_000;
const operatorMsMax = 30_000;
const dayMs = 86_400_000;

export class Troubles {
  readonly #world: World;
  readonly #stores: Stores;
  readonly #hosts: readonly SimHost[];
  /** Stops under way: the machine is not free until they have ended. */
  readonly #stopping = new Set<Promise<void>>();

  constructor(world: World, stores: Stores, hosts: readonly SimHost[]) {
    this.#world = world;
    this.#stores = stores;
    this.#hosts = hosts;
  }

  /** All that is left to chance. */
  begin(): void {
    for (const host of this.#hosts) {
      this.#startLater(host, this.#world.chance(`${host.name} start`), firstStartMsMax);
      for (const fault of hostFaults) {
        if (!isOfAll(fault)) this.#soon(fault, host, this.#world.chance(`${host.name} ${fault}`));
      }
      this.#reviveRemoved(host, this.#world.chance(`${host.name} operator`));
    }
    const [first] = this.#hosts;
    if (first !== undefined) {
      for (const fault of hostFaults.filter(isOfAll)) this.#soon(fault, first, this.#world.chance(fault));
    }
    if (this.#world.plan.move === 'faulty' && this.#world.plan.requestPauseMs > 0)
      this.#copySoon(this.#world.chance('copy'));
    const chance = this.#world.chance('power');
    this.#stores.begin({
      failPower: (after) => this.#failPower(after, chance),
      kill: (process) => this.#kill(process, chance),
    });
  }

  /** Ends all of it, but for the hosts that are to stay dead. */
  async heal(dead: ReadonlySet<SimHost>): Promise<void> {
    if (this.#stores.outage !== undefined) this.#world.met('healed a store that was out');
    this.#stores.outage = undefined;
    this.#stores.heal();
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

  /** Returns whether it could happen. */
  perform(host: SimHost, doing: HostDoing): boolean {
    const phase = host.life?.phase;
    if (!this.#do(host, doing)) return false;
    this.#world.record(doing.verb === 'outage' ? 'store' : host.name, doing);
    this.#world.met(`host ${doing.verb}`, phase);
    return true;
  }

  #soon(fault: HostFault, host: SimHost, chance: Chance): void {
    const perMinute = this.#world.plan.host[fault];
    if (perMinute === 0) return;
    this.#world.scheduler.first(chance.ms(120_000 / perMinute), () => {
      if (!this.#world.isFaulty) return;
      this.#happen(fault, host, chance);
      this.#soon(fault, host, chance);
    });
  }

  #happen(fault: HostFault, host: SimHost, chance: Chance): void {
    if (fault === 'swizzle') {
      if (this.#swizzle(chance)) this.#world.met('host swizzle');
      return;
    }
    const isDone = this.perform(host, drawn(fault, chance));
    if (isDone && isDeath(fault)) this.#startLater(host, chance, downMsMax);
  }

  #do(host: SimHost, doing: HostDoing): boolean {
    switch (doing.verb) {
      case 'start':
        if (!host.isFree) return false;
        if (host.start().number > 1) this.#world.met('restart');
        return true;
      case 'crash':
        if (host.life === undefined) return false;
        host.crash();
        return true;
      case 'crash-amid':
        if (host.life === undefined) return false;
        host.life.kernel.onNextBatch(() => this.#world.isFaulty && host.crash());
        return true;
      case 'stop':
        return this.#stop(host);
      case 'revive':
        return host.reviveIfRemoved();
      case 'pause':
        return this.#pause(host, doing.ms);
      case 'wall-jump':
        host.time.wallOffsetMs += doing.ms;
        return true;
      case 'move':
        host.move(Number(doing.network), doing.mtu);
        return true;
      case 'cut-off':
        host.link.cutOff(doing.fate);
        this.#world.note(host.name, 'is cut off');
        this.#later(doing.ms, () => host.link.cutOff(undefined));
        return true;
      case 'tail-stall':
        if (host.life === undefined) return false;
        host.link.stall(true);
        this.#later(doing.ms, () => host.link.stall(false));
        return true;
      case 'copy':
        return this.#copy(host);
      case 'outage':
        this.#outage(doing.how, doing.ms);
        return true;
    }
  }

  /** Daemons that are stopping at that moment die too. */
  #failPower(after: () => void, chance: Chance): void {
    const fallen = this.#hosts.filter((host) => host.life !== undefined);
    for (const host of fallen) host.crash();
    after();
    for (const host of fallen) this.#startAgain(host, chance);
  }

  #kill(process: Process, chance: Chance): boolean {
    const host = this.#hosts.find(({ life }) => life?.process === process);
    if (host === undefined) return false;
    host.crash();
    this.#startAgain(host, chance);
    return true;
  }

  /** Not told of: whoever lives the same life again has the same traps. */
  #startAgain(host: SimHost, chance: Chance): void {
    this.#later(chance.ms(downMsMax), () => {
      if (this.#world.isFaulty && host.isFree) host.start();
    });
  }

  #pause({ life }: SimHost, ms: number): boolean {
    if (life === undefined || life.process.paused) return false;
    this.#world.note(life.process.name, 'is paused');
    life.process.pause();
    this.#later(ms, () => life.process.resume());
    return true;
  }

  /** An operator asks one host to move the cluster, and does not wait for what comes of it. */
  #copy({ life }: SimHost): boolean {
    const url = this.#stores.otherUrl;
    if (life === undefined || this.#stores.hasMoved || url === this.#stores.configuredUrl) return false;
    const { signal } = cancelScope();
    this.#world.note('operator', `asks ${life.process.name} to move the cluster to ${url}`);
    life.controller.moveLog(url, { by: 'operator', signal }).then(
      () => this.#world.note('operator', 'moved the cluster'),
      (error: unknown) => {
        if (!isWeftError(error)) throw error;
        this.#world.note('operator', `could not move the cluster: ${error.message}`);
      },
    );
    return true;
  }

  /** Again and again until it has come about, each time by any host; sometimes by another one at the same moment. */
  #copySoon(chance: Chance): void {
    this.#world.scheduler.first(chance.ms(copyPauseMsMax), () => {
      if (!this.#world.isFaulty || this.#stores.hasMoved) return;
      const host = chance.pick(this.#hosts);
      const other = chance.happens(0.3) ? chance.pick(this.#hosts) : host;
      const isDone = this.perform(host, { verb: 'copy' });
      if (other !== host && this.perform(other, { verb: 'copy' }) && isDone)
        this.#world.met('cluster is moved by several at once');
      // The host may die over it.
      if (isDone && chance.happens(0.3)) this.#later(chance.ms(copyDeathMsMax), () => this.#die(host));
      this.#copySoon(chance);
    });
  }

  #die(host: SimHost): void {
    if (!this.#world.isFaulty || !this.perform(host, { verb: 'crash' })) return;
    this.#world.met('host dies over a move of the cluster');
    this.#startLater(host, this.#world.chance(`${host.name} start after a move`), downMsMax);
  }

  #outage(how: 'refusing' | 'silent', ms: number): void {
    this.#stores.outage = how;
    this.#world.note('store', `is ${how}`);
    this.#later(ms, () => {
      this.#stores.outage = undefined;
      this.#world.note('store', 'is back');
    });
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
      const atMs = chance.ms(cutMs);
      const doing = { verb: 'cut-off', fate: 'hang', ms: cutMs - atMs + chance.ms(cutMs) } as const;
      this.#world.scheduler.first(atMs, () => {
        if (this.#world.isFaulty) this.perform(host, doing);
      });
    }
    return true;
  }

  #stop(host: SimHost): boolean {
    if (host.life === undefined || host.life.process.paused) return false;
    const stopping = host.stop().then(() => {
      this.#stopping.delete(stopping);
    });
    this.#stopping.add(stopping);
    return true;
  }

  /** Once it is free: a daemon that stops may take its time. */
  #startLater(host: SimHost, chance: Chance, msMax: number): void {
    this.#world.scheduler.first(chance.ms(msMax), () => {
      if (!this.#world.isFaulty || host.life !== undefined) return;
      if (!this.perform(host, { verb: 'start' })) this.#startLater(host, chance, msMax);
    });
  }

  /** A removed host stays as it is until its operator starts it anew. */
  #reviveRemoved(host: SimHost, chance: Chance): void {
    this.#world.scheduler.first(operatorMsMin + chance.ms(operatorMsMax - operatorMsMin), () => {
      if (!this.#world.isFaulty) return;
      this.perform(host, { verb: 'revive' });
      this.#reviveRemoved(host, chance);
    });
  }

  #later(ms: number, act: () => void): void {
    this.#world.scheduler.after(ms, undefined, act);
  }
}

function isDeath(fault: HostFault): boolean {
  return fault === 'crash' || fault === 'crash-amid' || fault === 'stop';
}

/** It happens to all hosts together. */
function isOfAll(fault: HostFault): boolean {
  return fault === 'outage' || fault === 'swizzle';
}

function drawn(fault: Exclude<HostFault, 'swizzle'>, chance: Chance): HostDoing {
  switch (fault) {
    case 'crash':
    case 'crash-amid':
    case 'stop':
      return { verb: fault };
    case 'pause':
      return { verb: fault, ms: chance.ms(pauseMsMax) };
    case 'wall-jump':
      return { verb: fault, ms: chance.ms(2 * dayMs) - dayMs };
    case 'move':
      return {
        verb: fault,
        network: chance.pick(['2', '3'] as const),
        mtu: chance.pick([1_500, 1_500, 1_400, 9_000]),
      };
    case 'cut-off':
      return { verb: fault, fate: chance.pick(requestFaults), ms: chance.ms(cutMsMax) };
    case 'tail-stall':
      return { verb: fault, ms: chance.ms(cutMsMax) };
    case 'outage':
      return { verb: fault, how: chance.pick(['refusing', 'silent'] as const), ms: chance.ms(cutMsMax) };
  }
}

/**
 * A simulated machine and, while it lives, the production controller on it. The kernel, the identity and the way to the
 * store are the machine's, and outlive every process.
 */
import type { Phase } from '../../../core/controller/control.ts';
import { Controller } from '../../../core/controller/controller.ts';
import { isWeftError } from '../../../core/errors.ts';
import { type CancelScope, cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { EventLog } from '../../../core/log/event-log.ts';
import { type IpAddress, parseAddress } from '../../../core/model/address.ts';
import { everyAddress } from '../../../core/model/published-port.ts';
import { VolatileLogMemory } from '../../../core/ports/log-memory.ts';
import { CurrentLog } from '../../../core/succession/current-log.ts';
import { drivers } from '../../../drivers/index.ts';
import { FakeKernel } from '../../../kernel/fake/fake-kernel.ts';
import { MemoryArchive } from '../../support/memory-archive.ts';
import { PlainCompression } from '../../support/plain-compression.ts';
import { ForeignActor, listenedPort } from '../kernel/foreign-actor.ts';
import { HostKernel } from '../kernel/host-kernel.ts';
import { ArchiveMonitor } from '../monitors/archive-monitor.ts';
import { BatchMonitor } from '../monitors/batch-monitor.ts';
import { ReplicaMonitor } from '../monitors/replica-monitor.ts';
import type { Truth } from '../monitors/truth.ts';
import { Violation } from '../monitors/violation.ts';
import { Link } from '../store/link.ts';
import type { Stores } from '../store/stores.ts';
import { hostName } from './plan.ts';
import { Process } from './process.ts';
import { type MachineTime, ProcessClock } from './process-clock.ts';
import { TraceLogger } from './trace.ts';
import type { World } from './world.ts';

/** One life of the daemon. */
export interface Life {
  readonly number: number;
  readonly process: Process;
  readonly controller: Controller;
  readonly kernel: HostKernel;
  readonly scope: CancelScope;
  readonly running: Promise<void>;
  readonly beganAtMs: number;
  /** As the controller last said. */
  phase: Phase;
}

export class SimHost {
  readonly name: string;
  readonly machine = new FakeKernel();
  /** On its disk. */
  readonly archive = new MemoryArchive();
  readonly #memory = new VolatileLogMemory();
  readonly foreign: ForeignActor;
  readonly link: Link;
  readonly time: MachineTime;
  /** Absent while the daemon is down. */
  life: Life | undefined;
  readonly #world: World;
  readonly #stores: Stores;
  readonly #truth: Truth;
  readonly #number: number;
  #underlay: { readonly address: IpAddress; readonly mtu: number };
  #lives = 0;
  #isStopping = false;

  constructor(world: World, stores: Stores, truth: Truth, number: number) {
    this.name = hostName(number);
    this.#world = world;
    this.#stores = stores;
    this.#truth = truth;
    this.#number = number;
    this.foreign = new ForeignActor(world, this.name, this.machine);
    this.machine.addListener({ protocol: 'tcp', address: everyAddress(4), port: listenedPort });
    this.link = new Link(world, this.name, () => this.life?.phase);
    this.#underlay = { address: addressOf(2, number), mtu: 1_500 };
    // Before anybody else makes a link of that name, and takes it away again.
    this.#plugIn();
    const chance = world.chance(`${this.name} clock`);
    this.time = {
      rate: 1 + world.plan.drift * chance.between(-1, 1),
      wallOffsetMs: chance.ms(6_000) - 3_000,
    };
  }

  /** Its address and the link that has it. */
  #plugIn(): void {
    this.machine.addUnderlay(this.#underlay.address, 'eth0', this.#underlay.mtu);
  }

  /** Nothing of a daemon is left on it. */
  get isFree(): boolean {
    return this.life === undefined && !this.#isStopping;
  }

  start(): Life {
    const number = ++this.#lives;
    const world = this.#world;
    const process = new Process(`${this.name}.${number}`, world.scheduler);
    const clock = new ProcessClock(world.scheduler, process, this.time);
    const random = world.chance(`${process.name} random`);
    const logger = new TraceLogger(
      (line) => world.note(process.name, line),
      world.trace.isPrinted,
      (message, values) => this.#onSaid(life, message, values),
    );
    const archived = new ArchiveMonitor(world, this.#truth, this.archive, process.name);
    const connect = (url: string): EventLog => {
      const log = this.#stores.connectTo(url, { link: this.link, process, clock, random, logger });
      const trim = log.trim.bind(log);
      log.trim = async (upTo, signal) => {
        this.#truth.trims(archived.trims(upTo) ?? this.#truth.state.ordinal);
        await trim(upTo, signal);
        world.met(`${this.#stores.styleOf(url)} store trimmed`);
      };
      return log;
    };
    const { configuredUrl } = this.#stores;
    const url = this.#memory.last?.url ?? configuredUrl;
    if (this.#stores.hasMoved && url === configuredUrl) world.met('host looks where the cluster has left');
    const log = connect(url);
    const { address, mtu } = this.#underlay;
    this.machine.reopen();
    this.#plugIn();
    const batches = new BatchMonitor(
      world,
      this.name,
      this.machine,
      this.#truth.state.ordinal,
      () => controller.state,
    );
    const kernel = new HostKernel({
      world,
      machine: this.machine,
      process,
      host: this.name,
      onApply: (operations) => batches.take(operations),
      onResult: (operation, result) => batches.answered(operation, result),
    });
    const controller: Controller = new Controller(
      {
        log: new CurrentLog(log),
        connect: async (other) => connect(other),
        memory: this.#memory,
        kernel,
        clock,
        random,
        logger,
        compression: new PlainCompression(),
        archive: this.archive,
        drivers,
        fold: world.fold,
      },
      {
        host: this.name,
        address,
        identity: String(this.#number).padStart(32, '0'),
        mtu,
        version: '0.0.0',
        netnsPrefix: 'weft-',
        snapshotOrdinals: world.plan.snapshotOrdinals,
        graceMs: world.plan.graceMs,
        retentionMs: world.plan.retentionMs,
      },
    );
    const replica = new ReplicaMonitor(world, this.#truth, process.name);
    controller.steps$.subscribe((step) => {
      replica.take(step);
      archived.take(step);
    });
    const scope = cancelScope();
    world.note(process.name, 'starts');
    const running = controller.run(scope.signal);
    running.catch((error: unknown) => {
      world.fail(new Violation('I39', `${process.name} ended with ${String(error)}`));
    });
    const life: Life = {
      number,
      process,
      controller,
      kernel,
      scope,
      running,
      beganAtMs: world.nowMs,
      phase: 'opening',
    };
    this.life = life;
    return life;
  }

  /** The machine has another address and MTU, which the daemon's next life is told of. */
  move(network: number, mtu: number): void {
    this.#underlay = { address: addressOf(network, this.#number), mtu };
    this.#world.note(this.name, `has ${this.#underlay.address} and MTU ${mtu} now`);
  }

  /** What the sandbox of that reference is told from others by; undefined where there is none. */
  async identityOf(ref: string): Promise<string | undefined> {
    const found = await this.machine.inspectSandbox(ref).catch((error: unknown) => {
      if (isWeftError(error)) return undefined;
      throw error;
    });
    return found?.identity;
  }

  /** The process dies at once, wherever it is. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.#world.note(life.process.name, 'crashes');
    life.kernel.cutOff();
    life.process.kill();
    this.life = undefined;
  }

  /** The process ends in good order; resolves once it has. */
  async stop(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    this.#world.note(life.process.name, 'stops');
    this.life = undefined;
    this.#isStopping = true;
    life.scope.cancel();
    await life.running;
    await life.controller.stop();
    life.process.kill();
    this.#isStopping = false;
  }

  /** A host that was removed from its cluster stays so until its operator starts it anew. Returns whether it was. */
  reviveIfRemoved(): boolean {
    if (this.life?.phase !== 'removed') return false;
    this.crash();
    this.start();
    this.#world.met('removed host comes back');
    return true;
  }

  #onSaid(life: Life, message: string, values: Readonly<Record<string, unknown>>): void {
    if (message === 'entered a phase') this.#onPhase(life, values);
    if (message === 'too many hosts are silent to be taken down')
      this.#world.met('too many hosts are silent');
    const said = /^an append of unknown outcome was (not )?carried out$/.exec(message);
    if (said !== null) this.#truth.settled(String(values['entry']), said[1] === undefined);
  }

  #onPhase(life: Life, values: Readonly<Record<string, unknown>>): void {
    life.phase = values['phase'] as Phase;
    if (life.phase !== 'halted' || this.#world.isLost) return;
    this.#world.fail(new Violation('I28', `${this.name} halted: ${String(values['reason'])}`));
  }
}

function addressOf(network: number, host: number): IpAddress {
  const address = parseAddress(`192.168.${network}.${10 + host}`);
  if (address === undefined) throw new Error('Broken invariant: hosts have addresses');
  return address;
}

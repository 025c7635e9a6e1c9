/**
 * One process's handle on its machine's kernel: the port `Kernel` over the fake one, with calls that take their time and
 * fail, operations that are refused or whose answers are lost, and events that come late.
 */
import type {
  Kernel,
  KernelEvent,
  Operation,
  OperationResult,
  SandboxInspection,
} from '../../../core/dataplane/kernel.ts';
import type { Namespace } from '../../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../../core/dataplane/object.ts';
import { WeftError } from '../../../core/errors.ts';
import type { IpAddress } from '../../../core/model/address.ts';
import type { CancelSignal } from '../../../core/ports/cancel.ts';
import type { FakeKernel, Fault } from '../../../kernel/fake/fake-kernel.ts';
import { errnos, type FateOf } from '../scenario/intervention.ts';
import type { Chance } from '../world/chance.ts';
import type { KernelFault } from '../world/plan.ts';
import type { Process } from '../world/process.ts';
import type { World } from '../world/world.ts';

const reasons: Readonly<Record<(typeof errnos)[number], string>> = {
  ENOBUFS: 'ENOBUFS: No buffer space available',
  EBUSY: 'EBUSY: Device or resource busy',
  EPERM: 'EPERM: not today',
};
type Call = 'namespaces' | 'dump' | 'apply' | 'follow' | 'inspect';
/** Longer than the reconciler waits for an echo before it looks for itself. */
const lateMsMax = 1_500;

export interface HostKernelParts {
  readonly world: World;
  readonly machine: FakeKernel;
  readonly process: Process;
  readonly host: string;
  /** Sees every batch before it is carried out. */
  readonly onApply: (operations: readonly Operation[]) => void;
  /** Sees what came of each operation. */
  readonly onResult: (operation: Operation, result: OperationResult) => void;
}

export class HostKernel implements Kernel {
  readonly #world: World;
  readonly #machine: FakeKernel;
  readonly #process: Process;
  readonly #host: string;
  readonly #chance: Chance;
  readonly #fates: Chance;
  readonly #onApply: (operations: readonly Operation[]) => void;
  readonly #onResult: HostKernelParts['onResult'];
  /** The batch that waits to be carried out. */
  #batch: readonly Operation[] = [];
  #onBatch: (() => unknown) | undefined;
  #hidden: Namespace | undefined;
  #isRefused: ((operation: Operation) => boolean) | undefined;

  constructor({ world, machine, process, host, onApply, onResult }: HostKernelParts) {
    this.#world = world;
    this.#machine = machine;
    this.#process = process;
    this.#host = host;
    this.#chance = world.chance(`${process.name} kernel`);
    this.#fates = world.chance(`${process.name} kernel fates`);
    this.#onApply = onApply;
    this.#onResult = onResult;
    machine.injectFault((operation) => this.#refusal(operation) ?? this.#faultOfOperation());
  }

  namespaces(): Promise<readonly Namespace[]> {
    return this.#call('namespaces', () => this.#machine.namespaces());
  }

  dump(ns: Namespace, options?: Parameters<Kernel['dump']>[1]): Promise<readonly KernelObject[]> {
    return this.#call('dump', () =>
      ns === this.#hidden
        ? Promise.reject(new WeftError('kernel', `dump: ${reasons.ENOBUFS}`))
        : this.#machine.dump(ns, options),
    );
  }

  async apply(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.#onApply(operations);
    this.#batch = operations;
    // Before the batch is carried out, which is a task of its own that follows.
    const onBatch = this.#onBatch;
    if (onBatch !== undefined) this.#world.scheduler.after(0, undefined, () => void onBatch());
    this.#onBatch = undefined;
    return await this.#call('apply', () => {
      this.#batch = [];
      return this.#carryOut(operations);
    });
  }

  async *watch(signal: CancelSignal): AsyncGenerator<KernelEvent, void, void> {
    for await (const event of this.#machine.watch(signal)) {
      // The machine tells whoever listened last; a process that is dead or paused hears nothing.
      if (this.#process.dead || this.#process.paused) await this.#wait(0);
      const late = this.#latenessOfEvent();
      if (late !== undefined) await this.#wait(this.#met(late).ms);
      yield event;
    }
  }

  follow(namespaces: ReadonlySet<Namespace>): Promise<void> {
    return this.#call('follow', () => this.#machine.follow(namespaces));
  }

  inspectSandbox(ref: string): Promise<SandboxInspection> {
    return this.#call('inspect', () => this.#machine.inspectSandbox(ref));
  }

  underlay(address: IpAddress): ReturnType<Kernel['underlay']> {
    return this.#machine.underlay(address);
  }

  routes(): ReturnType<Kernel['routes']> {
    return this.#machine.routes();
  }

  listeners(...args: Parameters<Kernel['listeners']>): ReturnType<Kernel['listeners']> {
    return this.#machine.listeners(...args);
  }

  droppingChains(): ReturnType<Kernel['droppingChains']> {
    return this.#machine.droppingChains();
  }

  close(): Promise<void> {
    return this.#machine.close();
  }

  /** Calls back once, when the next batch is on its way. */
  onNextBatch(act: () => unknown): void {
    this.#onBatch = act;
  }

  /** Cannot be looked at until another one cannot, or none. */
  hide(ns: Namespace | undefined): void {
    this.#hidden = ns;
  }

  /** Refuses one operation, the next of these. */
  refuseOnce(isMeant: (operation: Operation) => boolean): void {
    this.#isRefused = isMeant;
  }

  /** The process is killed: of a batch under way a part may have been carried out. */
  cutOff(): void {
    const part = this.#batch.slice(0, this.#chance.below(this.#batch.length + 1));
    this.#machine.injectFault(undefined);
    if (part.length > 0) {
      this.#world.met('crash within a batch');
      void this.#machine.apply(part);
    }
  }

  #call<T>(name: Call, act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { scheduler, plan } = this.#world;
      scheduler.after(this.#chance.unit() * plan.kernelDelayMs, this.#process, () => {
        const failure = this.#failureOf(name);
        if (failure !== undefined) {
          this.#world.note(this.#process.name, `kernel ${name} fails`);
          reject(new WeftError('kernel', `${name}: ${reasons[failure.reason]}`));
          return;
        }
        act().then(
          (value) => {
            scheduler.after(this.#chance.unit() * plan.kernelDelayMs, this.#process, () => resolve(value));
          },
          (error: unknown) => reject(error),
        );
      });
    });
  }

  async #carryOut(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const results = await this.#machine.apply(operations);
    results.forEach((result, index) => this.#onResult(operations[index] as Operation, result));
    return results;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.scheduler.after(ms, this.#process, resolve);
    });
  }

  #failureOf(verb: Call): FateOf<Call> | undefined {
    if (!this.#world.isFaulty) return undefined;
    const fate = this.#world.fateOf(this.#host, verb, () =>
      this.#happens('call-fails')
        ? { verb, fate: 'call-fails', reason: this.#fates.pick(errnos), after: undefined }
        : undefined,
    );
    return fate === undefined ? undefined : this.#met(fate);
  }

  #latenessOfEvent(): FateOf<'event'> | undefined {
    if (!this.#world.isFaulty) return undefined;
    return this.#world.fateOf(this.#host, 'event', () =>
      this.#happens('late-event')
        ? { verb: 'event', fate: 'late-event', ms: this.#fates.ms(lateMsMax), after: undefined }
        : undefined,
    );
  }

  #refusal(operation: Operation): Fault | undefined {
    if (this.#isRefused?.(operation) !== true) return undefined;
    this.#isRefused = undefined;
    return { reason: reasons.EBUSY };
  }

  #faultOfOperation(): Fault | undefined {
    if (!this.#world.isFaulty) return undefined;
    const met = this.#world.fateOf(this.#host, 'operation', () => {
      const fate = (['operation-fails', 'answer-lost', 'no-effect'] as const).find((fault) =>
        this.#happens(fault),
      );
      if (fate === undefined) return undefined;
      return { verb: 'operation', fate, reason: this.#fates.pick(errnos), after: undefined };
    });
    if (met === undefined) return undefined;
    const { fate, reason } = this.#met(met);
    if (fate === 'no-effect') return { reason: 'none', ignored: true };
    return { reason: reasons[reason], applied: fate === 'answer-lost' };
  }

  #happens(fault: KernelFault): boolean {
    return this.#fates.happens(this.#world.plan.kernel[fault]);
  }

  #met<F extends { readonly fate: KernelFault }>(met: F): F {
    this.#world.met(`kernel ${met.fate}`);
    return met;
  }
}

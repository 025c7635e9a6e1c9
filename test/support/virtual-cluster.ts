/**
 * Whole controllers in one process: production code over a virtual clock, seeded chance, a store in memory and a kernel
 * in memory for each host.
 */
import { MemoryEventLog } from '../../adapters/memory/event-log.ts';
import { parseMemoryUrl } from '../../adapters/memory/options.ts';
import { MemoryStore } from '../../adapters/memory/store.ts';
import { Controller, type ControllerOptions } from '../../core/controller/controller.ts';
import type { Fold } from '../../core/controller/fold-entries.ts';
import type { HostAllowances } from '../../core/desired/host-view.ts';
import { type CancelScope, cancelScope } from '../../core/lib/cancel-scope.ts';
import { type IpAddress, parseAddress } from '../../core/model/address.ts';
import { type LogMemory, VolatileLogMemory } from '../../core/ports/log-memory.ts';
import type { PresenceOptions } from '../../core/presence/defaults.ts';
import { CurrentLog } from '../../core/succession/current-log.ts';
import { drivers } from '../../drivers/index.ts';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { MemoryArchive } from './memory-archive.ts';
import { PlainCompression } from './plain-compression.ts';
import { QuietLogger } from './quiet-logger.ts';
import { SeededRandom } from './seeded-random.ts';
import { SeverableLog } from './severable-log.ts';
import { VirtualClock } from './virtual-clock.ts';

/** How far time moves between two looks at whether something has come about. */
const stepMs = 5;
/** Virtual time after which something counts as never coming about. */
const patienceMs = 60_000;

/** Of all controllers of a cluster alike. */
export type ClusterOptions = Pick<ControllerOptions, 'snapshotOrdinals'> & Partial<PresenceOptions>;

export interface VirtualHost {
  readonly name: string;
  readonly controller: Controller;
  readonly kernel: FakeKernel;
  readonly log: SeverableLog;
  readonly logger: QuietLogger;
  readonly archive: MemoryArchive;
  readonly memory: LogMemory;
  /** Rejects with what `run` rejects with. */
  readonly running: Promise<void>;
  readonly scope: CancelScope;
}

export class VirtualCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: SeededRandom;
  readonly store: MemoryStore = new MemoryStore();
  /** Those to which the cluster may move, by name; `store` is named `cluster`. */
  readonly #others = new Map<string, MemoryStore>();
  readonly #hosts: VirtualHost[] = [];
  readonly #options: ClusterOptions;

  /** @param options as the controllers' */
  constructor(seed = 1, options: ClusterOptions = {}) {
    this.#options = options;
    this.random = new SeededRandom(seed);
  }

  /** Begins the life of a host, on the kernel and the archive of a former life if there was one. Does not wait for it to be at work. */
  launch(
    name: string,
    options: {
      kernel?: FakeKernel;
      address?: string;
      identity?: string;
      archive?: MemoryArchive;
      memory?: LogMemory;
      fold?: Fold;
      allowed?: HostAllowances;
    } = {},
  ): VirtualHost {
    const number = 11 + this.#hosts.length;
    const address = addressOf(options.address ?? `192.168.2.${number}`);
    const kernel = options.kernel ?? new FakeKernel();
    kernel.reopen();
    kernel.addUnderlay(address);
    const logger = new QuietLogger({ host: name });
    const { clock, random } = this;
    const connect = async (url: string) => {
      const options = parseMemoryUrl(url);
      return new MemoryEventLog(options, { clock, random, logger }, this.storeNamed(options.name));
    };
    const log = new SeverableLog(
      new MemoryEventLog({ name: 'cluster' }, { clock, random, logger }, this.store),
    );
    const identity = options.identity ?? Buffer.from(name.padEnd(16, '.')).toString('hex');
    const archive = options.archive ?? new MemoryArchive();
    const memory = options.memory ?? new VolatileLogMemory();
    const controller = new Controller(
      {
        log: new CurrentLog(log),
        connect,
        memory,
        kernel,
        clock,
        random,
        logger,
        compression: new PlainCompression(),
        archive,
        drivers,
        ...(options.fold === undefined ? {} : { fold: options.fold }),
      },
      {
        host: name,
        address,
        identity,
        mtu: 1500,
        version: '0.0.0',
        netnsPrefix: 'weft-',
        ...options.allowed,
        ...this.#options,
      },
    );
    const scope = cancelScope();
    const host = {
      name,
      controller,
      kernel,
      log,
      logger,
      archive,
      memory,
      running: controller.run(scope.signal),
      scope,
    };
    this.#hosts.push(host);
    return host;
  }

  /** The store of that name, made on first use. */
  storeNamed(name: string): MemoryStore {
    if (name === 'cluster') return this.store;
    const store = this.#others.get(name) ?? new MemoryStore();
    this.#others.set(name, store);
    return store;
  }

  /** Begins the life of a host and waits until it is at work. */
  async start(name: string, options: Parameters<VirtualCluster['launch']>[1] = {}): Promise<VirtualHost> {
    const host = this.launch(name, options);
    await this.until(async () => (await this.phaseOf(host)) === 'running', host.running);
    return host;
  }

  async phaseOf(host: VirtualHost): Promise<string> {
    return (await this.drive(host.controller.status(host.scope.signal))).phase;
  }

  /** Ends the life of a host in good order; its kernel keeps what it has, and may be given to the next life. */
  async stop(host: VirtualHost): Promise<void> {
    host.scope.cancel();
    await this.drive(host.running);
    await this.drive(host.controller.stop());
  }

  /** Stops every host that still lives. */
  async dispose(): Promise<void> {
    for (const host of this.#hosts) if (!host.scope.signal.aborted) await this.stop(host);
  }

  /** Moves time on until a promise is settled, and gives what it gives. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    for (let ms = 0; !settled; ms += stepMs) {
      if (ms > patienceMs) throw new Error(`Nothing came of it within ${patienceMs} ms of virtual time`);
      await this.clock.advance(ms === 0 ? 0 : stepMs);
    }
    return promise;
  }

  /** Moves time on until a condition holds. A promise given beside it is not left unheard when it rejects. */
  async until(condition: () => Promise<boolean> | boolean, beside?: Promise<unknown>): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    beside?.catch((error: unknown) => {
      failure = { error };
    });
    for (let ms = 0; !(await condition()); ms += stepMs) {
      if (failure !== undefined) throw failure.error;
      if (ms > patienceMs) throw new Error(`It did not come about within ${patienceMs} ms of virtual time`);
      await this.clock.advance(stepMs);
    }
  }

  /** Moves time on until nothing is pending on any living host, and all of them stand at one hash. */
  async settle(): Promise<void> {
    await this.until(() => {
      const living = this.#hosts.filter(({ scope }) => !scope.signal.aborted);
      return new Set(living.map(({ controller }) => controller.state.recordHash)).size <= 1;
    });
    await this.clock.advance(1_000);
  }
}

function addressOf(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

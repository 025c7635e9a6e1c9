/**
 * One host's data plane put together for tests: a hand-made cluster, its compilation, a kernel in memory, a clock that
 * stands still, and the reconciler between them.
 */
import assert from 'node:assert/strict';
import { afterEach } from 'mocha';
import type { Repair } from '../../core/controller/control.ts';
import { sameState } from '../../core/dataplane/equal.ts';
import type { Kernel } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import { toText } from '../../core/dataplane/text.ts';
import { DesiredState } from '../../core/desired/desired-state.ts';
import type { ReconcilerOptions } from '../../core/reconcile/defaults.ts';
import { Reconciler } from '../../core/reconcile/reconciler.ts';
import { drivers } from '../../drivers/index.ts';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { Cluster, type ClusterStep } from './cluster.ts';
import { QuietLogger } from './quiet-logger.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface RigParts {
  readonly kernel?: FakeKernel;
  readonly cluster?: Cluster;
  /** What the reconciler gets in place of the kernel itself. */
  readonly port?: Kernel;
  readonly options?: Partial<ReconcilerOptions>;
}

export class Rig {
  readonly cluster: Cluster;
  readonly kernel: FakeKernel;
  readonly clock = new VirtualClock();
  readonly logger = new QuietLogger();
  readonly desired = new DesiredState(drivers, { host: 'a', netnsPrefix: 'weft-' });
  readonly reconciler: Reconciler;
  readonly told: Repair[] = [];
  readonly #stopping = new AbortController();

  /** Another rig on the cluster and the kernel of one that has stopped is its daemon started again. */
  constructor(parts: RigParts = {}) {
    this.cluster = parts.cluster ?? new Cluster();
    this.kernel = parts.kernel ?? new FakeKernel();
    this.desired.load(this.cluster.state);
    this.desired.takeDirty();
    this.reconciler = new Reconciler(parts.port ?? this.kernel, this.desired, this, parts.options);
    this.reconciler.repairs$.subscribe((repair) => this.told.push(repair));
  }

  /** Starts, and lets the first look and what follows from it happen. */
  async start(): Promise<void> {
    this.reconciler.start(this.#stopping.signal);
    await this.settle();
  }

  /** Lets everything go on that needs no time to pass, however long it takes. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    await this.settle();
    await this.clock.advance(ms);
    await this.settle();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.reconciler.stop();
  }

  /** Hands on what the fold changed, as the controller does. */
  follow<T extends ClusterStep>(step: T): T {
    for (const change of step.changes) this.desired.apply(change, step.state);
    this.reconciler.touch(this.desired.takeDirty());
    return step;
  }

  /** Lets the echoes of what was done be past, so that events are believed at once. */
  async quiet(): Promise<void> {
    await this.advance(2_000);
  }

  /** The objects that are desired and not in the kernel, otherwise in it, or in it and not desired. */
  differences(): string[] {
    const wanted = this.wanted();
    const found = new Map(this.kernel.objects().map((object) => [keyOf(object), object]));
    const differences: string[] = [];
    for (const object of wanted.values()) {
      const actual = object.kind === 'sysctl' ? this.#sysctl(object) : found.get(keyOf(object));
      if (actual === undefined) differences.push(`missing: ${toText(object)}`);
      else if (!sameState(object, actual))
        differences.push(`altered: ${toText(object)} is ${toText(actual)}`);
    }
    for (const [key, object] of found) {
      const isLoopback = object.kind === 'link' && object.type.type === 'loopback';
      if (!wanted.has(key) && !isLoopback) differences.push(`stray: ${toText(object)}`);
    }
    return differences;
  }

  assertInOrder(): void {
    assert.deepEqual(this.differences(), []);
  }

  /** Every desired object by key. */
  wanted(): Map<string, KernelObject> {
    const wanted = new Map<string, KernelObject>();
    for (const ns of this.desired.namespaces()) {
      for (const [key, object] of this.desired.inNamespace(ns)) wanted.set(key, object);
    }
    return wanted;
  }

  #sysctl(object: Extract<KernelObject, { kind: 'sysctl' }>): KernelObject | undefined {
    const value = this.kernel.sysctl(object.ns, object.name);
    return value === undefined ? undefined : { ...object, value };
  }
}

/** Hosts a and b, sandboxes red and blue on a, an overlay with an endpoint in red and one on b; not started. */
export function overlayRig(
  parts: Omit<RigParts, 'cluster' | 'kernel'> & { port?: Kernel } = {},
  kernel = new FakeKernel(),
) {
  const cluster = new Cluster();
  cluster.setHost('a', '192.0.2.1');
  cluster.setHost('b', '192.0.2.2');
  const { network } = cluster.addNetwork('n1');
  kernel.addSandbox('red');
  kernel.addSandbox('blue');
  const near = cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'near' }).endpoint;
  const far = cluster.addEndpoint(network.id, { host: 'b', sandbox: 'green', name: 'far' }).endpoint;
  return { rig: new Rig({ ...parts, cluster, kernel }), cluster, kernel, network, near, far };
}

/** Makes rigs for the tests of the suite that it is called in, and stops them after each, with nothing left asleep. */
export function useRigs() {
  const rigs: Rig[] = [];
  afterEach(async () => {
    for (const rig of rigs.splice(0)) {
      await rig.stop();
      assert.equal(rig.clock.sleeping, 0, 'something still sleeps after stop');
    }
  });
  const anew = (parts: RigParts): Rig => {
    const made = new Rig(parts);
    rigs.push(made);
    return made;
  };
  return {
    scene: (...args: Parameters<typeof overlayRig>): ReturnType<typeof overlayRig> => {
      const made = overlayRig(...args);
      rigs.push(made.rig);
      return made;
    },
    anew,
    /** A rig on the cluster and the kernel of one that has stopped: its daemon started again. */
    again: ({ cluster, kernel }: Rig): Rig => anew({ cluster, kernel }),
  };
}

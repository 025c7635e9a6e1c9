/**
 * Whatever happens to the fold, to the kernel and to the calls between weft and it, in whatever order: once it is over,
 * the kernel is exactly as desired, what others own is as it was, and nothing goes on.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { Cluster } from '../../test/support/cluster.ts';
import { type Happening, happen, happenings, hostNames } from '../../test/support/cluster-history.ts';
import { runs } from '../../test/support/property-settings.ts';
import { Rig } from '../../test/support/rig.ts';
import { keyOf } from '../dataplane/key.ts';
import { type Namespace, ownedNamespace, sandboxNamespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { defaults } from './defaults.ts';

type Event =
  | { readonly type: 'fold'; readonly happening: Happening }
  | {
      readonly type: 'delete' | 'alter' | 'add' | 'deaf' | 'lose' | 'fault' | 'restart' | 'pause';
      readonly pick: number;
    }
  | { readonly type: 'time'; readonly ms: number };

const deeds = ['delete', 'alter', 'add'] as const;
const sandboxes = ['s0', 's1', 's2', '/run/other/s0'];

const events: fc.Arbitrary<Event[]> = happenings(80).chain((history) =>
  fc
    .array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            type: fc.constantFrom(...deeds, ...deeds, ...deeds, 'deaf', 'lose', 'fault', 'restart', 'pause'),
            pick: fc.nat(10_000),
          }) as fc.Arbitrary<Event>,
        },
        {
          weight: 3,
          arbitrary: fc.record({
            type: fc.constant('time'),
            ms: fc.constantFrom(0, 1, 30, 80, 1_500, 40_000),
          }) as fc.Arbitrary<Event>,
        },
      ),
      { maxLength: 150, size: 'max' },
    )
    .map((others) =>
      interleave(
        history.map((happening): Event => ({ type: 'fold', happening })),
        others,
      ),
    ),
);

function interleave(a: readonly Event[], b: readonly Event[]): Event[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, index) => [a[index], b[index]])
    .flat()
    .filter((event) => event !== undefined);
}

/** A host with its rig, its foreign neighbours, and everything that can befall it. */
class World {
  readonly kernel = new FakeKernel();
  readonly cluster = new Cluster();
  rig: Rig;
  deeds = 0;
  repaired = 0;
  #paused = false;

  constructor() {
    for (const ref of sandboxes) {
      this.kernel.addSandbox(ref);
      this.kernel.addForeignLink(sandboxNamespace(ref), 'theirs');
    }
    for (const name of hostNames) this.cluster.setHost(name, `192.0.2.${name.charCodeAt(0)}`);
    this.rig = this.#newRig();
  }

  async befall(event: Event): Promise<void> {
    switch (event.type) {
      case 'fold': {
        const step = happen(this.cluster, event.happening);
        if (step !== undefined) this.rig.follow(step);
        return;
      }
      case 'time':
        return this.rig.advance(event.ms);
      case 'delete':
        return this.#onSome(event.pick, (object) => this.kernel.deleteByHand(object));
      case 'alter':
        return this.#onSome(event.pick, (object) => this.kernel.alterByHand(altered(object)));
      case 'add':
        return this.#onSome(event.pick, (object) => this.kernel.addByHand(neighbourOf(object)));
      case 'deaf':
        return this.kernel.setDeaf(event.pick % 2 === 0);
      case 'lose':
        return this.kernel.loseEvents();
      case 'fault':
        return this.#fault(event.pick);
      case 'restart':
        return this.#restart();
      case 'pause':
        if (this.#paused) this.rig.reconciler.resume();
        else this.rig.reconciler.pause('chaos');
        this.#paused = !this.#paused;
        return;
    }
  }

  /** The storm is over: no faults, no deafness, and time for the longest of the pauses. */
  async calm(): Promise<void> {
    this.kernel.injectFault(undefined);
    this.kernel.setDeaf(false);
    this.rig.reconciler.resume();
    await this.rig.advance(defaults.auditIntervalMs + 2 * defaults.retryDelayMsMax);
  }

  async #restart(): Promise<void> {
    this.repaired += this.rig.reconciler.repaired;
    await this.rig.stop();
    this.#paused = false;
    this.rig = this.#newRig();
    await this.rig.start();
  }

  #newRig(): Rig {
    return new Rig({ cluster: this.cluster, kernel: this.kernel, options: { batchOperationsMax: 7 } });
  }

  /** Some object of weft's, unless the kernel would not let the user do it either. */
  #onSome(pick: number, deed: (object: KernelObject) => void): void {
    const objects = this.kernel
      .objects()
      .filter((object) => object.kind !== 'link' || object.type.type !== 'loopback');
    const object = objects[pick % objects.length];
    if (object === undefined) return;
    try {
      deed(object);
      this.deeds += 1;
    } catch (error) {
      if (!(error instanceof Error && error.name === 'Refusal')) throw error;
    }
  }

  #fault(pick: number): void {
    if (pick % 3 === 0) this.kernel.injectFault(undefined);
    else {
      this.kernel.injectFault((_operation, index) =>
        (index + pick) % 3 === 0
          ? { reason: 'ENOBUFS: No buffer space available', applied: pick % 2 === 0 }
          : undefined,
      );
    }
  }
}

function altered(object: KernelObject): KernelObject {
  switch (object.kind) {
    case 'link':
      return { ...object, up: !object.up };
    case 'neighbour':
      return { ...object, mac: '02:00:00:00:00:77' as typeof object.mac };
    case 'fdb':
      return object.remote === undefined
        ? object
        : { ...object, remote: '192.0.2.177' as typeof object.remote };
    case 'hosts':
      return { ...object, entries: [] };
    default:
      return object;
  }
}

/** An object beside the given one that nobody wants, where weft would see it; else the object itself. */
function neighbourOf(object: KernelObject): KernelObject {
  if (!isOwned(object.ns)) return object;
  if (object.kind === 'neighbour') return { ...object, address: '10.200.0.1' as typeof object.address };
  if (object.kind === 'fdb') return { ...object, mac: '02:00:00:00:00:66' as typeof object.mac };
  if (object.kind === 'address') return { ...object, address: '10.201.0.1/24' as typeof object.address };
  return object;
}

function isOwned(ns: Namespace): boolean {
  return ns.startsWith(ownedNamespace(''));
}

describe('core/reconcile convergence', () => {
  it('P8: ends with the kernel exactly as desired after any history of changes, foreign deeds and failures', async () => {
    let done = 0;
    let repaired = 0;
    let objects = 0;
    await fc.assert(
      fc.asyncProperty(events, async (history) => {
        const world = new World();
        const foreign = world.kernel.foreignObjects().map(keyOf).sort();
        await world.rig.start();
        for (const event of history) await world.befall(event);
        await world.calm();
        const { rig, kernel } = world;
        rig.assertInOrder();
        assert.deepEqual(rig.reconciler.failing(), []);
        assert.equal(rig.reconciler.pending, 0);
        assert.deepEqual(kernel.foreignObjects().map(keyOf).sort(), foreign);
        const { writes } = rig.reconciler;
        await rig.advance(2 * defaults.auditIntervalMs);
        assert.equal(rig.reconciler.writes, writes, 'it goes on writing with everything in order');
        await rig.stop();
        done += world.deeds;
        repaired += world.repaired + rig.reconciler.repaired;
        objects += rig.wanted().size;
      }),
      { numRuns: runs(100) },
    );
    assert.ok(
      done > 300 && repaired > 100 && objects > 300,
      `too tame: ${done} deeds, ${repaired} repairs, ${objects} objects`,
    );
  });
});

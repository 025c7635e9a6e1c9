/**
 * What the kernel has, beside where the fold stands, taken so that the two can be compared later: looked at again while
 * anything moves meanwhile. Reads only.
 */
import type { Kernel } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import type { Namespace } from '../dataplane/namespace.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { compareText } from '../dataplane/order.ts';
import type { State } from '../fold/state.ts';
import type { Position } from '../log/event-log.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { DesiredView } from '../reconcile/desired.ts';
import { namespacesOf } from '../reconcile/plan.ts';
import type { Checkpoint, Evidence } from './control.ts';
import { evidenceLookAgainMs, evidenceLooksMax } from './defaults.ts';

export interface EvidenceSources {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly desired: DesiredView;
  readonly stand: () => Stand;
  readonly checkpoints: () => readonly Checkpoint[];
}

/** Whatever moves when the fold or the data plane does. */
interface Stand {
  readonly position: Position;
  readonly state: State;
  readonly writes: number;
  readonly pending: number;
}

interface Look {
  readonly objects: readonly KernelObject[];
  readonly fault?: string;
}

export async function takeEvidence(sources: EvidenceSources, signal: CancelSignal): Promise<Evidence> {
  for (let looks = 1; ; looks += 1) {
    const before = sources.stand();
    const look = await lookAt(sources.kernel, sources.desired);
    const after = sources.stand();
    const steady =
      before.position === after.position && before.writes === after.writes && after.pending === 0;
    if (steady || looks === evidenceLooksMax || signal.aborted) {
      const { ordinal, recordHash, stateHash } = before.state;
      const checkpoints = sources.checkpoints().filter((checkpoint) => checkpoint.ordinal <= ordinal);
      return {
        ordinal,
        recordHash,
        stateHash,
        position: before.position,
        checkpoints,
        kernel: { ...look, steady },
      };
    }
    await sources.clock.sleep(evidenceLookAgainMs, signal);
  }
}

/** Every namespace that has or should have something of weft's, and those that veth pairs lead to from there. */
async function lookAt(kernel: Kernel, desired: DesiredView): Promise<Look> {
  const found = new Map<string, KernelObject>();
  const faults: string[] = [];
  const attempt = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  // A set that is iterated while it grows: what is added is visited too.
  const namespaces = new Set<Namespace>(desired.namespaces());
  for (const ns of (await attempt(() => kernel.namespaces())) ?? []) namespaces.add(ns);
  for (const ns of namespaces) {
    const sysctls = sysctlsOf(desired, ns);
    for (const object of (await attempt(() => kernel.dump(ns, { sysctls }))) ?? []) {
      found.set(keyOf(object), object);
      for (const other of namespacesOf(object)) namespaces.add(other);
    }
  }
  const objects = [...found].sort(([a], [b]) => compareText(a, b)).map(([, object]) => object);
  return { objects, ...(faults[0] === undefined ? {} : { fault: faults[0] }) };
}

function sysctlsOf(desired: DesiredView, ns: Namespace): string[] {
  return [...desired.inNamespace(ns).values()].flatMap((object) =>
    object.kind === 'sysctl' ? [object.name] : [],
  );
}

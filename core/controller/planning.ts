/**
 * What a request would do, without doing it: the fold decides on the record that it would make, and each host's objects
 * before and after are compared by the reconciler's own planner. Pure: nothing is appended and no kernel is asked.
 *
 * It is as good as the state that it begins from. The record that is written later has another id, and ordinals of others
 * may come before it, so ids, and what follows from them, are provisional: a VNI, an address that was not asked for, names
 * of links. What a kernel would refuse is not known here, nor what operators of other hosts than this one allow on
 * them: there it is taken to be nothing.
 */
import { keyOf } from '../dataplane/key.ts';
import type { KernelObject } from '../dataplane/object.ts';
import { operationText } from '../dataplane/text.ts';
import { DesiredState } from '../desired/desired-state.ts';
import type { HostAllowances } from '../desired/host-view.ts';
import type { Driver } from '../driver/driver.ts';
import { WeftError } from '../errors.ts';
import { apply } from '../fold/apply.ts';
import type { Change } from '../fold/change.ts';
import type { Subject } from '../fold/outcome.ts';
import type { State } from '../fold/state.ts';
import { ActualState } from '../reconcile/actual-state.ts';
import { planFor } from '../reconcile/plan.ts';

export interface Plan {
  /** The ordinal that the record would have if it were the next. */
  readonly ordinal: number;
  /** What would be made or removed. */
  readonly subject: Subject;
  /** In the order of their names; those on which nothing would change have no commands. */
  readonly hosts: readonly HostPlan[];
}

export interface HostPlan {
  readonly host: string;
  /** In the words of `ip`, `bridge` and `nft`, in the order in which they would be carried out. */
  readonly commands: readonly string[];
}

export interface Surroundings {
  readonly drivers: ReadonlyMap<string, Driver>;
  /** Prefix of the names of owned namespaces, taken to be that of all hosts. */
  readonly netnsPrefix: string;
  /** The host that is asked, and what its operator allows. */
  readonly self: { readonly host: string; readonly allowed: HostAllowances };
}

/**
 * @param line the record, as it would be in the log
 * @throws WeftError with the fold's code where it would refuse the record
 */
export function planOf(state: State, line: Uint8Array, around: Surroundings): Plan {
  const applied = apply(state, line);
  if (applied.halted) throw new WeftError('internal', 'A record of this version was not taken for one');
  const { outcome, changes } = applied;
  if (!outcome.accepted) throw new WeftError(outcome.code, outcome.message);
  const names = [...new Set([...state.hosts.keys(), ...applied.state.hosts.keys()])].sort();
  const hosts = names.map((host) => ({
    host,
    commands: commandsOn(host, state, applied.state, changes, around),
  }));
  return { ordinal: outcome.ordinal, subject: outcome.subject, hosts };
}

function commandsOn(
  host: string,
  before: State,
  after: State,
  changes: readonly Change[],
  { drivers, netnsPrefix, self }: Surroundings,
): readonly string[] {
  const allowed = host === self.host ? self.allowed : {};
  const desired = new DesiredState(drivers, { ...allowed, host, netnsPrefix });
  desired.load(before);
  desired.takeDirty();
  const actual = new ActualState();
  for (const object of objectsOf(desired)) actual.set(keyOf(object), object);
  for (const change of changes) desired.apply(change, after);
  const { operations } = planFor(
    desired.takeDirty(),
    desired,
    actual,
    () => [],
    () => true,
  );
  return operations.map(operationText);
}

function* objectsOf(desired: DesiredState): Generator<KernelObject> {
  for (const ns of desired.namespaces()) yield* desired.inNamespace(ns).values();
}

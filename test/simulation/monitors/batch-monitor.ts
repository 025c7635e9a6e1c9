/**
 * Every batch that a process hands to its kernel, against the desired state of its fold, recomputed from nothing: it
 * makes only what is desired, deletes only what is not, and nothing at all on partial knowledge.
 */
import { sameState } from '../../../core/dataplane/equal.ts';
import type { Operation, OperationResult } from '../../../core/dataplane/kernel.ts';
import { keyOf, linkKey } from '../../../core/dataplane/key.ts';
import type { KernelObject } from '../../../core/dataplane/object.ts';
import { toText } from '../../../core/dataplane/text.ts';
import { recompute } from '../../../core/desired/recompute.ts';
import type { State } from '../../../core/fold/state.ts';
import { drivers } from '../../../drivers/index.ts';
import type { FakeKernel } from '../../../kernel/fake/fake-kernel.ts';
import type { World } from '../world/world.ts';
import { Violation } from './violation.ts';

export class BatchMonitor {
  readonly #world: World;
  readonly #host: string;
  readonly #machine: FakeKernel;
  readonly #ordinalMin: number;
  readonly #stateOf: () => State;
  #state: State | undefined;
  #desired: ReadonlyMap<string, KernelObject> = new Map();

  /** @param ordinalMin the ordinal that the log had when the process began */
  constructor(world: World, host: string, machine: FakeKernel, ordinalMin: number, stateOf: () => State) {
    this.#machine = machine;
    this.#world = world;
    this.#host = host;
    this.#ordinalMin = ordinalMin;
    this.#stateOf = stateOf;
  }

  take(operations: readonly Operation[]): void {
    const state = this.#stateOf();
    if (state.ordinal < this.#ordinalMin) {
      this.#fail('I36', `writes at ${state.ordinal}, and the log had ${this.#ordinalMin} when it began`);
    }
    if (this.#world.phase === 'ending') this.#fail('I43', 'writes although its store is another one');
    const desired = this.#desiredAt(state);
    for (const { op, object } of operations) {
      const wanted = desired.get(keyOf(object));
      if (op === 'delete' && wanted !== undefined && !this.#isRemade(wanted, desired))
        this.#fail('I36', `deletes the desired ${toText(object)}`);
      if (op !== 'delete' && (wanted === undefined || !sameState(object, wanted))) {
        this.#fail('I31', `makes ${toText(object)}, which is not desired`);
      }
    }
    for (const invariant of ['I31', 'I36', 'I43']) this.#world.checked(invariant);
  }

  /** Where nothing goes wrong, nothing is asked of the kernel that it refuses: it was asked in the wrong order. */
  answered({ op, object }: Operation, result: OperationResult): void {
    if (!this.#world.isCalm) return;
    if (!result.ok) this.#fail('I31', `is refused to ${op} ${toText(object)}: ${result.reason}`);
    this.#world.checked('I31 in order');
  }

  /** An end of a pair that is desired goes where the pair is not whole: it is the first half of making it anew. */
  #isRemade(object: KernelObject, desired: ReadonlyMap<string, KernelObject>): boolean {
    if (object.kind !== 'link' || object.type.type !== 'veth') return false;
    const { peer } = object.type;
    const pair = [object, desired.get(linkKey(peer.ns, peer.name))];
    const found = new Map(this.#machine.inventory().map((each) => [keyOf(each), each]));
    return pair.some((end) => {
      const actual = end === undefined ? undefined : found.get(keyOf(end));
      return end === undefined || actual === undefined || !sameState(end, actual);
    });
  }

  #desiredAt(state: State): ReadonlyMap<string, KernelObject> {
    if (this.#state !== state) {
      this.#desired = recompute(drivers, { host: this.#host, netnsPrefix: 'weft-' }, state);
      this.#state = state;
    }
    return this.#desired;
  }

  #fail(invariant: string, seen: string): void {
    this.#world.fail(new Violation(invariant, `${this.#host} ${seen}`));
  }
}

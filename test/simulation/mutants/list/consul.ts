/** Faults in how the log is kept in Consul. */
import type { Mutant } from '../mutant.ts';

export const consulMutants: readonly Mutant[] = [
  {
    id: 'consul-no-id-check',
    breaks: 'an entry is put whether or not its id is there',
    file: 'adapters/consul/transactions.ts',
    find: 'create(keys.id(draft), name),',
    replace: "{ Verb: 'set', Key: keys.id(draft), Value: encode(name) },",
    invariants: ['I2', 'I28'],
  },
  {
    id: 'consul-ended-segment',
    breaks: 'an entry is put into a segment that has ended',
    file: 'adapters/consul/transactions.ts',
    find: "{ Verb: 'check-index', Key: keys.open, Index: open.index },",
    replace: "{ Verb: 'get-tree', Key: keys.open },",
    invariants: ['I1', 'I28', 'I39'],
  },
  {
    id: 'consul-broken-is-never',
    breaks: 'a request whose connection broke counts as one that was not sent',
    file: 'adapters/consul/errors.ts',
    find: "if (error.stage !== 'status' || status === undefined) return 'outcome-unknown';",
    replace: "if (error.stage !== 'status' || status === undefined) return 'store-unreachable';",
    invariants: ['I2', 'I7'],
  },
  {
    id: 'consul-error-is-never',
    breaks: 'a server error of which nobody knows whether the append was carried out counts as a refusal',
    file: 'adapters/consul/errors.ts',
    find: "return row?.verdict ?? 'outcome-unknown';",
    replace: "return row?.verdict ?? 'store-unreachable';",
    invariants: ['I2', 'I7'],
  },
  {
    id: 'consul-stale-believed',
    breaks: 'a list that contradicts what was read before is believed',
    file: 'adapters/consul/tail.ts',
    find: 'if (contradictionOf(segment, this.#progress) === undefined) return segment;',
    replace: 'if (contradictionOf(segment, this.#progress) !== false) return segment;',
    invariants: ['I4', 'I6', 'I43'],
  },
  {
    id: 'consul-delivers-again',
    breaks: 'an entry that was delivered is delivered again with the next list of its segment',
    file: 'adapters/consul/tail.ts',
    find: 'if (entry.index <= last.index) continue;',
    replace: '',
    invariants: ['I3', 'I4', 'I9'],
  },
  {
    id: 'consul-head-of-id',
    breaks: 'the head is the entry before the last',
    file: 'adapters/consul/event-log.ts',
    find: 'return toPosition(headOf(scope, findKey(found, head)));',
    replace:
      'const now = toPosition(headOf(scope, findKey(found, head))); const before = this.headBefore ?? now; this.headBefore = now; return before;',
    invariants: ['I10', 'I36', 'I39'],
  },
  {
    id: 'consul-sweeps-too-far',
    breaks: 'the segment of the floor is removed with those before it',
    file: 'adapters/consul/sweep.ts',
    find: '.filter((segment) => segment < floor.mark.segment)',
    replace: '.filter((segment) => segment <= floor.mark.segment)',
    invariants: ['I28'],
  },
  {
    id: 'consul-forgets-all-ids',
    breaks: 'a trim removes the ids of entries that are still there',
    file: 'adapters/consul/sweep.ts',
    find: 'isIdKey(key) && isTrimmed({ index: createIndex }, floor)',
    replace: 'isIdKey(key) && createIndex > 0',
    invariants: ['I2', 'I7'],
  },
];

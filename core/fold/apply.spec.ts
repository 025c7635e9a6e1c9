import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { accepted, assertUnmoved, endpointOf, Ledger, networkOf, subnet } from '../../test/support/ledger.ts';
import { runs } from '../../test/support/property-settings.ts';
import { anyRecord, mutationOf } from '../../test/support/records.ts';
import { anyRequest, send } from '../../test/support/requests.ts';
import type { ErrorCode } from '../errors.ts';
import type { RecordKind } from '../log/record.ts';
import { decodeRecord, encodeRecord } from '../log/record-codec.ts';
import { apply } from './apply.ts';
import { checkState } from './check.ts';
import type { Outcome } from './outcome.ts';
import { initialState } from './predefined.ts';
import { replay } from './replay.ts';
import type { State } from './state.ts';

const history = (maxLength: number) => fc.array(anyRequest, { maxLength, size: 'max' });

/** A ledger that went through a history. */
function livedThrough(requests: readonly Parameters<typeof send>[1][]): Ledger {
  const ledger = new Ledger();
  for (const request of requests) send(ledger, request);
  return ledger;
}

/** A busy cluster, to throw bytes at. */
const busy: State = (() => {
  const ledger = new Ledger('h1', 'h2');
  accepted(ledger.network('h1', 'red', { subnets: [subnet('10.0.1.0/24')] }));
  for (const host of ['h1', 'h2']) accepted(ledger.attach(host, 'red', { name: `on-${host}` }));
  return ledger.state;
})();

/** Requests whose lines are no records, or mean something else at a later ordinal. */
const unrepeatable: ReadonlySet<string> = new Set(['garbage', 'repeat', 'stale']);

/** The lines of a log with noise in it, as authors who have seen the noise would have written them. */
function rebased(noisy: readonly { readonly line: Uint8Array; readonly index: number }[]): Uint8Array[] {
  const ordinals = new Map(noisy.flatMap(({ index }, at) => (index < 0 ? [] : [[index + 1, at + 1]])));
  return noisy.map(({ line }) => {
    const decoded = decodeRecord(line);
    assert.ok(decoded.type === 'record');
    return encodeRecord({ ...decoded.record, base: ordinals.get(decoded.record.base) ?? 0 });
  });
}

describe('the fold', () => {
  it('folds the seed: two overlays on one subnet, two VNIs, no address twice', () => {
    const ledger = new Ledger('etcdmaster', 'minion0');
    const seed = { subnets: [subnet('10.0.1.0/24')] };
    const red = networkOf(ledger.network('minion0', 'overlayred', seed));
    const miniontest = endpointOf(ledger.attach('minion0', 'overlayred', { name: 'miniontest' }));
    const mastertest = endpointOf(ledger.attach('etcdmaster', 'overlayred', { name: 'mastertest' }));
    const blue = networkOf(ledger.network('etcdmaster', 'overlayblue', seed));
    const masterblue = endpointOf(ledger.attach('etcdmaster', 'overlayblue', { name: 'masterblue' }));
    const minionblue = endpointOf(ledger.attach('minion0', 'overlayblue', { name: 'minionblue' }));
    assert.deepEqual([red.vni, blue.vni], [256, 257]);
    assert.deepEqual([red.subnets[0]?.gateway, blue.subnets[0]?.gateway], ['10.0.1.1', '10.0.1.4']);
    const addresses = [miniontest, mastertest, masterblue, minionblue].map(
      (endpoint) => endpoint.addresses[0],
    );
    assert.deepEqual(addresses, ['10.0.1.2/24', '10.0.1.3/24', '10.0.1.5/24', '10.0.1.6/24']);
    assert.equal(miniontest.mac, '02:42:0a:00:01:02');
    ledger.check();
  });

  it('P1: gives any bytes an outcome, and what is no record moves nothing', () => {
    const spoilt = anyRecord.chain((record) => mutationOf(encodeRecord(record)));
    const line = fc.oneof(
      fc.uint8Array(),
      fc.string().map((text) => new TextEncoder().encode(text)),
      spoilt,
    );
    fc.assert(
      fc.property(line, (bytes) => {
        const applied = apply(busy, bytes);
        if (applied.halted) return;
        assert.equal(applied.outcome.ordinal, busy.ordinal + 1);
        if (applied.record !== undefined) return;
        assert.ok(!applied.outcome.accepted && applied.outcome.code === 'malformed');
        assertUnmoved(busy, applied.state);
      }),
      { numRuns: runs(300) },
    );
  });

  it('P1: gives any record an outcome, and a sound state', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 6 }), (records) => {
        let state = busy;
        for (const record of records) {
          const applied = apply(
            state,
            encodeRecord({ ...record, base: Math.min(record.base, state.ordinal) }),
          );
          assert.ok(!applied.halted);
          if (!applied.outcome.accepted) assertUnmoved(state, applied.state);
          state = applied.state;
        }
        assert.deepEqual(checkState(state), []);
      }),
      { numRuns: runs(100) },
    );
  });

  it('is sound after every step of any history, and refusals move nothing', () => {
    fc.assert(
      fc.property(history(40), (requests) => {
        const ledger = new Ledger('h0');
        for (const request of requests) {
          const before = ledger.state;
          const { outcome, changes } = send(ledger, request);
          assert.equal(outcome.ordinal, before.ordinal + 1);
          if (!outcome.accepted) {
            assertUnmoved(before, ledger.state);
            assert.deepEqual(changes, []);
            assert.match(outcome.message, /^[\x20-\x7e]+$/);
          } else assert.ok(changes.length > 0);
          ledger.check();
        }
      }),
      { numRuns: runs(40) },
    );
  }).timeout(60_000);

  it('gives the same hashes, outcomes and changes every time', () => {
    fc.assert(
      fc.property(history(60), (requests) => {
        const { state, lines, outcomes } = livedThrough(requests);
        const again = replay(initialState(), lines);
        assert.deepEqual(again.outcomes, outcomes);
        assert.equal(again.state.recordHash, state.recordHash);
        assert.equal(again.state.stateHash, state.stateHash);
      }),
      { numRuns: runs(30) },
    );
  });

  it('does not touch the states that it has left behind', () => {
    fc.assert(
      fc.property(history(40), (requests) => {
        const ledger = new Ledger('h0');
        const states = requests.map((request) => {
          send(ledger, request);
          return ledger.state;
        });
        for (const state of states) assert.deepEqual(checkState(state), []);
      }),
      { numRuns: runs(20) },
    );
  });

  it('P4: takes every record once, whatever is repeated of the log, and when', () => {
    const repeats = fc.array(fc.record({ of: fc.nat(1000), at: fc.nat(1000) }), { maxLength: 20 });
    fc.assert(
      fc.property(history(40), repeats, (requests, again) => {
        const { lines } = livedThrough(requests.filter(({ type }) => !unrepeatable.has(type)));
        const noisy = lines.map((line, index) => ({ line, index }));
        for (const { of, at } of again) {
          const copy = lines[of % Math.max(lines.length, 1)];
          const first = noisy.findIndex(({ line }) => line === copy);
          if (copy !== undefined)
            noisy.splice(first + 1 + (at % (noisy.length - first)), 0, { line: copy, index: -1 });
        }
        const once = replay(initialState(), lines);
        const often = replay(initialState(), rebased(noisy));
        assert.deepEqual(
          often.outcomes.filter((_, index) => noisy[index]?.index === -1).map(codeOf),
          again.slice(0, noisy.length - lines.length).map(() => 'duplicate'),
        );
        const effects = ({ outcomes }: { outcomes: readonly Outcome[] }) =>
          outcomes.filter(({ accepted: yes }) => yes).map(({ record }) => record);
        assert.deepEqual(effects(often), effects(once));
        assert.deepEqual(
          [...often.state.endpoints.values()].map(unstamped),
          [...once.state.endpoints.values()].map(unstamped),
        );
      }),
      { numRuns: runs(40) },
    );
  });

  it('stops before a record of a newer schema, and stays there', () => {
    const newer = new TextEncoder().encode('{"v":2,"kind":"host-rename"}');
    assert.deepEqual(apply(busy, newer), { halted: true, version: 2 });
    const { line } = accepted(new Ledger().join('h1', { address: '192.168.2.1' }));
    const result = replay(initialState(), [line, newer, line]);
    assert.deepEqual([result.state.ordinal, result.outcomes.length, result.haltedAtVersion], [1, 1, 2]);
  });

  it('P9: any record of which the version were newer halts it', () => {
    fc.assert(
      fc.property(anyRecord, fc.integer({ min: 2 }), (record, v) => {
        const line = new TextEncoder().encode(JSON.stringify({ ...record, v }));
        assert.deepEqual(apply(busy, line), { halted: true, version: v });
      }),
    );
  });

  it('gives back the record that it decided on', () => {
    const { line } = accepted(new Ledger().join('h1', { address: '192.168.2.1' }));
    const applied = apply(initialState(), line);
    assert.ok(!applied.halted);
    const decoded = decodeRecord(line);
    assert.deepEqual(applied.record, decoded.type === 'record' ? decoded.record : undefined);
  });

  it('P1: has histories in its tests that reach every kind of record, and every refusal that they can', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(history(80), (requests) => {
        for (const outcome of livedThrough(requests).outcomes)
          seen.add(`${outcome.kind} ${codeOf(outcome) ?? 'accepted'}`);
      }),
      { numRuns: runs(300) },
    );
    const missing = Object.entries(reachable).flatMap(([kind, codes]) =>
      [...codes, 'accepted', ...everyKindMeets]
        .map((code) => `${kind} ${code}`)
        .filter((each) => !seen.has(each)),
    );
    assert.deepEqual(missing, [], `met were ${[...seen].sort().join(', ')}`);
    assert.ok(seen.has('undefined malformed'), 'no line was no record');
  }).timeout(60_000);
});

/** Repeated; and but for a join, whose author need not be there, of an author who is not. */
const everyKindMeets = ['duplicate'];

/** The refusals of each kind, but for those of the succession of logs (course.spec.ts). Not here: `vnis-exhausted` needs 16 million networks, `too-old` a whole window (P12). */
const reachable: Readonly<Record<Exclude<RecordKind, 'log-begin' | 'log-move'>, readonly ErrorCode[]>> = {
  'host-join': ['bad-name', 'bad-address', 'bad-option', 'host-taken', 'address-in-use-by-host'],
  'host-remove': ['no-such-host', 'host-removed'],
  'host-down': ['no-such-host', 'stale-epoch', 'host-down', 'too-many-down'],
  'host-expire': ['no-such-host', 'stale-epoch', 'host-up'],
  'network-create': [
    'bad-name',
    'name-reserved',
    'name-taken',
    'unknown-driver',
    'unknown-option',
    'bad-option',
    'bad-label',
    'bad-subnet',
    'bad-gateway',
    'bad-range',
    'bad-aux-address',
    'pool-overlap',
    'pool-exhausted',
    'pools-exhausted',
    'address-taken',
    'vni-taken',
    'malformed',
    'stale-epoch',
    'no-such-host',
    'host-removed',
  ],
  'network-remove': [
    'no-such-network',
    'network-in-use',
    'predefined-network',
    'no-such-host',
    'host-removed',
  ],
  'endpoint-create': [
    'no-such-network',
    'bad-name',
    'bad-address',
    'bad-mac',
    'bad-sandbox',
    'name-taken',
    'address-taken',
    'pool-exhausted',
    'mac-taken',
    'interface-taken',
    'already-attached',
    'sandbox-alone',
    'bad-port',
    'port-taken',
    'ports-exhausted',
    'unknown-option',
    'no-such-host',
    'host-removed',
  ],
  'endpoint-remove': ['no-such-endpoint', 'no-such-host', 'host-removed'],
};

function codeOf(outcome: Outcome): string | undefined {
  return outcome.accepted ? undefined : outcome.code;
}

/** Without provenance, whose ordinals repetitions shift. */
function unstamped<T extends { readonly created: unknown; readonly changed: unknown }>(object: T) {
  return { ...object, created: undefined, changed: undefined };
}

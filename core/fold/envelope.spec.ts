import assert from 'node:assert/strict';
import fc from 'fast-check';
import { before, describe, it } from 'mocha';
import { accepted, assertUnmoved, Ledger, recordId, refused } from '../../test/support/ledger.ts';
import { runs } from '../../test/support/property-settings.ts';
import { dedupeWindowOrdinals as window } from '../limits.ts';
import { encodeRecord } from '../log/record-codec.ts';
import { apply } from './apply.ts';
import { checkState } from './check.ts';
import type { State } from './state.ts';

describe('the life of an author', () => {
  it('must have begun', () =>
    refused(new Ledger().network('h1', 'red'), 'no-such-host', /No host 'h1' has joined/));

  it('must be the present one', () => {
    const ledger = new Ledger('h1');
    accepted(ledger.join('h1', { address: '192.168.2.1' }));
    refused(
      ledger.network('h1', 'red', {}, { epoch: 1 }),
      'stale-epoch',
      /life 1 of host 'h1', which now lives its 2/,
    );
    refused(ledger.network('h1', 'red', {}, { epoch: 3 }), 'malformed', /life 3.*only lives its 2/);
    accepted(ledger.network('h1', 'red', {}, { epoch: 2 }));
  });

  it('is that of its exact name', () => {
    const ledger = new Ledger('h1');
    refused(ledger.network('H1', 'red', {}, { epoch: 1 }), 'no-such-host');
  });

  it('that was removed cannot have gone on', () => {
    const ledger = new Ledger('h1', 'h2');
    accepted(ledger.removeHost('h1', 'h2'));
    refused(ledger.network('h2', 'red', {}, { epoch: 1 }), 'host-removed');
    refused(ledger.network('h2', 'red', {}, { epoch: 2 }), 'malformed');
  });
});

describe('a record that comes again', () => {
  it('is refused, and changes nothing', () => {
    const ledger = new Ledger('h1');
    const { line } = accepted(ledger.network('h1', 'red'));
    const before = ledger.state;
    const again = ledger.line(line);
    refused(again, 'duplicate', /applied as 2/);
    assertUnmoved(before, ledger.state);
    assert.equal(ledger.state.ordinal, 3);
    assert.notEqual(ledger.state.recordHash, before.recordHash);
    assert.equal(ledger.state.stateHash, before.stateHash);
    ledger.check();
  });

  it('is refused after a refusal too, which stays what it was', () => {
    const ledger = new Ledger('h1');
    const first = ledger.network('h1', 'no name', {}, { id: recordId(77) });
    refused(first, 'bad-name');
    refused(ledger.line(first.line), 'duplicate', /applied as 2/);
    refused(ledger.network('h1', 'red', {}, { id: recordId(77) }), 'duplicate', /applied as 2/);
  });

  it('carries the number of its first appearance however often it comes', () => {
    const ledger = new Ledger('h1');
    const { line } = accepted(ledger.network('h1', 'red'));
    for (let count = 0; count < 3; count += 1) refused(ledger.line(line), 'duplicate', /applied as 2/);
  });
});

describe('the base of a record', () => {
  it('is at most what there is', () => {
    const ledger = new Ledger('h1');
    refused(ledger.network('h1', 'red', {}, { base: 2 }), 'malformed', /follows 2 and comes as 2/);
    refused(ledger.network('h1', 'red', {}, { base: Number.MAX_SAFE_INTEGER }), 'malformed');
    accepted(ledger.network('h1', 'red', {}, { base: 3 }));
  });

  it('is at least W records back', () => {
    const ledger = new Ledger('h1');
    ledger.pass(window);
    const next = ledger.state.ordinal + 1;
    accepted(ledger.network('h1', 'red', {}, { base: next - window }));
    refused(ledger.network('h1', 'blue', {}, { base: next - window }), 'too-old', /ask again/);
  });
});

describe('the memory of records', () => {
  /** Records near the ends of the stretches that the memory is kept in: 1 to W, W + 1 to 2W and so on. */
  const ordinals = [1, 5, window - 1, window, window + 1];
  const probes = ordinals.flatMap((first) => [
    first + 1,
    first + window - 1,
    first + window,
    first + window + 1,
  ]);

  it('knows a late twin for a repetition, or for too old, and never for new', function () {
    this.timeout(60_000);
    const ledger = new Ledger();
    const originals = new Map<number, Uint8Array>();
    while (ledger.state.ordinal <= 2 * window + 2) {
      const next = ledger.state.ordinal + 1;
      for (const [first, line] of probes.includes(next) ? originals : []) {
        const applied = apply(ledger.state, line);
        assert.ok(!applied.halted && !applied.outcome.accepted);
        assert.equal(
          applied.outcome.code,
          next - first <= window ? 'duplicate' : 'too-old',
          `${first} at ${next}`,
        );
        assertUnmoved(ledger.state, applied.state);
      }
      if (ordinals.includes(next))
        originals.set(
          next,
          accepted(ledger.join(`h${next}`, { address: `fd00::${next.toString(16)}` })).line,
        );
      else ledger.pass(1);
    }
    // Of the stretch before the present one only the record W + 1 is left.
    assert.deepEqual([ledger.state.memory.previous.size, ledger.state.memory.present.size], [1, 0]);
    ledger.check();
  });
});

describe('a ghost', function () {
  this.timeout(60_000);

  /** Sparse enough to be kept, dense enough to lie on both sides of every end of a stretch and of the window. */
  const spacing = 509;
  const length = Math.ceil(2.3 * window);
  /** Every so many ordinals a record; between them lines that are none. */
  const lines = new Map<number, Uint8Array>();
  const states: State[] = [];

  before(() => {
    const ledger = new Ledger('h1');
    while (ledger.state.ordinal < length) {
      const next = ledger.state.ordinal + 1;
      if (next % spacing !== 0) {
        ledger.pass(1);
        continue;
      }
      // Some are written long before they come, up to the whole window.
      const base = Math.max(0, next - 1 - ((next * 7919) % window));
      lines.set(next, accepted(ledger.network('h1', `n${next}`, {}, { base })).line);
      states.push(ledger.state);
    }
  });

  it('P12: of a record is never taken for new, however late it comes', () => {
    const met = new Map<string, number>();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (of, late) => {
        const ordinals = [...lines.keys()];
        const first = ordinals[of % ordinals.length] ?? 0;
        const line = lines.get(first);
        const later = states.filter(({ ordinal }) => ordinal >= first);
        const state = later[late % later.length];
        assert.ok(line !== undefined && state !== undefined);
        const applied = apply(state, line);
        assert.ok(
          !applied.halted && !applied.outcome.accepted,
          `record ${first} again at ${state.ordinal + 1}`,
        );
        const { code } = applied.outcome;
        assert.equal(code, state.ordinal + 1 - first <= window ? 'duplicate' : 'too-old');
        assertUnmoved(state, applied.state);
        met.set(code, (met.get(code) ?? 0) + 1);
      }),
      { numRuns: runs(200) },
    );
    assert.ok((met.get('duplicate') ?? 0) > 20 && (met.get('too-old') ?? 0) > 5, JSON.stringify([...met]));
  });

  it('P12: that never came before comes only as long as its base is in the window', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (at, back) => {
        const state = states[at % states.length];
        assert.ok(state !== undefined);
        const base = back % (state.ordinal + 1);
        const ledger = new Ledger('h1');
        const body = {
          name: 'late',
          driver: 'overlay',
          subnets: [],
          ipv6: false,
          internal: false,
          space: 'default',
          options: [],
          labels: [],
        };
        const line = encodeRecord(
          ledger.draft('h1', 'network-create', body, { base, id: recordId(0xabcdef) }),
        );
        const applied = apply(state, line);
        assert.ok(!applied.halted);
        const isTimely = base >= state.ordinal + 1 - window;
        assert.equal(
          applied.outcome.accepted ? 'accepted' : applied.outcome.code,
          isTimely ? 'accepted' : 'too-old',
        );
      }),
      { numRuns: runs(200) },
    );
  });

  it('leaves sound states behind', () => {
    assert.deepEqual(checkState(states.at(-1) ?? states[0] ?? new Ledger().state), []);
  });
});

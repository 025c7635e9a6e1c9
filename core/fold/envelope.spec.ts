import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, assertUnmoved, Ledger, recordId, refused } from '../../test/support/ledger.ts';
import { dedupeWindowOrdinals as window } from '../limits.ts';
import { apply } from './apply.ts';

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

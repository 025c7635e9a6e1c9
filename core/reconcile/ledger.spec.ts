import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { overlayRig } from '../../test/support/rig.ts';
import type { Operation } from '../dataplane/kernel.ts';
import { keyOf } from '../dataplane/key.ts';
import { defaults } from './defaults.ts';
import { Ledger } from './ledger.ts';
import { Survey } from './survey.ts';

/** An address that is to be set, because its link is made anew, and that was there on the one before. */
function scene() {
  const { rig } = overlayRig();
  const object = [...rig.wanted().values()].find(({ kind }) => kind === 'address');
  assert.ok(object !== undefined);
  const survey = new Survey(new FakeKernel(), rig.desired);
  const ledger = new Ledger(survey, rig.desired, { clock: rig.clock, logger: new QuietLogger() }, defaults);
  survey.assume(keyOf(object), object);
  ledger.open();
  const operation: Operation = { op: 'set', object };
  ledger.begin([operation]);
  return { survey, ledger, operation, key: keyOf(object) };
}

const refusal = { ok: false, reason: 'ENOBUFS: No buffer space available' } as const;

describe('core/reconcile, the ledger', () => {
  it('does not take what was refused for done because it was there before it was asked for', () => {
    const { ledger, operation, key } = scene();
    assert.equal(ledger.answer(operation, refusal), false);
    assert.deepEqual([ledger.pending, ledger.isOpen(key)], [1, true]);
  });

  it('takes it for done where an event has shown it since', () => {
    const { survey, ledger, operation, key } = scene();
    ledger.hear(survey.note({ type: 'present', object: operation.object }), true);
    assert.equal(ledger.answer(operation, refusal), false);
    assert.deepEqual([ledger.pending, ledger.isOpen(key)], [0, false]);
  });
});

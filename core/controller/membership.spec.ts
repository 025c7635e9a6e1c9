/** Whether a host knows its own joins from those of another daemon, also where it leapt over them. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, Ledger, recordId } from '../../test/support/ledger.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { changesBetween } from '../fold/difference.ts';
import { initialState } from '../fold/predefined.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { parseAddress } from '../model/address.ts';
import type { RecordId } from '../model/ids.ts';
import { Membership } from './membership.ts';
import type { Requests } from './requests.ts';

const identity = Buffer.from('h1'.padEnd(16, '.')).toString('hex');
const ours = [recordId(901), recordId(902)];

/** A membership that has sent its joins, and heard of none. */
function joining(): { readonly membership: Membership; readonly end: () => void } {
  const address = parseAddress('192.168.2.1');
  assert.ok(address !== undefined);
  const ids = ours.values();
  const requests = {
    newRecordId: () => ids.next().value as RecordId,
    perform: () => new Promise(() => undefined),
  } as unknown as Requests;
  const self = { host: 'h1', address, identity, mtu: 1500, version: '0.1.0' };
  const ports = { kernel: { routes: async () => [] }, clock: new VirtualClock(), logger: new QuietLogger() };
  const membership = new Membership(self, requests, ports);
  const scope = cancelScope();
  for (const _ of ours) void membership.join(initialState, scope.signal);
  return { membership, end: scope.cancel };
}

describe('a membership over a leap', () => {
  it('takes an epoch that a late join of its own has given it', () => {
    const { membership, end } = joining();
    const ledger = new Ledger();
    for (const id of ours) accepted(ledger.join('h1', { identity, address: '192.168.2.1' }, { id }));
    const { state } = ledger;
    assert.equal(membership.observe(changesBetween(initialState(), state), undefined, state), undefined);
    assert.equal(membership.epoch, 2);
    end();
  });

  it('ends where another daemon has joined as this host meanwhile', () => {
    const { membership, end } = joining();
    const ledger = new Ledger();
    const [first] = ours;
    assert.ok(first !== undefined);
    accepted(ledger.join('h1', { identity, address: '192.168.2.1' }, { id: first }));
    const before = ledger.state;
    membership.observe(changesBetween(initialState(), before), undefined, before);
    accepted(ledger.join('h1', { identity, address: '192.168.2.1' }, { id: recordId(999) }));
    const { state } = ledger;
    assert.equal(membership.observe(changesBetween(before, state), undefined, state), 'superseded');
    end();
  });

  it('goes on where a second join of its own landed while it leapt', () => {
    const { membership, end } = joining();
    const ledger = new Ledger();
    const [first, second] = ours;
    assert.ok(first !== undefined && second !== undefined);
    accepted(ledger.join('h1', { identity, address: '192.168.2.1' }, { id: first }));
    const before = ledger.state;
    membership.observe(changesBetween(initialState(), before), first, before);
    accepted(ledger.join('h1', { identity, address: '192.168.2.1' }, { id: second }));
    const { state } = ledger;
    assert.equal(membership.observe(changesBetween(before, state), undefined, state), undefined);
    assert.equal(membership.epoch, 2);
    end();
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, refused } from '../../test/support/ledger.ts';
import { compareText } from '../dataplane/order.ts';
import { checkState } from './check.ts';
import { networkNamed } from './lookup.ts';
import { initialState } from './predefined.ts';

describe('predefined networks', () => {
  it('are in every cluster before its first record, under ids that are the same everywhere', () => {
    const networks = [...initialState().networks.values()].map(({ id, name, driver }) => ({
      id,
      name,
      driver,
    }));
    assert.deepEqual(
      networks.sort((a, b) => compareText(a.name, b.name)),
      [
        {
          id: '5db88fb1e4b57c9297679c04fb81d825ab1bf4b79b6a003b1820eaf140082922',
          name: 'bridge',
          driver: 'bridge',
        },
        {
          id: '7bcfca90423c1dff62d06494bce645c01ae53eb2df2a19a3e448338408a4bb26',
          name: 'host',
          driver: 'host',
        },
        {
          id: '1cfc0029afeeeaaf24d35d08507b529f246363ddc3487dd25d9fb14823046460',
          name: 'none',
          driver: 'null',
        },
        {
          id: '1f824d97361522c02a58bea77d1677635ed0320d6f0fce95332d1875e835d3f4',
          name: 'weft_gwbridge',
          driver: 'bridge',
        },
      ],
    );
    assert.deepEqual(checkState(initialState()), []);
    assert.equal(new Ledger().state.stateHash, initialState().stateHash);
  });

  it('cannot be removed', () => {
    const ledger = new Ledger('h1');
    for (const name of ['bridge', 'host', 'none', 'weft_gwbridge']) {
      refused(
        ledger.removeNetwork('h1', name),
        'predefined-network',
        /it is a pre-defined network and cannot be removed/,
      );
    }
    ledger.check();
  });

  it('cannot be made, whatever the case of their letters', () => {
    const ledger = new Ledger('h1');
    for (const name of ['host', 'none', 'Host', 'NONE'])
      refused(ledger.network('h1', name), 'name-reserved', /predefined/);
  });

  it('keep the endpoints of each apart, though no record made either', () => {
    const ledger = new Ledger('h1');
    endpointOf(ledger.attach('h1', 'host', { name: 'web' }));
    const other = endpointOf(ledger.attach('h1', 'none', { name: 'web' }));
    ledger.check();
    accepted(ledger.detach('h1', other.id));
    ledger.check();
    assert.equal(networkNamed(ledger.state, 'none')?.name, 'none');
  });

  it('have their sandboxes for themselves, whichever came first', () => {
    const sandbox = { ref: 'c1', identity: 'boot-c1' };
    for (const name of ['host', 'none']) {
      const ledger = new Ledger('h1');
      accepted(ledger.network('h1', 'red'));
      const alone = endpointOf(ledger.attach('h1', name, { sandbox }));
      const text = new RegExp(`it is on network '${name}', and a sandbox on '${name}' is on no other`);
      refused(ledger.attach('h1', 'red', { sandbox }), 'sandbox-alone', text);
      accepted(ledger.detach('h1', alone.id));
      accepted(ledger.attach('h1', 'red', { sandbox }));
      const other = new RegExp(`it is on network 'red', and a sandbox on '${name}' is on no other`);
      refused(ledger.attach('h1', name, { sandbox }), 'sandbox-alone', other);
      ledger.check();
    }
  });
});

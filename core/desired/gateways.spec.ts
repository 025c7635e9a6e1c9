import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { drivers } from '../../drivers/index.ts';
import { accepted, type Folded, Ledger, subnet } from '../../test/support/ledger.ts';
import { runs } from '../../test/support/property-settings.ts';
import { sandboxNamespace } from '../dataplane/namespace.ts';
import { toText } from '../dataplane/text.ts';
import { DesiredState } from './desired-state.ts';
import { recompute } from './recompute.ts';

const options = { host: 'h1', netnsPrefix: 'weft-' };
const networks = ['red', 'six', 'vault', 'lan', 'wan'] as const;

/** Networks of all kinds, and a compilation for host h1 that follows what is folded. */
function scene() {
  const ledger = new Ledger('h1', 'h2');
  accepted(ledger.network('h1', 'red'));
  accepted(ledger.network('h1', 'six', { subnets: [subnet('10.0.9.0/24'), subnet('fd00:9::/64')] }));
  accepted(ledger.network('h1', 'vault', { internal: true }));
  accepted(ledger.network('h1', 'lan', { driver: 'bridge' }));
  accepted(
    ledger.network('h1', 'wan', {
      driver: 'bridge',
      subnets: [subnet('172.30.0.0/16'), subnet('fd00:30::/64')],
    }),
  );
  const desired = new DesiredState(drivers, options);
  desired.load(ledger.state);
  const also = (folded: Folded): Folded => {
    for (const change of folded.changes) desired.apply(change, ledger.state);
    return folded;
  };
  return { ledger, desired, also };
}

function objectsOf(desired: DesiredState) {
  return new Map([...desired.namespaces()].flatMap((ns) => [...desired.inNamespace(ns)]));
}

function textsOf(desired: DesiredState, text: string): string[] {
  const texts = [...objectsOf(desired).values()].map(toText).filter((line) => line.includes(text));
  return texts.map((line) => line.replace(/^nft '(.*)'$/, '$1'));
}

const published = (desired: DesiredState) => textsOf(desired, 'anywhere');

describe('the gateway bridge of a host', () => {
  it('is as if compiled from nothing, whatever happens to its sandboxes', () => {
    const step = fc.record({
      what: fc.constantFrom('attach', 'attach', 'attach', 'detach', 'detach', 'join', 'remake'),
      host: fc.constantFrom('h1', 'h1', 'h2'),
      network: fc.constantFrom(...networks),
      sandbox: fc.nat(2),
      pick: fc.nat(1_000),
    });
    let withGateways = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const { ledger, desired, also } = scene();
        let made = 0;
        for (const { what, host, network, sandbox, pick } of steps) {
          if (what === 'remake') made += 1;
          const box = { ref: `s${sandbox}`, identity: `boot-${sandbox}-${made}` };
          const ports = pick % 3 === 0 ? { ports: [`${8000 + (pick % 5)}:80`] } : {};
          const victim = [...ledger.state.endpoints.keys()][pick % (ledger.state.endpoints.size || 1)];
          if (what === 'join')
            also(ledger.join('h1', { address: '192.168.2.1', gatewaySubnet: `10.20${pick % 2}.0.0/16` }));
          else if (what !== 'detach') also(ledger.attach(host, network, { sandbox: box, ...ports }));
          else if (victim !== undefined) also(ledger.detach('h1', victim));
          if (ledger.state.gateways.size > 0) withGateways += 1;
          if (pick % 3 === 0) continue;
          const expected = recompute(drivers, options, ledger.state);
          assert.deepEqual(new Map([...objectsOf(desired)].sort()), new Map([...expected].sort()));
        }
        ledger.check();
      }),
      { numRuns: runs(60) },
    );
    assert.ok(withGateways > 0);
  });

  it('is there while a sandbox needs it, and routes IPv6 while one needs that', () => {
    const { ledger, desired, also } = scene();
    const bridge = () => textsOf(desired, 'weft_gwbridge').length > 0;
    const forwarding = () => textsOf(desired, 'net/ipv6/conf/all/forwarding').length > 0;
    const box = { ref: 's1', identity: 'boot-1' };
    also(ledger.attach('h1', 'vault', { sandbox: box }));
    also(ledger.attach('h2', 'red'));
    assert.equal(bridge(), false);
    also(ledger.attach('h1', 'red', { sandbox: box }));
    assert.deepEqual([bridge(), forwarding()], [true, false]);
    also(ledger.attach('h1', 'six', { sandbox: box }));
    assert.deepEqual([bridge(), forwarding()], [true, true]);
    also(ledger.attach('h1', 'lan', { sandbox: box }));
    assert.deepEqual([bridge(), forwarding()], [false, false]);
  });

  it('is among what an attach waits for', () => {
    const { ledger, desired, also } = scene();
    const { outcome } = also(ledger.attach('h1', 'red', { sandbox: { ref: 's1', identity: 'boot-1' } }));
    assert.ok(outcome.accepted && outcome.subject.type === 'endpoint');
    const keys = desired.keysOf(outcome.subject.id);
    const ns = sandboxNamespace('s1');
    for (const each of [...desired.inNamespace(ns).keys(), ...objectsOf(desired).keys()].filter(
      (key) => key.includes('weft_gwbridge') || key.includes(ns),
    ))
      assert.ok(keys.includes(each), each);
  });
});

describe('ports of an endpoint on an overlay', () => {
  it('lead to the way out of its sandbox, whichever that is', () => {
    const { ledger, desired, also } = scene();
    const box = { ref: 's1', identity: 'boot-1' };
    also(ledger.attach('h1', 'red', { sandbox: box, ports: ['8080:80'] }));
    assert.deepEqual(published(desired), [
      'add element inet weft anywhere4 { tcp . 8080 : 192.168.240.2 . 80 }',
    ]);
    also(ledger.attach('h1', 'lan', { sandbox: box, ports: ['8081:81'] }));
    assert.deepEqual(published(desired).sort(), [
      'add element inet weft anywhere4 { tcp . 8080 : 172.18.0.2 . 80 }',
      'add element inet weft anywhere4 { tcp . 8081 : 172.18.0.2 . 81 }',
    ]);
  });

  it('lead there in each family by itself', () => {
    const { ledger, desired, also } = scene();
    const box = { ref: 's1', identity: 'boot-1' };
    also(ledger.attach('h1', 'six', { sandbox: box, ports: ['8080:80'] }));
    assert.equal(published(desired).length, 2);
    also(ledger.attach('h1', 'lan', { sandbox: box }));
    assert.equal(published(desired).length, 1, 'the bridge has no IPv6, and the gateway bridge is gone');
    also(ledger.attach('h1', 'wan', { sandbox: box }));
    assert.deepEqual(published(desired).sort(), [
      'add element inet weft anywhere4 { tcp . 8080 : 172.18.0.2 . 80 }',
      'add element inet weft anywhere6 { tcp . 8080 : fd00:30::2 . 80 }',
    ]);
  });
});

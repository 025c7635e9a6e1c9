import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { testBridge } from '../../test/support/bridge-cases.ts';
import { testEndpoint } from '../../test/support/overlay-cases.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { NetworkId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import { gatewayOf } from './default-route.ts';

/** Networks with these names, each with an endpoint of one sandbox. */
function scene(...networks: readonly (Partial<Network> & { name: string; priority?: number; six?: true })[]) {
  const made = networks.map(({ priority: _priority, six: _six, ...rest }, index) => ({
    ...testBridge([]),
    ...rest,
    id: `${index}`.repeat(64) as NetworkId,
  }));
  const endpoints = networks.map(({ priority, six }, index): Endpoint => {
    const addresses = six === true ? ['172.18.0.2/16', 'fd00::2/64'] : ['172.18.0.2/16'];
    return {
      ...testEndpoint(index, 'h1', 'red', ...addresses),
      network: `${index}`.repeat(64) as NetworkId,
      ...(priority === undefined ? {} : { gatewayPriority: priority }),
    };
  });
  return (family: 4 | 6) => {
    const found = gatewayOf(endpoints, family, (id) => made.find((network) => network.id === id));
    return made.find(({ id }) => id === found?.network)?.name;
  };
}

describe('the default route of a sandbox', () => {
  it('goes by the highest priority, and among equals by the first name', () => {
    assert.equal(scene({ name: 'b' }, { name: 'a' })(4), 'a');
    assert.equal(scene({ name: 'b', priority: 1 }, { name: 'a' })(4), 'b');
    assert.equal(scene({ name: 'b' }, { name: 'a', priority: -1 })(4), 'b');
  });

  it('goes by no network without a way out, nor by one without an address of the family', () => {
    assert.equal(scene({ name: 'b' }, { name: 'a', internal: true, priority: 9 })(4), 'b');
    assert.equal(scene({ name: 'b' }, { name: 'a', driver: 'overlay' })(4), 'b');
    assert.equal(scene({ name: 'b', six: true }, { name: 'a' })(6), 'b');
    assert.equal(scene({ name: 'a' })(6), undefined);
    assert.equal(scene()(4), undefined);
  });
});

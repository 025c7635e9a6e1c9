import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../errors.ts';
import { predefinedNetworks } from '../fold/predefined.ts';
import { requireOffered } from './bodies.ts';

describe('a host without the network bridge', () => {
  for (const network of predefinedNetworks) {
    const isOffered = network.name !== 'bridge';
    it(`${isOffered ? 'offers' : 'does not offer'} ${network.name}`, () => {
      const require = () => requireOffered(network, { host: 'h1', hasDefaultBridge: false });
      if (isOffered) require();
      else assert.throws(require, (error) => isWeftError(error, 'network-off'));
      requireOffered(network, { host: 'h1' });
    });
  }
});

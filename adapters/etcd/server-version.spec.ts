import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isOldServer } from './server-version.ts';

describe('etcd server version', () => {
  for (const version of ['3.4.23', '3.4.41', '3.3.27', '2.3.8']) {
    it(`warns of ${version}`, () => assert.equal(isOldServer(version), true));
  }
  for (const version of ['3.4.42', '3.4.45', '3.5.0', '3.6.1-rc.0', '4.0.0']) {
    it(`is content with ${version}`, () => assert.equal(isOldServer(version), false));
  }
});

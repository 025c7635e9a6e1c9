import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nearest } from './nearest.ts';
import { quote } from './quote.ts';

describe('words of users in messages', () => {
  for (const [text, shown] of [
    ['red', "'red'"],
    ['a\nb\u001b[31m', "'a\\u000ab\\u001b[31m'"],
    ['gr\u00fcn', "'gr\\u00fcn'"],
    ['x'.repeat(200), `'${'x'.repeat(80)}...'`],
  ] as const) {
    it(`shows ${JSON.stringify(text).slice(0, 20)} on one short line`, () =>
      assert.equal(quote(text), shown));
  }

  it('knows what was meant', () => {
    const options = ['com.docker.network.driver.mtu', 'com.docker.network.driver.overlay.vxlanid_list'];
    assert.equal(nearest('mtu', options), options[0]);
    assert.equal(nearest('com.docker.network.driver.overlay.vxlanid', options), options[1]);
    assert.equal(nearest('mtu', []), undefined);
  });
});

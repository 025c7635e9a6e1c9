import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { formatConsulUrl, parseConsulUrl } from './options.ts';

describe('consul URL', () => {
  const good: readonly (readonly [string, string])[] = [
    ['consul://h1', 'consul://h1:8500/weft'],
    ['consul://h1:18500,h2/prefix/', 'consul://h1:18500,h2:8500/prefix'],
    ['consul://[fd00::1],10.0.0.1/a/b', 'consul://[fd00::1]:8500,10.0.0.1:8500/a/b'],
  ];
  for (const [url, canonical] of good) {
    it(`reads ${url}`, () => {
      assert.equal(formatConsulUrl(parseConsulUrl(url)), canonical);
      assert.deepEqual(parseConsulUrl(canonical), parseConsulUrl(url));
    });
  }

  for (const url of [
    'consul:',
    'consul://',
    'etcd://h1',
    'consul://h1,',
    'consul://h1/a?dc=b',
    'consul://h1/a b',
  ]) {
    it(`refuses ${url}`, () => {
      assert.throws(
        () => parseConsulUrl(url),
        (error) => isWeftError(error, 'bad-store-url') && /consul/.test(error.message),
      );
    });
  }

  it('refuses a token and does not repeat it', () => {
    assert.throws(
      () => parseConsulUrl('consul://s3cret@h1/weft'),
      (error) =>
        isWeftError(error, 'bad-store-url') &&
        !error.message.includes('s3cret') &&
        /token file/.test(error.message),
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../../core/errors.ts';
import { formatEtcdUrl, parseEtcdUrl } from './options.ts';

describe('etcd URL', () => {
  const good: readonly (readonly [string, string])[] = [
    ['etcd://h1', 'etcd://h1:2379/weft'],
    ['etcd://h1/', 'etcd://h1:2379/weft'],
    ['etcd://h1:2379,h2:4001/prefix', 'etcd://h1:2379,h2:4001/prefix'],
    ['etcd://10.0.0.1/a/b-c_d.e/', 'etcd://10.0.0.1:2379/a/b-c_d.e'],
    ['etcd://[fd00::1]:2380,[::1]', 'etcd://[fd00::1]:2380,[::1]:2379/weft'],
  ];
  for (const [url, canonical] of good) {
    it(`reads ${url}`, () => {
      const options = parseEtcdUrl(url);
      assert.equal(formatEtcdUrl(options), canonical);
      assert.deepEqual(parseEtcdUrl(canonical), options);
    });
  }

  const bad = [
    'etcd:',
    'etcd://',
    'etcd:///weft',
    'http://h1',
    'etcd://h1,',
    'etcd://h1:0',
    'etcd://h1:65536',
    'etcd://h1:x',
    'etcd://-h',
    'etcd://fd00::1',
    'etcd://[h1]',
    'etcd://h1/a//b',
    'etcd://h1/../x',
    'etcd://h1/a/..',
    'etcd://h1/.',
    'etcd://h1/a%2fb',
    'etcd://h1/a b',
    'etcd://h1/ü',
    'etcd://h1/x?user=root',
    'etcd://h1/x#y',
    `etcd://h1/${'x'.repeat(300)}`,
    `etcd://${Array.from({ length: 33 }, (_, index) => `h${index}`).join(',')}`,
  ];
  for (const url of bad) {
    it(`refuses ${url.slice(0, 40)}`, () => {
      assert.throws(
        () => parseEtcdUrl(url),
        (error) => isWeftError(error, 'bad-store-url') && !error.message.includes('\n'),
      );
    });
  }

  it('refuses a password and does not repeat it', () => {
    assert.throws(
      () => parseEtcdUrl('etcd://root:s3cret@h1/weft'),
      (error) => isWeftError(error, 'bad-store-url') && !error.message.includes('s3cret'),
    );
  });
});

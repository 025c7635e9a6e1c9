import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withoutSecrets } from './redact.ts';

describe('a text that leaves the machine', () => {
  for (const [what, text, expected] of [
    [
      'a user and a password in a URL',
      'etcd://weft:hunter2@h1:2379/weft is down',
      'etcd://…@h1:2379/weft is down',
    ],
    [
      'those of several hosts',
      'etcd://weft:hunter2@h1:2379,weft:hunter2@h2:2379/weft',
      'etcd://…@h2:2379/weft',
    ],
    ['a password with slashes and an at', 'zk://u:hun/te@r2@h1:2181/p', 'zk://…@h1:2181/p'],
    [
      'a token among parameters',
      'consul://h1:8500/weft?dc=a&token=hunter2&x=1',
      'consul://h1:8500/weft?dc=a&token=…&x=1',
    ],
    ['a header', 'sent Authorization: Bearer hunter2.hunter2', 'sent Authorization: Bearer …'],
  ] as const) {
    it(`loses ${what}`, () => assert.equal(withoutSecrets(text), expected));
  }

  it('keeps the rest to the letter', () => {
    for (const text of [
      'etcd://h1:2379,h2:2379/weft',
      'file:/var/lib/weft/log',
      'write to a@b about 02:42:0a:00:01:02',
    ]) {
      assert.equal(withoutSecrets(text), text);
    }
  });
});

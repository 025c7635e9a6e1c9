/** weft's block in hosts files: what it looks like, and that nothing else is ever changed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { HostsEntry } from '../core/dataplane/object.ts';
import type { IpAddress } from '../core/model/address.ts';
import { blockOwners, entriesOf, leftover, newHostsFile, withBlock, withoutBlock } from './hosts-block.ts';

const owner = { prefix: 'weft-' };
const entries: readonly HostsEntry[] = [
  { address: '10.0.1.2' as IpAddress, names: ['web', 'web.red'] },
  { address: 'fd00::2' as IpAddress, names: ['db'] },
];

describe('hosts block', () => {
  it('stands at the end, between its markers', () => {
    assert.equal(
      withBlock('127.0.0.1 localhost\n', owner, entries),
      [
        '127.0.0.1 localhost',
        '# weft- begin: written by weft, do not edit',
        '10.0.1.2\tweb web.red',
        'fd00::2\tdb',
        '# weft- end',
        '',
      ].join('\n'),
    );
  });

  it('gives any file back byte for byte, and is read as it was written', () => {
    const text = fc
      .array(fc.constantFrom('a', '\n', '\xff', '# weft-', ' begin', '\t', '10.0.0.1', '\r'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (file) => {
        const written = withBlock(file, owner, entries);
        assert.deepEqual(entriesOf(written, owner), entries);
        const altered = withBlock(written, owner, entries.slice(1));
        assert.deepEqual(entriesOf(altered, owner), entries.slice(1));
        assert.equal(withBlock(altered, owner, entries), written);
        assert.equal(withoutBlock(altered, owner), file);
      }),
    );
  });

  it('leaves the blocks of other daemons alone', () => {
    const other = { prefix: 'x-' };
    const byPath = { prefix: 'weft-', path: '/run/netns/c1' };
    let text = withBlock(withBlock(withBlock('', other, entries), owner, entries), byPath, []);
    assert.deepEqual(blockOwners(text, 'weft-'), [owner, byPath]);
    text = withoutBlock(text, owner);
    assert.deepEqual(entriesOf(text, other), entries);
    assert.deepEqual(entriesOf(text, byPath), []);
    assert.equal(entriesOf(text, owner), undefined);
  });

  it('keeps what is added behind it, also where its line break was weft’s', () => {
    const text = `${withBlock('no line break', owner, entries)}10.9.9.9 mine\n`;
    assert.equal(withoutBlock(text, owner), 'no line break\n10.9.9.9 mine\n');
  });

  it('differs from any desired one when it was edited', () => {
    const text = withBlock('', owner, entries);
    for (const edited of [
      text.replace('web web.red', 'web  web.red'),
      text.replace('fd00::2', '# fd00::2'),
      text.replace('# weft- end\n', ''),
      text.replace('do not edit', 'edit'),
    ]) {
      assert.notDeepEqual(entriesOf(edited, owner), entries);
      assert.equal(withoutBlock(withBlock(edited, owner, entries), owner).includes('web'), false);
    }
  });

  it('takes no line of the user for its own when its end marker is gone', () => {
    const text = withBlock('', owner, entries).replace('# weft- end\n', '# mine\n10.9.9.9 mine\n');
    assert.equal(withoutBlock(text, owner), '# mine\n10.9.9.9 mine\n');
  });

  it('knows a file that weft made', () => {
    assert.equal(leftover(withoutBlock(withBlock(newHostsFile(false), owner, entries), owner)), 'file');
    assert.equal(leftover(withoutBlock(withBlock(newHostsFile(true), owner, entries), owner)), 'directory');
    assert.equal(leftover(`${newHostsFile(true)}10.9.9.9 mine\n`), 'user');
    assert.equal(leftover(''), 'user');
  });
});

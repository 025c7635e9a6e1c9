import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Ledger } from '../../test/support/ledger.ts';
import type { Beat } from './beat.ts';
import { Marks } from './marks.ts';
import { Parting } from './parting.ts';
import { placeOf } from './turn.ts';

/** What a host says of its hashes: `r` and `s` stand for the right ones, of records and of state. */
function says(host: string, ordinal: number, hashes = 'rs', epoch = 1): Beat {
  const [recordHash = '', stateHash = ''] = hashes;
  const marks = [{ ordinal, recordHash, stateHash }];
  return { host, epoch, count: 1, account: { address: '', version: '', phase: 'running', ordinal, marks } };
}

function parting(...hosts: string[]): { parting: Parting; hear: (...beats: Beat[]) => void } {
  const marks = new Marks();
  for (let ordinal = 1; ordinal <= 40; ordinal += 1)
    marks.push({ ordinal, recordHash: 'r', stateHash: 's' } as never);
  const made = new Parting(marks);
  const { state } = new Ledger(...hosts);
  return { parting: made, hear: (...beats) => made.compare(beats, state) };
}

describe('hosts that part', () => {
  it('are none while all have the same', () => {
    const { parting: all, hear } = parting('h1', 'h2', 'h3');
    hear(says('h2', 7), says('h3', 40));
    assert.deepEqual([all.parted, all.isAstray(3)], [[], false]);
  });

  it('are not told where the ordinal is not remembered, or not reached', () => {
    const { parting: all, hear } = parting('h1', 'h2');
    hear(says('h2', 41, 'xx'));
    assert.deepEqual([all.parted, all.isAstray(2)], [[], false]);
  });

  it('are told with the last ordinal at which they agreed, the first at which not, and in what', () => {
    const { parting: all, hear } = parting('h1', 'h2', 'h3');
    hear(says('h2', 7), says('h3', 8));
    hear(says('h2', 12, 'rx'), says('h3', 9, 'xs'));
    hear(says('h2', 30, 'rx'), says('h3', 31, 'xx'));
    assert.deepEqual(all.of('h2'), { epoch: 1, agreedAt: 7, partedAt: 12, what: 'state' });
    assert.deepEqual(all.of('h3'), { epoch: 1, agreedAt: 8, partedAt: 9, what: 'records' });
  });

  it('leave astray whoever is alone against the others', () => {
    const { parting: all, hear } = parting('h1', 'h2', 'h3');
    hear(says('h2', 7, 'rx'));
    assert.equal(all.isAstray(3), false, 'h3 is still to be heard');
    hear(says('h3', 7));
    assert.equal(all.isAstray(3), false, 'it is h2');
    hear(says('h3', 8, 'rx'));
    assert.equal(all.isAstray(3), true);
  });

  it('are both astray where there are two', () => {
    const { parting: all, hear } = parting('h1', 'h2');
    hear(says('h2', 7, 'rx'));
    assert.equal(all.isAstray(2), true);
  });

  it('are judged anew in another life, and forgotten when they are gone', () => {
    const { parting: all, hear } = parting('h1', 'h2');
    hear(says('h2', 7, 'rx'));
    hear(says('h2', 9, 'rs', 2));
    assert.deepEqual([all.parted, all.isAstray(2)], [[], false]);
    hear(says('h2', 10, 'rx', 2));
    all.compare([], new Ledger('h1').state);
    assert.deepEqual(all.parted, []);
  });
});

describe('turns to speak', () => {
  const { state } = new Ledger('h1', 'h2', 'h3', 'h4');
  const subject = state.hosts.get('h4');
  assert.ok(subject !== undefined);
  const places = (silent: string[]) =>
    ['h1', 'h2', 'h3'].map((self) => placeOf(self, subject, state, ({ name }) => silent.includes(name)));

  it('are another place for each host', () => {
    assert.deepEqual(places([]).toSorted(), [0, 1, 2]);
  });

  it('are for those alone who may be heard', () => {
    assert.deepEqual([places(['h1'])[1], places(['h1'])[2]].toSorted(), [0, 1]);
  });

  it('begin with another host for another life', () => {
    const later = { ...subject, epoch: subject.epoch + 1 };
    const place = placeOf('h1', later, state, () => false);
    assert.notEqual(place, places([])[0]);
  });
});

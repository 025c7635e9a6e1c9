import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, Ledger } from '../../test/support/ledger.ts';
import { encodeUtf8 } from '../lib/utf8.ts';
import type { StoredBeat } from '../log/presence-store.ts';
import type { Host } from '../model/host.ts';
import type { BootId } from '../model/ids.ts';
import { encodeBeat } from './beat.ts';
import { Watch } from './watch.ts';

const account = {
  address: '192.168.2.1',
  version: '0.1.0',
  phase: 'running' as const,
  ordinal: 1,
  marks: [],
};
const [own, other, third] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [BootId, BootId, BootId];
const gapMs = 10;

function beat(boot: BootId, host: string, count: number, epoch = 1): StoredBeat {
  return { boot, bytes: encodeBeat({ host, epoch, count, account }) };
}

/** A watch of h1 over h1 to h3, and a look at a moment. */
function watching(ledger = new Ledger('h1', 'h2', 'h3')) {
  const watch = new Watch(own);
  const look = (ms: number, ...beats: StoredBeat[]) => watch.look(beats, ledger.state, ms, ms, gapMs);
  const host = (name: string): Host => {
    const found = ledger.state.hosts.get(name);
    assert.ok(found !== undefined);
    return found;
  };
  return { ledger, watch, look, host, silence: (name: string) => watch.silenceMs(host(name)) };
}

describe('a watch over beats', () => {
  it('counts silence from the last beat that was new', () => {
    const { look, silence } = watching();
    look(0, beat(own, 'h1', 1), beat(other, 'h2', 1));
    look(5, beat(own, 'h1', 2), beat(other, 'h2', 2));
    assert.deepEqual([silence('h2'), silence('h3')], [0, 5]);
    look(10, beat(own, 'h1', 3), beat(other, 'h2', 2));
    look(15, beat(own, 'h1', 4), beat(other, 'h2', 2));
    assert.deepEqual([silence('h2'), silence('h3')], [10, 15]);
  });

  it('takes a beat that is gone, and one that comes late, for no sign', () => {
    const { look, silence } = watching();
    look(0, beat(own, 'h1', 1), beat(other, 'h2', 5));
    look(5, beat(own, 'h1', 2), beat(other, 'h2', 4));
    assert.equal(silence('h2'), 5);
    look(10, beat(own, 'h1', 3));
    assert.equal(silence('h2'), 10);
  });

  it('takes what is no beat, and the beats of others, for no sign of a host', () => {
    const { look, silence } = watching();
    const noise = { boot: third, bytes: encodeUtf8('{"v":1,"host":"h2","epoch":1,"count":9}') };
    look(0, beat(own, 'h1', 1));
    look(5, beat(own, 'h1', 2), noise, beat(other, 'h9', 2));
    assert.equal(silence('h2'), 5);
  });

  it('counts a beat of a later version, which says no more than that', () => {
    const { look, silence } = watching();
    const later = (count: number) => ({
      boot: other,
      bytes: encodeUtf8(JSON.stringify({ v: 2, host: 'h2', epoch: 1, count, more: [1] })),
    });
    look(0, beat(own, 'h1', 1), later(1));
    look(5, beat(own, 'h1', 2), later(2));
    assert.equal(silence('h2'), 0);
  });

  it('counts no beats of a former life, and gives a new one all the time', () => {
    const { ledger, look, silence } = watching();
    look(0, beat(own, 'h1', 1));
    look(8, beat(own, 'h1', 2), beat(other, 'h2', 1));
    accepted(ledger.join('h2', { address: '192.168.2.2' }));
    look(12, beat(own, 'h1', 3), beat(other, 'h2', 2));
    assert.equal(silence('h2'), 0);
    look(16, beat(own, 'h1', 4), beat(other, 'h2', 3));
    assert.equal(silence('h2'), 4);
    look(20, beat(own, 'h1', 5), beat(other, 'h2', 4), beat(third, 'h2', 1, 2));
    assert.equal(silence('h2'), 0);
  });

  it('begins anew after a gap between two looks', () => {
    const { watch, look, silence } = watching();
    look(0, beat(own, 'h1', 1));
    look(9, beat(own, 'h1', 2));
    look(9 + gapMs + 1, beat(own, 'h1', 3));
    assert.deepEqual([silence('h2'), watch.isWatching], [0, true]);
    look(25, beat(own, 'h1', 4));
    assert.equal(silence('h2'), 5);
  });

  it('begins anew where the answer itself took so long', () => {
    const { watch, ledger, look, silence } = watching();
    look(0, beat(own, 'h1', 1));
    look(9, beat(own, 'h1', 2));
    watch.look([beat(own, 'h1', 3)], ledger.state, 15, 15 + gapMs, gapMs);
    assert.equal(silence('h2'), 0);
  });

  it('judges nobody while its own beat does not get through', () => {
    const { watch, look, silence } = watching();
    look(0);
    assert.deepEqual([silence('h2'), watch.isWatching], [0, false]);
    look(5, beat(own, 'h1', 1));
    look(10, beat(own, 'h1', 1));
    assert.equal(silence('h2'), 5);
    look(16, beat(own, 'h1', 1));
    assert.deepEqual([silence('h2'), watch.isWatching], [0, false]);
    look(20, beat(own, 'h1', 2));
    look(24, beat(own, 'h1', 3));
    assert.equal(silence('h2'), 4);
  });

  it('adds absence up over gaps, which do not count', () => {
    const { watch, look, host } = watching();
    look(0, beat(own, 'h1', 1));
    look(8, beat(own, 'h1', 2));
    look(100, beat(own, 'h1', 3));
    look(105, beat(own, 'h1', 4));
    assert.equal(watch.absenceMs(host('h2')), 13);
  });

  it('begins the absence of a host anew when it goes down, and at every sign', () => {
    const { ledger, watch, look, host } = watching();
    look(0, beat(own, 'h1', 1));
    look(8, beat(own, 'h1', 2));
    accepted(ledger.takeDown('h1', 'h2'));
    look(10, beat(own, 'h1', 3));
    assert.equal(watch.absenceMs(host('h2')), 0);
    look(15, beat(own, 'h1', 4));
    assert.equal(watch.absenceMs(host('h2')), 5);
    look(18, beat(own, 'h1', 5), beat(other, 'h2', 1));
    assert.equal(watch.absenceMs(host('h2')), 0);
  });

  it('knows two daemons of one host by what both write after both are there', () => {
    const { watch, look } = watching();
    look(0, beat(own, 'h1', 1), beat(other, 'h2', 1), beat(third, 'h2', 1));
    assert.equal(watch.daemonsOf('h2'), 0);
    look(5, beat(own, 'h1', 2), beat(other, 'h2', 1), beat(third, 'h2', 2));
    assert.equal(watch.daemonsOf('h2'), 1);
    look(9, beat(own, 'h1', 3), beat(other, 'h2', 2), beat(third, 'h2', 3));
    assert.equal(watch.daemonsOf('h2'), 2);
  });

  it('calls beats stale that have not changed for so much of watching, and never its own', () => {
    const { watch, look } = watching();
    look(0, beat(own, 'h1', 1), beat(other, 'h2', 1), beat(third, 'h3', 1));
    look(5, beat(own, 'h1', 2), beat(other, 'h2', 1), beat(third, 'h3', 2));
    look(10, beat(own, 'h1', 3), beat(other, 'h2', 1), beat(third, 'h3', 2));
    assert.deepEqual(
      [...watch.stale(10)].map(([boot]) => boot),
      [other],
    );
    assert.deepEqual([...watch.stale(11)], []);
  });
});

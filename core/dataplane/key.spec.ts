import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { IpAddress } from '../model/address.ts';
import type { Mac } from '../model/mac.ts';
import { fdbTable, keyOf, linkKey } from './key.ts';
import { ownedNamespace, sandboxNamespace } from './namespace.ts';
import type { FdbEntry, Link } from './object.ts';

const ns = ownedNamespace('weft-f5ce773b3f');
const entry: FdbEntry = { kind: 'fdb', ns, link: 'vxlan0', mac: '02:42:0a:00:01:02' as Mac };
const lo: Link = { kind: 'link', ns, name: 'lo', owner: '', up: true, type: { type: 'loopback' } };

describe('keyOf', () => {
  it('holds what the kernel looks the object up by, and no more', () => {
    assert.equal(keyOf({ kind: 'netns', ns }), 'netns net:weft-f5ce773b3f');
    assert.equal(keyOf({ ...lo, up: false, owner: 'x' }), keyOf(lo));
    assert.equal(keyOf(lo), linkKey(ns, 'lo'));
    assert.equal(keyOf({ kind: 'hosts', ns: sandboxNamespace('red'), entries: [] }), 'hosts sandbox:red');
  });

  it('tells the two tables of FDB entries apart, but not two VTEPs of one MAC', () => {
    const remote = { ...entry, remote: '192.168.2.200' as IpAddress };
    assert.notEqual(keyOf(entry), keyOf(remote));
    assert.equal(keyOf(remote), keyOf({ ...remote, remote: '192.168.2.15' as IpAddress }));
    assert.deepEqual([fdbTable(entry), fdbTable(remote)], ['master', 'self']);
  });
});

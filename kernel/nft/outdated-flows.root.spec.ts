/** Flows that a daemon left behind because it died between a transaction and them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, NftElement, NftTable } from '../../core/dataplane/object.ts';
import type { InterfaceAddress } from '../../core/model/address.ts';
import { type LinuxBench, openLinuxBench } from '../../test/support/linux-bench.ts';

const table: NftTable = { kind: 'nft-table', ns: hostNamespace, intact: true };

function port(target: string, hostPort: string): NftElement {
  const key = ['udp', hostPort];
  return { kind: 'nft-element', ns: hostNamespace, set: 'anywhere4', key, value: [target, '53'] };
}

/** One of weft's, with the gateway of an endpoint's network. */
const bridge: readonly KernelObject[] = [
  {
    kind: 'link',
    ns: hostNamespace,
    name: 'br-red',
    owner: 'network:red',
    up: true,
    type: { type: 'bridge' },
  },
  {
    kind: 'address',
    ns: hostNamespace,
    link: 'br-red',
    address: '172.18.0.1/16' as InterfaceAddress,
  },
];

describe('Outdated flows', () => {
  let bench: LinuxBench;
  beforeEach(async function () {
    bench = await openLinuxBench(this);
  });
  afterEach(() => bench?.close());

  it('are forgotten by the next life of the daemon, though every port is in order, and no others', async () => {
    const former = port('203.0.113.1', '8053');
    const others = port('203.0.113.9', '8054');
    const set = [table, former, others].map((object) => ({ op: 'set', object }) as const);
    assert.ok((await bench.kernel.apply(set)).every(({ ok }) => ok));
    await bench.startFlow(8053);
    await bench.startFlow(8054);
    // The transaction alone, as nft makes it.
    await bench.deleteByHand(former);
    await bench.addByHand(port('203.0.113.2', '8053'));
    assert.deepEqual(await bench.flowsTo(8053), ['203.0.113.1 53']);
    const next = bench.restart();
    const elements = await next.dump(hostNamespace, { kinds: new Set(['nft-element']) });
    assert.equal(elements.length, 2);
    assert.deepEqual(await bench.flowsTo(8053), []);
    assert.deepEqual(await bench.flowsTo(8054), ['203.0.113.9 53']);
  });

  it('to an endpoint whose port went in a former life are forgotten, and none that others lead elsewhere', async () => {
    const former = port('172.18.0.2', '8053');
    const kept = port('172.18.0.3', '8055');
    const set = [...bridge, table, former, kept].map((object) => ({ op: 'set', object }) as const);
    assert.ok((await bench.kernel.apply(set)).every(({ ok }) => ok));
    await bench.addByHand(port('203.0.113.9', '8054'));
    for (const each of [8053, 8054, 8055]) await bench.startFlow(each);
    // The transaction alone; and what somebody else's rule leads to is nothing to weft.
    await bench.deleteByHand(former);
    await bench.deleteByHand(port('203.0.113.9', '8054'));
    assert.deepEqual(await bench.flowsTo(8053), ['172.18.0.2 53']);
    await bench.restart().dump(hostNamespace, { kinds: new Set(['nft-element']) });
    assert.deepEqual(await bench.flowsTo(8053), []);
    assert.deepEqual(await bench.flowsTo(8054), ['203.0.113.9 53']);
    assert.deepEqual(await bench.flowsTo(8055), ['172.18.0.3 53']);
  });
});

/**
 * The property that the reconciler stands on: whatever is there, applying the difference gives exactly what is desired,
 * a second difference is empty, and failures on the way only cost another round.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { diff } from '../../core/dataplane/diff.ts';
import { equal } from '../../core/dataplane/equal.ts';
import type { Operation } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Link } from '../../core/dataplane/object.ts';
import { operationText } from '../../core/dataplane/text.ts';
import type { IpAddress } from '../../core/model/address.ts';
import type { Mac } from '../../core/model/mac.ts';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { runs } from '../support/property-settings.ts';
import { desiredSet, sandboxes } from './data-plane.arbitrary.ts';

/** What someone does by hand: picks an object by number and treats it in one of some ways. */
const deed = fc.record({
  what: fc.constantFrom(
    'delete',
    'down',
    'mac',
    'mtu',
    'unplug',
    'alias',
    'fdb',
    'neighbour',
    'sysctl',
    'rules',
  ),
  pick: fc.nat(1000),
});
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

describe('diff, applied to a kernel', () => {
  it('P8: gives exactly what is desired, and is empty the second time', () =>
    fc.assert(
      fc.asyncProperty(
        desiredSet,
        desiredSet,
        fc.array(deed, { maxLength: 4 }),
        async (before, desired, deeds) => {
          const kernel = await kernelWith(before);
          for (const each of deeds) doByHand(kernel, each);
          const operations = diff(desired, await actual(kernel, desired));
          const results = await kernel.apply(operations);
          results.forEach((result, index) => {
            assert.ok(result.ok, `${JSON.stringify(result)} at\n${textOf(operations, index)}`);
          });
          await assertIs(kernel, desired);
        },
      ),
      { numRuns: runs(400) },
    ));

  it('P8: gives it in the end when operations fail, or succeed and say that they failed', () =>
    fc.assert(
      fc.asyncProperty(
        desiredSet,
        desiredSet,
        fc.array(deed, { maxLength: 2 }),
        fc.nat(30),
        fc.boolean(),
        async (before, desired, deeds, at, applied) => {
          const kernel = await kernelWith(before);
          for (const each of deeds) doByHand(kernel, each);
          kernel.injectFault((_, index) =>
            index % 31 === at ? { reason: 'EIO: injected', applied } : undefined,
          );
          await kernel.apply(diff(desired, await actual(kernel, desired)));
          kernel.injectFault(undefined);
          await kernel.apply(diff(desired, await actual(kernel, desired)));
          await assertIs(kernel, desired);
        },
      ),
      { numRuns: runs(250) },
    ));

  it('P8: does not depend on the order of its arguments', () =>
    fc.assert(
      fc.asyncProperty(desiredSet, desiredSet, async (before, desired) => {
        const there = await actual(await kernelWith(before), desired);
        assert.deepEqual(diff([...desired].reverse(), [...there].reverse()), diff(desired, there));
      }),
      { numRuns: runs(100) },
    ));

  it('P8: deletes nothing that goes by itself', async () => {
    await fc.assert(
      fc.asyncProperty(desiredSet, async (before) => {
        const kernel = await kernelWith(before);
        const operations = diff([], await actual(kernel, []));
        for (const operation of operations) {
          const changes = kernel.changes;
          assert.deepEqual(await kernel.apply([operation]), [{ ok: true }]);
          assert.equal(kernel.changes, changes + 1, `${operationText(operation)} was needed`);
        }
      }),
      { numRuns: runs(100) },
    );
  });
});

async function kernelWith(objects: readonly KernelObject[]): Promise<FakeKernel> {
  const kernel = new FakeKernel();
  for (const ref of sandboxes) {
    kernel.addSandbox(ref);
    kernel.addForeignLink(sandboxNamespace(ref), 'docker0');
  }
  await kernel.apply(diff(objects, []));
  await assertIs(kernel, objects);
  return kernel;
}

/** What the reconciler gathers: every namespace that weft has anything in, or is to have. */
async function actual(kernel: FakeKernel, desired: readonly KernelObject[]): Promise<KernelObject[]> {
  const namespaces = new Set([
    ...(await kernel.namespaces()),
    ...desired.map(({ ns }) => ns),
    ...sandboxes.map(sandboxNamespace),
  ]);
  const objects: KernelObject[] = [];
  for (const ns of namespaces) {
    const sysctls = desired.flatMap((object) =>
      object.kind === 'sysctl' && object.ns === ns ? [object.name] : [],
    );
    objects.push(...(await kernel.dump(ns, { sysctls })));
  }
  return objects;
}

async function assertIs(kernel: FakeKernel, desired: readonly KernelObject[]): Promise<void> {
  const there = await actual(kernel, desired);
  assert.deepEqual(diff(desired, there).map(operationText), []);
  const found = new Map(there.map((object) => [keyOf(object), object]));
  for (const object of desired) {
    const other = found.get(keyOf(object));
    assert.ok(other !== undefined && equal(object, other), `${keyOf(object)} is as desired`);
    found.delete(keyOf(object));
  }
  const strays = [...found.values()].filter((object) => !(object.kind === 'link' && object.name === 'lo'));
  assert.deepEqual(strays, []);
  for (const ref of sandboxes) {
    assert.ok(
      kernel.foreignObjects().some(({ ns, kind }) => ns === sandboxNamespace(ref) && kind === 'link'),
      'docker0 is left',
    );
  }
}

function doByHand(kernel: FakeKernel, { what, pick }: Deed): void {
  const objects = kernel.objects();
  const links = objects.filter((object): object is Link => object.kind === 'link' && object.name !== 'lo');
  const deletable = objects.filter((object) => !(object.kind === 'link' && object.name === 'lo'));
  const link = links[pick % Math.max(links.length, 1)];
  if (what === 'delete') {
    const object = deletable[pick % Math.max(deletable.length, 1)];
    if (object !== undefined) kernel.deleteByHand(object);
    return;
  }
  if (what === 'rules') {
    const table = objects.find(({ kind }) => kind === 'nft-table');
    if (table?.kind === 'nft-table') kernel.alterByHand({ ...table, intact: false });
    return;
  }
  if (link === undefined) return;
  const on = { ns: link.ns, link: link.name };
  const mac = '02:42:0a:00:09:09' as Mac;
  switch (what) {
    case 'down':
      return kernel.alterByHand({ ...link, up: false });
    case 'mac':
      return kernel.alterByHand({ ...link, mac });
    case 'mtu':
      return kernel.alterByHand({ ...link, mtu: 1000 });
    case 'unplug': {
      const { master: _master, port: _port, ...unplugged } = link;
      return kernel.alterByHand(unplugged);
    }
    case 'alias':
      return stripAlias(kernel, link, links);
    case 'fdb':
      if (link.type.type === 'vxlan')
        kernel.addByHand({ kind: 'fdb', ...on, mac, remote: '10.1.1.1' as IpAddress });
      return;
    case 'neighbour':
      return kernel.addByHand({ kind: 'neighbour', ...on, address: '10.0.1.77' as IpAddress, mac });
    case 'sysctl':
      return kernel.alterByHand({
        kind: 'sysctl',
        ns: link.ns,
        name: `net/ipv4/conf/${link.name}/rp_filter`,
        value: '2',
      });
  }
}

/** Of one end of a pair only: a link that says nothing of weft is not weft's, but its mate tells. */
function stripAlias(kernel: FakeKernel, link: Link, links: readonly Link[]): void {
  if (link.type.type !== 'veth') return;
  const { peer } = link.type;
  if (links.some(({ ns, name }) => ns === peer.ns && name === peer.name))
    kernel.alterByHand({ ...link, owner: '' });
}

function textOf(operations: readonly Operation[], index: number): string {
  return operations
    .map((operation, at) => `${at === index ? '>' : ' '} ${operationText(operation)}`)
    .join('\n');
}

/**
 * Part of the kernel port's contract: links that are stacked on one of the host's, whoever made that. A kernel may lack
 * some of them, and then says so in words that help.
 */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { hostNamespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { Address, KernelObject, Link, LinkType, MacvlanMode } from '../../core/dataplane/object.ts';
import { toText } from '../../core/dataplane/text.ts';
import { skipBecause } from '../support/requirements.ts';
import { type Bench, interfaceAddress, macs } from './kernel-bench.ts';
import { apply, assertIs, dump, find, remove, set } from './kernel-steps.ts';

const parent = { ns: hostNamespace, name: 'lan0' };

/** A link of somebody's on the host. */
const foreign: Link = { kind: 'link', ...parent, owner: '', up: true, type: { type: 'bridge' } };

function macvlan(ref: string, mode: MacvlanMode = 'bridge', name = 'eth0'): Link {
  return {
    kind: 'link',
    ns: sandboxNamespace(ref),
    name,
    owner: `endpoint:${name}`,
    up: true,
    ...(mode === 'passthru' ? {} : { mac: name === 'eth0' ? macs[0] : macs[1] }),
    type: { type: 'macvlan', parent, mode },
  };
}

function addressOn({ ns, name }: Link): Address {
  return { kind: 'address', ns, link: name, address: interfaceAddress('10.0.1.2/24') };
}

export function describeStacked(bench: Bench): void {
  for (const mode of ['bridge', 'private', 'vepa', 'passthru'] as const) {
    it(`a macvlan in ${mode} mode is made in its sandbox and told as it is`, async () => {
      await bench().addForeignLink(parent.ns, parent.name);
      const link = macvlan(await bench().addSandbox(), mode);
      await set(bench(), link);
      await assertIs(bench(), link);
      await remove(bench(), link);
      assert.equal(await find(bench(), link), undefined);
      assert.ok(await bench().hasLink(parent.ns, parent.name), 'the parent is not ours to delete');
    });
  }

  it('its addresses, MAC address and MTU are altered where it is; another mode makes it anew', async () => {
    await bench().addForeignLink(parent.ns, parent.name);
    const link = macvlan(await bench().addSandbox());
    await set(bench(), link, addressOn(link));
    const altered: Link = { ...link, mtu: 1400, mac: macs[1] };
    await set(bench(), altered);
    await assertIs(bench(), altered, addressOn(link));
    const { ns, name } = link;
    const other: Link = { ...altered, type: { type: 'macvlan', parent, mode: 'private' } };
    await apply(bench(), [{ op: 'replace', object: other, actual: altered }]);
    await assertIs(bench(), other);
    assert.equal(await find(bench(), addressOn({ ...link, ns, name })), undefined);
  });

  it('with the parent goes what is stacked on it, and it can be made again when the parent is back', async () => {
    await bench().addForeignLink(parent.ns, parent.name);
    const link = macvlan(await bench().addSandbox());
    await set(bench(), link, addressOn(link));
    await bench().deleteByHand(foreign);
    assert.equal(await find(bench(), link), undefined);
    const [refusal] = await bench().kernel.apply([{ op: 'set', object: link }]);
    assert.ok(refusal?.ok === false && /^ENODEV: .*lan0/.test(refusal.reason), JSON.stringify(refusal));
    await bench().addForeignLink(parent.ns, parent.name);
    await set(bench(), link, addressOn(link));
    await assertIs(bench(), link, addressOn(link));
  });

  it('two on one parent are two, and a passed through parent takes no second', async () => {
    await bench().addForeignLink(parent.ns, parent.name);
    const ref = await bench().addSandbox();
    await set(bench(), macvlan(ref), macvlan(ref, 'bridge', 'eth1'));
    await assertIs(bench(), macvlan(ref), macvlan(ref, 'bridge', 'eth1'));
    await remove(bench(), macvlan(ref), macvlan(ref, 'bridge', 'eth1'));
    await set(bench(), macvlan(ref, 'passthru'));
    const [refusal] = await bench().kernel.apply([{ op: 'set', object: macvlan(ref, 'bridge', 'eth1') }]);
    assert.ok(refusal?.ok === false && refusal.reason.startsWith('EINVAL: '), JSON.stringify(refusal));
  });

  it('loopback is no parent', async () => {
    const link = macvlan(await bench().addSandbox());
    const object: Link = {
      ...link,
      type: { type: 'macvlan', parent: { ...parent, name: 'lo' }, mode: 'bridge' },
    };
    const [refusal] = await bench().kernel.apply([{ op: 'set', object }]);
    assert.ok(refusal?.ok === false && refusal.reason.startsWith('EINVAL: '), JSON.stringify(refusal));
  });

  it('one that an earlier daemon has left is found by the first look', async () => {
    await bench().addForeignLink(parent.ns, parent.name);
    const [ref, other] = [await bench().addSandbox(), await bench().addSandbox()];
    const link = macvlan(ref);
    await set(bench(), link);
    const found = await bench().kernel.namespaces();
    assert.ok(found.includes(link.ns), found.join());
    assert.ok(!found.includes(sandboxNamespace(other)), found.join());
  });

  it("one that a user made in a sandbox is the user's", async () => {
    await bench().addForeignLink(parent.ns, parent.name);
    const ref = await bench().addSandbox();
    const { mac: _mac, ...theirs } = macvlan(ref);
    await bench().addByHand({ ...theirs, owner: '' });
    assert.deepEqual(
      (await dump(bench(), theirs.ns)).filter(({ kind }) => kind === 'link').length,
      1,
      'loopback alone',
    );
    await remove(bench(), theirs);
    assert.ok(await bench().hasLink(theirs.ns, theirs.name));
  });

  const others: readonly (readonly [string, LinkType, 'host' | 'sandbox'])[] = [
    ['a dummy', { type: 'dummy' }, 'host'],
    ['a VLAN', { type: 'vlan', parent, id: 50 }, 'host'],
    ['an ipvlan', { type: 'ipvlan', parent, mode: 'l2', flag: 'bridge' }, 'sandbox'],
    ['a routing ipvlan that keeps apart', { type: 'ipvlan', parent, mode: 'l3', flag: 'private' }, 'sandbox'],
    ['an ipvlan of netfilter and switch', { type: 'ipvlan', parent, mode: 'l3s', flag: 'vepa' }, 'sandbox'],
  ];
  for (const [what, type, where] of others) {
    it(`${what} is made and told as it is, or it is said what the kernel lacks`, async function () {
      await bench().addForeignLink(parent.ns, parent.name);
      const ref = await bench().addSandbox();
      const ns = where === 'host' ? hostNamespace : sandboxNamespace(ref);
      const link: Link = { kind: 'link', ns, name: 'stack0', owner: 'network:a', up: false, type };
      const [result] = await bench().kernel.apply([{ op: 'set', object: link }]);
      if (result?.ok === false) {
        assert.match(result.reason, new RegExp(`this kernel makes no ${type.type} links: load its module`));
        skipBecause(this, `this kernel has no ${type.type} links`);
      }
      await assertIs(bench(), link);
      await remove(bench(), link);
      assert.equal(await find(bench(), link), undefined);
    });
  }

  it('says what is there in the words of ip', async () => {
    const link: KernelObject = macvlan('red');
    assert.equal(
      toText(link),
      `ip link add link lan0 name eth0 address ${macs[0]} netns red type macvlan mode bridge && ` +
        'ip -n red link set dev eth0 alias weft:endpoint:eth0 up',
    );
  });
}

/** Part of the kernel port's contract: weft's nftables table, in the host's namespace. */
import assert from 'node:assert/strict';
import { it } from 'mocha';
import { keyOf } from '../../core/dataplane/key.ts';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Link, NftAccepts, NftElement, NftTable } from '../../core/dataplane/object.ts';
import type { Bench } from './kernel-bench.ts';
import { testNetwork } from './kernel-bench.ts';
import { listen } from './kernel-ears.ts';
import { apply, assertIs, dump, find, remove, set } from './kernel-steps.ts';

const ns = hostNamespace;
const table: NftTable = { kind: 'nft-table', ns, intact: true };

function element(set: NftElement['set'], ...key: string[]): NftElement {
  return { kind: 'nft-element', ns, set, key };
}

export function describeFirewall(bench: Bench): void {
  const nftKeys = async (): Promise<string[]> =>
    (await dump(bench(), ns))
      .filter(({ kind }) => kind.startsWith('nft'))
      .map(keyOf)
      .sort();

  it('a table is made, is found intact, and goes with all that is in it', async () => {
    assert.deepEqual(await nftKeys(), []);
    const members = [element('bridges', 'br-a'), element('neighbours', 'br-a', 'br-a')];
    await set(bench(), table, ...members);
    await assertIs(bench(), table, ...members);
    await set(bench(), table, ...members);
    assert.deepEqual(await nftKeys(), [table, ...members].map(keyOf).sort());
    assert.deepEqual(await bench().kernel.namespaces(), [ns]);
    await remove(bench(), members[0] as NftElement);
    await remove(bench(), members[0] as NftElement);
    assert.equal(await find(bench(), members[0] as NftElement), undefined);
    await remove(bench(), table);
    await remove(bench(), table);
    assert.deepEqual(await nftKeys(), []);
    assert.deepEqual(await bench().kernel.namespaces(), []);
  });

  it('an element needs its table, and one that is refused does not stop the rest', async () => {
    const early = await bench().kernel.apply([{ op: 'set', object: element('bridges', 'br-a') }]);
    assert.ok(early[0]?.ok === false && early[0].reason.includes('ENOENT'), JSON.stringify(early));
    const misplaced: NftTable = { ...table, ns: testNetwork(bench()).ns };
    await set(bench(), testNetwork(bench()).netns);
    const objects: KernelObject[] = [table, misplaced, element('bridges', 'br-a')];
    const results = await bench().kernel.apply(objects.map((object) => ({ op: 'set', object })));
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true, false, true],
    );
    await assertIs(bench(), element('bridges', 'br-a'));
  });

  it('a table that others altered is told from an intact one, and made anew with what belongs in it', async () => {
    const members = [element('bridges', 'br-a'), element('outward', 'br-a')];
    await set(bench(), table, ...members);
    await bench().alterFirewallByHand();
    assert.deepEqual(await find(bench(), table), { ...table, intact: false });
    await apply(bench(), [
      { op: 'replace', object: table, actual: { ...table, intact: false } },
      { op: 'set', object: members[0] as NftElement },
    ]);
    assert.deepEqual(await nftKeys(), [table, members[0] as NftElement].map(keyOf).sort());
    await assertIs(bench(), table);
  });

  it('tells of what others do to the table, and not of what is done to it through the port', async () => {
    await set(bench(), table, element('bridges', 'br-a'));
    const ears = await listen(bench(), [ns]);
    await set(bench(), element('bridges', 'br-b'));
    await remove(bench(), element('bridges', 'br-b'));
    await bench().deleteByHand(element('bridges', 'br-a'));
    await ears.hear('absent', element('bridges', 'br-a'));
    assert.equal(ears.heard.length, 1, JSON.stringify(ears.heard));
    await bench().flushRuleset();
    await ears.until(() => ears.heard.length === 2);
    await set(bench(), table);
    await bench().alterFirewallByHand();
    await ears.until(() => ears.heard.length === 3);
    await ears.close();
    assert.deepEqual(await find(bench(), table), { ...table, intact: false });
  });

  it('a published port that comes, changes or goes takes along the flows that contradict it, and no others', async () => {
    const port = (target: string, hostPort = '8053'): NftElement => {
      const value = [target, '53'];
      return { kind: 'nft-element', ns, set: 'anywhere4', key: ['udp', hostPort], value };
    };
    const flows = () => bench().flowsTo(8053);
    const [first, second] = [port('203.0.113.1'), port('203.0.113.2')];
    await set(bench(), table, port('203.0.113.9', '8054'));
    await bench().startFlow(8054);
    await bench().startFlow(8053);
    assert.deepEqual(await flows(), [`${bench().local} 8053`], 'to the host itself');
    await set(bench(), first);
    assert.deepEqual(await flows(), [], 'a port that came');
    await bench().startFlow(8053);
    assert.deepEqual(await flows(), ['203.0.113.1 53']);
    await bench().deleteByHand(first);
    await set(bench(), first);
    assert.deepEqual(await flows(), ['203.0.113.1 53'], 'one that is put back as it was');
    await set(bench(), second);
    assert.deepEqual(await flows(), [], 'one that leads elsewhere');
    await bench().startFlow(8053);
    await remove(bench(), second);
    assert.deepEqual(await flows(), [], 'one that went');
    assert.deepEqual(await bench().flowsTo(8054), ['203.0.113.9 53'], 'another port');
    await remove(bench(), table);
    assert.deepEqual(await bench().flowsTo(8054), [], 'with the table');
  });

  it('tells what listens on the host, at every address that it takes, and who it is where that is asked for', async () => {
    const process = await bench().listen('tcp', 8080);
    await bench().listen('udp', 8053);
    const all = await bench().kernel.listeners(({ port }) => port === 8080);
    const shown = all
      .filter(({ port }) => port === 8080 || port === 8053)
      .map(({ protocol, address, port, process: by }) => `${protocol} ${address} ${port} ${by ?? '-'}`);
    assert.deepEqual(shown.sort(), [
      `tcp 0.0.0.0 8080 node (${process})`,
      `tcp :: 8080 node (${process})`,
      'udp 0.0.0.0 8053 -',
      'udp :: 8053 -',
    ]);
  });

  it("has weft's rule in every chain of others that drops, also in one that comes later, until it is taken out", async () => {
    const accepts: NftAccepts = { kind: 'nft-accepts', ns, complete: true };
    const lacking: NftAccepts = { ...accepts, complete: false };
    const marked = [element('marked', 'ipv4'), element('marked', 'ipv6')];
    const seen = async () => (await bench().kernel.droppingChains()).map((chain) => chain.accepts);
    await set(bench(), table, ...marked, accepts);
    await assertIs(bench(), ...marked, accepts);
    const ears = await listen(bench(), [ns]);
    await bench().addDroppingChain();
    await ears.until(() => ears.heard.length > 0);
    await ears.close();
    assert.ok(
      ears.heard.every(({ type }) => type === 'stale'),
      JSON.stringify(ears.heard),
    );
    assert.deepEqual(await find(bench(), accepts), lacking);
    await bench().addDroppingChain();
    await set(bench(), accepts);
    await assertIs(bench(), accepts);
    await set(bench(), accepts);
    assert.deepEqual(await seen(), [true, true]);
    await remove(bench(), accepts);
    assert.deepEqual(await seen(), [false, false]);
    assert.deepEqual(await find(bench(), accepts), lacking, 'what is marked is not accepted any more');
    await remove(bench(), ...marked);
    assert.equal(await find(bench(), accepts), undefined);
  });

  it("on the host only what bears weft's mark is reported, and a pair leads from there into a sandbox", async () => {
    const ref = await bench().addSandbox();
    const { bridge } = testNetwork(bench());
    const inside = { ns: `sandbox:${ref}` as typeof ns, name: 'eth0' };
    const outside = { ns, name: 'wtveth1' };
    const both = { kind: 'link', owner: 'endpoint:1', up: true, mtu: 1450 } as const;
    const port = { learning: true, flood: true };
    const pair: [Link, Link] = [
      {
        ...both,
        ...outside,
        master: 'wtbr1',
        port: { ...port, isolated: true },
        type: { type: 'veth', peer: inside },
      },
      { ...both, ...inside, type: { type: 'veth', peer: outside } },
    ];
    const links: Link[] = [{ ...bridge, ns, name: 'wtbr1' }, ...pair];
    await bench().addForeignLink(ns, 'wtbr2');
    await set(bench(), ...links);
    await assertIs(bench(), ...links);
    const owned = (await dump(bench(), ns)).flatMap((each) => (each.kind === 'link' ? [each.name] : []));
    assert.deepEqual(owned.sort(), ['lo', 'wtbr1', 'wtveth1']);
    const [outer] = pair;
    await set(bench(), { ...outer, port });
    await assertIs(bench(), { ...outer, port }, pair[1]);
    await bench().removeSandbox(ref);
    await remove(bench(), ...links);
    assert.ok(await bench().hasLink(ns, 'wtbr2'));
    assert.deepEqual(await bench().kernel.namespaces(), []);
  });
}

/** Other firewalls as nft and iptables make them, and which of their chains are found to drop what is forwarded. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { NftAccepts } from '../../core/dataplane/object.ts';
import { command, type LinuxBench, openLinuxBench } from '../../test/support/linux-bench.ts';
import { requireCommand } from '../../test/support/requirements.ts';

describe('Chains of other firewalls', () => {
  let bench: LinuxBench;
  beforeEach(async function () {
    bench = await openLinuxBench(this);
  });
  afterEach(() => bench?.close());

  const onHost = (...words: string[]) => command(['ip', 'netns', 'exec', bench.refs.host, ...words]);
  const nft = (statement: string) => onHost('nft', statement);
  const found = async () =>
    (await bench.kernel.droppingChains()).map(({ family, table, chain, by, via }) =>
      [family, table, chain, by, ...(via === undefined ? [] : [via])].join(' '),
    );

  async function addChain(family: string, policy: string, hook = 'forward'): Promise<void> {
    await nft(`add table ${family} other`);
    await nft(`add chain ${family} other c { type filter hook ${hook} priority 0; policy ${policy}; }`);
  }

  it('are none where there is no firewall, or none that drops', async () => {
    assert.deepEqual(await found(), []);
    await addChain('inet', 'accept');
    assert.deepEqual(await found(), []);
    await nft('add rule inet other c ip daddr 192.0.2.1 counter drop');
    assert.deepEqual(await found(), []);
  });

  it('are found by their policy in every family, and not at other hooks', async () => {
    for (const family of ['ip', 'ip6', 'inet', 'bridge']) await addChain(family, 'drop');
    await nft('add chain inet other in { type filter hook input priority 0; policy drop; }');
    assert.deepEqual((await found()).sort(), [
      'inet other c policy',
      'ip other c policy',
      'ip6 other c policy',
    ]);
  });

  it('are found by a rule that asks for nothing, unless one before it lets all pass', async () => {
    await addChain('inet', 'accept');
    for (const [rule, drops] of [
      ['ct state established accept', false],
      ['counter log prefix "x" drop', true],
      ['ip saddr 192.0.2.0/24 reject', false],
      ['reject with icmpx admin-prohibited', true],
    ] as const) {
      await nft('flush chain inet other c');
      await nft(`add rule inet other c ${rule}`);
      assert.deepEqual(await found(), drops ? ['inet other c rule'] : [], rule);
    }
    await nft('insert rule inet other c counter accept');
    assert.deepEqual(await found(), []);
  });

  it('are found by a rule for all in a chain that they jump or go to, and only where that is for all too', async () => {
    const load = async (forward: string) => {
      const ruleset = `table inet other {
        chain last { ip daddr 192.0.2.1 counter accept; counter drop; }
        chain far { ct state established accept; goto last; }
        chain none { iifname "docker0" drop; return; drop; }
        chain c { type filter hook forward priority 0; ${forward} }
      }`;
      await nft('flush ruleset');
      await nft(ruleset);
    };
    for (const [forward, expected] of [
      ['counter jump far;', ['inet other c rule far']],
      ['goto last;', ['inet other c rule last']],
      ['jump none; iifname "docker0" jump last;', []],
      ['jump none; accept; jump last;', []],
      ['policy drop; jump none;', ['inet other c policy']],
      ['policy drop; return; accept;', ['inet other c policy']],
      ['policy drop; goto none;', ['inet other c policy none']],
    ] as const) {
      await load(forward);
      assert.deepEqual(await found(), expected, forward);
    }
    // Before the jump it would pass by what the other chain drops under a condition.
    await load('jump far;');
    const object: NftAccepts = { kind: 'nft-accepts', ns: hostNamespace, complete: true };
    assert.deepEqual(await bench.kernel.apply([{ op: 'set', object }]), [{ ok: true }]);
    assert.doesNotMatch(await nft('list ruleset'), /weft/);
  });

  it("have weft's rule where it counts, behind what their owner decides, and keep all of their own", async () => {
    const accepts: NftAccepts = { kind: 'nft-accepts', ns: hostNamespace, complete: true };
    const apply = async (op: 'set' | 'delete'): Promise<void> => {
      assert.deepEqual(await bench.kernel.apply([{ op, object: accepts }]), [{ ok: true }]);
    };
    const rules = async () => {
      const listed = await nft('list chain inet other c');
      return listed
        .split('\n')
        .map((line) => line.trim())
        .slice(3, -3);
    };
    const ours = 'meta mark & 0x00001000 == 0x00001000 accept comment "weft"';
    const own = ['ip daddr 192.0.2.1 drop', 'counter packets 0 bytes 0 drop'];
    await addChain('inet', 'drop');
    await nft('add rule inet other c ip daddr 192.0.2.1 drop');
    await apply('set');
    assert.deepEqual(await rules(), [own[0], ours]);
    // Whoever drops all before it takes its effect.
    await nft('insert rule inet other c counter drop');
    assert.deepEqual((await bench.kernel.droppingChains())[0]?.accepts, false);
    await apply('set');
    await apply('set');
    assert.deepEqual(await rules(), [ours, own[1], own[0]]);
    await apply('delete');
    assert.deepEqual(await rules(), [own[1], own[0]]);
    // Behind it no packet comes either: the policy has it then.
    await nft('flush chain inet other c');
    await nft('add rule inet other c return');
    await apply('set');
    assert.deepEqual(await rules(), [ours, 'return']);
    assert.deepEqual((await bench.kernel.droppingChains())[0]?.accepts, true);
  });

  it("are left alone where firewalld's zones decide", async () => {
    await nft('add table inet firewalld');
    await nft('add chain inet firewalld c { type filter hook forward priority 10; policy accept; }');
    await nft('add rule inet firewalld c reject with icmpx admin-prohibited');
    const object: NftAccepts = { kind: 'nft-accepts', ns: hostNamespace, complete: true };
    assert.deepEqual(await bench.kernel.apply([{ op: 'set', object }]), [{ ok: true }]);
    assert.deepEqual(await found(), ['inet firewalld c rule']);
    assert.doesNotMatch(await nft('list ruleset'), /weft/);
  });

  it('are found as iptables makes them', async function test() {
    requireCommand(this, 'iptables-nft');
    await onHost('iptables-nft', '-P', 'FORWARD', 'DROP');
    assert.deepEqual(await found(), ['ip filter FORWARD policy']);
    await onHost('iptables-nft', '-P', 'FORWARD', 'ACCEPT');
    assert.deepEqual(await found(), []);
    await onHost('iptables-nft', '-N', 'DOCKER-USER');
    await onHost('iptables-nft', '-A', 'FORWARD', '-j', 'DOCKER-USER');
    await onHost('iptables-nft', '-A', 'DOCKER-USER', '-j', 'RETURN');
    assert.deepEqual(await found(), []);
    await onHost('iptables-nft', '-I', 'DOCKER-USER', '-j', 'REJECT');
    assert.deepEqual(await found(), ['ip filter FORWARD rule DOCKER-USER']);
    await onHost('iptables-nft', '-F');
    await onHost('iptables-nft', '-X');
    await onHost('iptables-nft', '-A', 'FORWARD', '-j', 'REJECT');
    assert.deepEqual(await found(), ['ip filter FORWARD rule']);
    const object: NftAccepts = { kind: 'nft-accepts', ns: hostNamespace, complete: true };
    assert.deepEqual(await bench.kernel.apply([{ op: 'set', object }]), [{ ok: true }]);
    // iptables shows it as a rule of its own kind, and puts up with it.
    assert.deepEqual((await onHost('iptables-nft', '-S', 'FORWARD')).trim().split('\n'), [
      '-P FORWARD ACCEPT',
      '-A FORWARD -m mark --mark 0x1000/0x1000 -m comment --comment weft -j ACCEPT',
      '-A FORWARD -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });
});

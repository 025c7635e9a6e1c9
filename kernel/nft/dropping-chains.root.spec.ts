/** Other firewalls as nft and iptables make them, and which of their chains are found to drop what is forwarded. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
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
    (await bench.kernel.droppingChains()).map(({ family, table, chain, by }) =>
      [family, table, chain, by].join(' '),
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

  it('are found by a last rule that asks for nothing', async () => {
    await addChain('inet', 'accept');
    for (const [rule, drops] of [
      ['ct state established accept', false],
      ['counter log prefix "x" drop', true],
      ['ip saddr 192.0.2.0/24 reject', false],
      ['reject with icmpx admin-prohibited', true],
      ['accept', false],
    ] as const) {
      await nft(`add rule inet other c ${rule}`);
      assert.deepEqual(await found(), drops ? ['inet other c last-rule'] : [], rule);
    }
  });

  it('are found as iptables makes them', async function test() {
    requireCommand(this, 'iptables-nft');
    await onHost('iptables-nft', '-P', 'FORWARD', 'DROP');
    assert.deepEqual(await found(), ['ip filter FORWARD policy']);
    await onHost('iptables-nft', '-P', 'FORWARD', 'ACCEPT');
    assert.deepEqual(await found(), []);
    await onHost('iptables-nft', '-A', 'FORWARD', '-j', 'REJECT');
    assert.deepEqual(await found(), ['ip filter FORWARD last-rule']);
  });
});

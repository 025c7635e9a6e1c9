/** What a host sees of those who ask it. */
import assert from 'node:assert/strict';
import type { LabHost } from '../../lab/host.ts';

/** Where a host sees the echo requests come from that somebody sends it meanwhile, as nft lists addresses. */
export async function seenBy(
  host: LabHost,
  family: 'ip' | 'ip6',
  ask: () => Promise<boolean>,
): Promise<string> {
  const echo = family === 'ip' ? 'icmp type echo-request' : 'icmpv6 type echo-request';
  const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  await host.exec('nft', ['add table inet seen']);
  try {
    await host.exec('nft', [`add set inet seen from { type ${type}; flags dynamic; }`]);
    await host.exec('nft', ['add chain inet seen input { type filter hook input priority 0; }']);
    await host.exec('nft', [`add rule inet seen input ${echo} add @from { ${family} saddr }`]);
    assert.ok(await ask(), 'an answer');
    const { stdout } = await host.exec('nft', ['list set inet seen from']);
    return /elements = \{ ([^}]*?) \}/.exec(stdout)?.[1] ?? '';
  } finally {
    await host.exec('nft', ['delete table inet seen']);
  }
}

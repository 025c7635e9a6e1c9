/** What a host sees of those who ask it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from '../../lab/host.ts';
import { eventually } from './cluster.ts';

const echoRequest = { ip: 'icmp[icmptype] == icmp-echo', ip6: 'icmp6 and ip6[40] == 128' } as const;

let captures = 0;

/** Where the first echo request comes from that somebody sends a host meanwhile, as `tcpdump` on that host shows it. */
export async function seenBy(
  host: LabHost,
  family: keyof typeof echoRequest,
  ask: () => Promise<boolean>,
): Promise<string> {
  const name = `tcpdump-${++captures}`;
  const words = ['-i', 'any', '-Q', 'in', '-c', '1', '-nn', '-l', '--immediate-mode', echoRequest[family]];
  const capture = host.start(name, 'tcpdump', words);
  const output = (): string => readFileSync(join(host.folder, `${name}.log`), 'utf8');
  await eventually('tcpdump listens', async () => output().includes('listening on'));
  assert.ok(await ask(), 'an answer');
  await eventually('tcpdump shows a packet', async () => capture.exitCode !== null);
  return / IP6? (\S+) > /.exec(output())?.[1] ?? '';
}

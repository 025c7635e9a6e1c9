/** Chapter 4: names, pings, and a packet on the wire. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cast } from '../cast.ts';
import { type Stage, StepFailed } from '../stage.ts';
import type { RedContainers } from './containers.ts';

const captureTimeoutMs = 10_000;
const pollMs = 50;

export async function showTraffic(stage: Stage, cast: Cast, { miniontest }: RedContainers): Promise<void> {
  stage.chapter('Traffic by name, across VXLAN');
  stage.say('Each container finds the others of its network by name:');
  await stage.look(miniontest, 'cat', ['/etc/hosts'], {
    expect: [
      { pattern: /^10\.0\.1\.3\s+(\S+\s+)*mastertest\b/m, what: 'mastertest' },
      { pattern: /\bmastertest\.overlayred\b/, what: 'mastertest.overlayred' },
    ],
  });
  await stage.act(miniontest, 'ping', ['-c', '3', '-i', '0.2', 'mastertest'], {
    expect: [
      { pattern: /3 packets transmitted, 3 received, 0% packet loss/, what: 'three answers of three' },
    ],
  });
  await showPacket(stage, cast, miniontest);
}

/** One packet as the underlay of the other host sees it. */
async function showPacket(stage: Stage, cast: Cast, from: RedContainers['miniontest']): Promise<void> {
  stage.say(
    'One of these pings on the underlay: a UDP packet between the hosts, and in it that of the containers.',
  );
  const filter = ['udp', 'dst', 'port', '4789', 'and', 'src', 'host', '192.168.2.200'];
  const args = ['-i', 'eth0', '-c', '1', '-vvv', '-n', '-l', '--immediate-mode', ...filter];
  stage.typed('etcdmaster', `tcpdump ${args.join(' ')} &`);
  const { host } = cast.etcdmaster;
  const capture = host.start('tcpdump', 'tcpdump', args);
  const output = (): string => readFileSync(join(host.folder, 'tcpdump.log'), 'utf8');
  await until(() => /listening on eth0/.test(output()), '`tcpdump` does not listen');
  await stage.act(from, 'ping', ['-c', '1', 'mastertest'], {
    expect: [{ pattern: / 0% packet loss/, what: 'an answer' }],
  });
  await until(() => capture.exitCode !== null, '`tcpdump` sees no VXLAN packet');
  const packet = output().replace(/^\d+ packets? .*\n?/gm, '');
  stage.typed('etcdmaster', 'fg');
  stage.output(packet);
  for (const [pattern, what] of [
    [
      /192\.168\.2\.200\.\d+ > 192\.168\.2\.15\.4789: .*VXLAN, flags \[I\] \(0x08\), vni 256/,
      'VNI 256 between the hosts',
    ],
    [/10\.0\.1\.2 > 10\.0\.1\.3: ICMP echo request/, 'the ping between the containers'],
  ] as const) {
    if (!pattern.test(packet)) throw new StepFailed(`\`tcpdump\` does not show ${what}`);
  }
}

async function until(isDone: () => boolean, failure: string): Promise<void> {
  const deadline = performance.now() + captureTimeoutMs;
  while (!isDone()) {
    if (performance.now() > deadline) throw new StepFailed(failure);
    await sleep(pollMs);
  }
}

/** Chapter 6: what is deleted by hand comes back, and is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cast } from '../cast.ts';
import { type Expectation, type Stage, StepFailed } from '../stage.ts';
import type { RedContainers } from './containers.ts';

/** The bound of the promise. */
const repairMsMax = 1_000;
const pollMs = 5;

interface Damage {
  readonly what: string;
  /** Command that deletes it. */
  readonly remove: readonly [string, ...string[]];
  /** Command that shows it, and how it shows. */
  readonly look: readonly [string, ...string[]];
  readonly expect: Expectation;
}

const damages: readonly Damage[] = [
  {
    what: 'FDB entry',
    remove: ['bridge', 'fdb', 'del', '02:42:0a:00:01:02', 'dev', 'vxlan0', 'dst', '192.168.2.200', 'self'],
    look: ['bridge', 'fdb', 'show', 'dev', 'vxlan0'],
    expect: { pattern: /^02:42:0a:00:01:02 dst 192\.168\.2\.200 .*self permanent/m, what: 'the FDB entry' },
  },
  {
    what: 'neighbour entry',
    remove: ['ip', 'neighbour', 'del', '10.0.1.2', 'dev', 'vxlan0'],
    look: ['ip', 'neighbour', 'show', 'dev', 'vxlan0'],
    expect: { pattern: /^10\.0\.1\.2 lladdr 02:42:0a:00:01:02 PERMANENT/m, what: 'the neighbour' },
  },
];

export async function showRepair(stage: Stage, cast: Cast, red: RedContainers): Promise<void> {
  stage.chapter('The kernel never lies');
  stage.say(
    'On etcdmaster the way to miniontest is deleted by hand, piece by piece. Docker would leave it so until someone',
    'restarts something; weft compares the kernel with the log and mends it.',
  );
  for (const damage of damages) await showOne(stage, red, damage);
  stage.say('The traffic flows, and nothing of this went unnoticed:');
  await stage.act(red.mastertest, 'ping', ['-c', '2', '-i', '0.2', 'miniontest'], {
    expect: [{ pattern: / 0% packet loss/, what: 'an answer to every ping' }],
  });
  await stage.look(cast.etcdmaster, 'weft', ['doctor'], {
    expect: [
      { pattern: /missing.*02:42:0a:00:01:02.*192\.168\.2\.200/, what: 'the repaired FDB entry' },
      { pattern: /missing.*10\.0\.1\.2.*02:42:0a:00:01:02/, what: 'the repaired neighbour' },
    ],
  });
  await stage.look(cast.etcdmaster, 'weft', ['status'], {
    expect: [
      { pattern: /of drift repaired: ([2-9]|[1-9]\d)\b/, what: 'that drift was repaired twice at least' },
    ],
  });
}

async function showOne(stage: Stage, { overlay }: RedContainers, damage: Damage): Promise<void> {
  const [command, ...args] = damage.remove;
  await stage.act(overlay, command, args);
  const startedAt = performance.now();
  const [lookCommand, ...lookArgs] = damage.look;
  for (;;) {
    const { stdout } = await overlay.run(lookCommand, lookArgs);
    if (damage.expect.pattern.test(stdout)) break;
    if (performance.now() - startedAt > repairMsMax) {
      throw new StepFailed(`the ${damage.what} is not back within ${repairMsMax} ms`);
    }
    await sleep(pollMs);
  }
  const ms = Math.round(performance.now() - startedAt);
  await stage.look(overlay, lookCommand, lookArgs, { expect: [damage.expect] });
  stage.note(`the ${damage.what} was back after ${ms} ms, the time of looking included`);
}

/** Chapter 3: containers on both hosts, and what weft made for them. */
import { addContainer, type Cast, namespacePlace } from '../cast.ts';
import type { Place, Stage } from '../stage.ts';

export interface Container extends Place {
  readonly netns: string;
}

export interface RedContainers {
  /** On minion0, 10.0.1.2. */
  readonly miniontest: Container;
  /** On etcdmaster, 10.0.1.3. */
  readonly mastertest: Container;
  /** The overlay's own namespace on etcdmaster. */
  readonly overlay: Place;
}

export async function showContainers(stage: Stage, cast: Cast, networkId: string): Promise<RedContainers> {
  const { minion0, etcdmaster } = cast;
  stage.chapter('Containers on both hosts');
  stage.say('A container is a network namespace. One on each host is attached under a name:');
  const miniontest = await addContainer(stage, minion0, 'miniontest');
  await stage.act(
    minion0,
    'weft',
    ['network', 'connect', '--name', 'miniontest', 'overlayred', miniontest.netns],
    {
      expect: [
        { pattern: /^10\.0\.1\.2\/24 02:42:0a:00:01:02 eth0 /, what: 'the first address of the pool' },
      ],
    },
  );
  const mastertest = await addContainer(stage, etcdmaster, 'mastertest');
  await stage.act(
    etcdmaster,
    'weft',
    ['network', 'connect', '--name', 'mastertest', 'overlayred', mastertest.netns],
    {
      expect: [{ pattern: /^10\.0\.1\.3\/24 02:42:0a:00:01:03 eth0 /, what: 'the next address of the pool' }],
    },
  );
  stage.say('Both hosts know both:');
  for (const place of [minion0, etcdmaster]) {
    await stage.look(place, 'weft', ['endpoint', 'ls'], {
      expect: [
        { pattern: /miniontest.*10\.0\.1\.2/, what: 'miniontest' },
        { pattern: /mastertest.*10\.0\.1\.3/, what: 'mastertest' },
      ],
    });
  }
  const overlay = namespacePlace(
    'overlayred@etcdmaster',
    `${etcdmaster.host.netnsPrefix}${networkId.slice(0, 10)}`,
  );
  await showKernel(stage, { miniontest, mastertest, overlay }, cast);
  return { miniontest, mastertest, overlay };
}

/** The interface inside a container, and the namespace of the overlay with the way to the other host. */
async function showKernel(stage: Stage, made: RedContainers, cast: Cast): Promise<void> {
  stage.say('Inside mastertest: an address of the pool, and an MTU 50 bytes smaller, for the VXLAN headers.');
  await stage.look(made.mastertest, 'ip', ['address', 'show', 'eth0'], {
    expect: [
      { pattern: / mtu 1450 /, what: 'an MTU of 1450' },
      { pattern: /link\/ether 02:42:0a:00:01:03 /, what: 'the MAC address made of the IPv4 address' },
      { pattern: /inet 10\.0\.1\.3\/24 /, what: 'the address' },
    ],
  });
  stage.say('Its other end is in a namespace of the overlay, with a bridge and the end of the VXLAN tunnel.');
  await stage.look(cast.etcdmaster, 'ip', ['netns', 'list'], {
    grep: cast.lab.prefix,
    expect: [{ pattern: new RegExp(cast.etcdmaster.host.netnsPrefix), what: "the overlay's namespace" }],
  });
  await stage.look(made.overlay, 'ip', ['-brief', 'address'], {
    expect: [
      { pattern: /^br0\s.*10\.0\.1\.1\/24/m, what: 'the bridge with the gateway address' },
      { pattern: /^vxlan0\b/m, what: 'the VXLAN interface' },
    ],
  });
  stage.say(
    'The way to miniontest: its MAC address is behind 192.168.2.200, and its address is answered for here.',
  );
  await stage.look(made.overlay, 'bridge', ['fdb', 'show', 'dev', 'vxlan0'], {
    expect: [{ pattern: /^02:42:0a:00:01:02 dst 192\.168\.2\.200 .*self permanent/m, what: 'the FDB entry' }],
  });
  await stage.look(made.overlay, 'ip', ['neighbour', 'show', 'dev', 'vxlan0'], {
    expect: [{ pattern: /^10\.0\.1\.2 lladdr 02:42:0a:00:01:02 PERMANENT/m, what: 'the neighbour' }],
  });
}

/** Chapter 5: a second overlay on the same subnet shares its addresses and none of its traffic. */
import { addContainer, type Cast, namespacePlace } from '../cast.ts';
import type { Stage } from '../stage.ts';
import type { Container } from './containers.ts';
import { idIn } from './networks.ts';

export interface BlueContainers {
  readonly masterblue: Container;
  readonly minionblue: Container;
}

export async function showTenants(stage: Stage, cast: Cast, redId: string): Promise<BlueContainers> {
  const { minion0, etcdmaster } = cast;
  stage.chapter('A second tenant on the same subnet');
  const create = ['network', 'create', '--driver=overlay', '--subnet=10.0.1.0/24', 'overlayblue'];
  const blueId = idIn(await stage.act(etcdmaster, 'weft', create));
  await stage.look(minion0, 'weft', ['network', 'ls'], {
    expect: [
      { pattern: /\soverlayblue\s+overlay\b/, what: 'overlayblue' },
      { pattern: /\soverlayred\s+overlay\b/, what: 'overlayred' },
    ],
  });
  stage.say('Its containers get addresses of the same subnet, and none that is taken:');
  const masterblue = await addContainer(stage, etcdmaster, 'masterblue');
  await stage.act(
    etcdmaster,
    'weft',
    ['network', 'connect', '--name', 'masterblue', 'overlayblue', masterblue.netns],
    {
      expect: [{ pattern: /^10\.0\.1\.(?![123]\/)\d+\/24 /, what: 'a free address of the shared pool' }],
    },
  );
  const minionblue = await addContainer(stage, minion0, 'minionblue');
  await stage.act(
    minion0,
    'weft',
    ['network', 'connect', '--name', 'minionblue', 'overlayblue', minionblue.netns],
    {
      expect: [{ pattern: /^10\.0\.1\.(?![123]\/)\d+\/24 /, what: 'a free address of the shared pool' }],
    },
  );
  stage.say('They reach each other...');
  await stage.act(minionblue, 'ping', ['-c', '3', '-i', '0.2', 'masterblue'], {
    expect: [
      { pattern: /3 packets transmitted, 3 received, 0% packet loss/, what: 'three answers of three' },
    ],
  });
  stage.say('...and not the other tenant, neither by address nor by name:');
  await stage.act(minionblue, 'ping', ['-c', '2', '-W', '1', '10.0.1.3'], {
    fails: true,
    expect: [{ pattern: /100% packet loss/, what: 'that nobody answers' }],
  });
  await stage.act(minionblue, 'ping', ['-c', '1', 'mastertest'], {
    fails: true,
    expect: [{ pattern: /mastertest/, what: 'that the name is unknown' }],
  });
  stage.say('Each overlay has a VXLAN network identifier of its own:');
  for (const [name, id, vni] of [
    ['overlayred', redId, 256],
    ['overlayblue', blueId, 257],
  ] as const) {
    const overlay = namespacePlace(`${name}@etcdmaster`, `${etcdmaster.host.netnsPrefix}${id.slice(0, 10)}`);
    await stage.look(overlay, 'ip', ['-details', 'link', 'show', 'vxlan0'], {
      grep: 'vxlan id',
      expect: [{ pattern: new RegExp(`vxlan id ${vni} `), what: `VNI ${vni}` }],
    });
  }
  return { masterblue, minionblue };
}

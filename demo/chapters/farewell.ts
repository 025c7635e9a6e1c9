/** Chapter 7: everything goes, and nothing is left. */
import { leftovers } from '../../lab/claim.ts';
import { type Cast, machine } from '../cast.ts';
import { type Stage, StepFailed } from '../stage.ts';
import type { RedContainers } from './containers.ts';
import type { BlueContainers } from './tenants.ts';

export async function showFarewell(
  stage: Stage,
  cast: Cast,
  { miniontest, mastertest, masterblue, minionblue }: RedContainers & BlueContainers,
): Promise<void> {
  const { minion0, etcdmaster } = cast;
  stage.chapter('Leaving');
  await stage.act(minion0, 'weft', ['network', 'disconnect', 'overlayred', miniontest.netns]);
  await stage.act(minion0, 'weft', ['network', 'disconnect', 'overlayblue', minionblue.netns]);
  await stage.act(etcdmaster, 'weft', ['network', 'disconnect', 'overlayred', mastertest.netns]);
  await stage.act(etcdmaster, 'weft', ['network', 'disconnect', 'overlayblue', masterblue.netns]);
  await stage.act(minion0, 'weft', ['network', 'rm', 'overlayred', 'overlayblue']);
  stage.say("No namespace of weft's is left on either host:");
  await stage.look(machine, 'ip', ['netns', 'list'], {
    grep: cast.lab.prefix,
    expect: [minion0, etcdmaster].map(({ host }) => ({
      pattern: new RegExp(`^${host.netnsPrefix}`, 'm'),
      what: `a namespace of ${host.name}'s overlays`,
      absent: true,
    })),
  });
}

/** After `Cast.leave`: what the demo itself made is gone too. */
export function checkNothingLeft(stage: Stage, prefix: string): void {
  const left = leftovers(prefix);
  if (left.length > 0) throw new StepFailed(`the demo left behind: ${left.join(', ')}`);
  stage.note('the hosts, containers, daemons and files of the demo are removed');
}

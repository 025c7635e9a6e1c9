/** All networks, with whether anything is on them: two questions to the daemon, of which the second is asked on demand. */
import type { Answer } from '../../../api/index.ts';
import type { Context } from '../../context.ts';
import type { UsedNetwork } from './filters.ts';

export interface UsedNetworks {
  readonly list: Answer<'listNetworks'>;
  readonly networks: readonly UsedNetwork[];
}

/** @param wantsUse whether it matters who is on them; where it does not, all are said to be in use */
export async function usedNetworks(context: Context, wantsUse: boolean): Promise<UsedNetworks> {
  const list = await context.call('listNetworks');
  const endpoints = wantsUse ? (await context.call('listEndpoints')).items : undefined;
  const used = new Set(endpoints?.map(({ network }) => network));
  const networks = list.items.map((network) => ({
    network,
    isUsed: endpoints === undefined || used.has(network.id),
  }));
  return { list, networks };
}

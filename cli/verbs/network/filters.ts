/** What networks can be told apart by, in Docker's words. */
import type { NetworkView } from '../../../api/index.ts';
import { exactly, type FilterKeys, labelled, notLabelled, oneOf, partOf } from '../../filters.ts';
import { parseMoment } from '../../output/time.ts';

/** A network, and whether anything is on it. */
export interface UsedNetwork {
  readonly network: NetworkView;
  readonly isUsed: boolean;
}

const isDangling = ({ network, isUsed }: UsedNetwork): boolean => !isUsed && !network.predefined;

export const listFilters: FilterKeys<UsedNetwork> = {
  dangling: oneOf('dangling', { true: isDangling, false: (item) => !isDangling(item) }),
  driver: exactly(({ network }) => network.driver),
  id: partOf(({ network }) => network.id),
  label: labelled(({ network }) => network.labels),
  name: partOf(({ network }) => network.name),
  scope: oneOf('scope', {
    global: ({ network }) => network.scope === 'global',
    local: ({ network }) => network.scope === 'local',
  }),
  type: oneOf('type', {
    builtin: ({ network }) => network.predefined,
    custom: ({ network }) => !network.predefined,
  }),
};

export const pruneFilters: FilterKeys<UsedNetwork> = {
  label: labelled(({ network }) => network.labels),
  'label!': notLabelled(({ network }) => network.labels),
  /** Made before it: a moment, or how long ago. */
  until: {
    read: (text) => {
      const moment = parseMoment('--filter until', text);
      return ({ network }) => network.created.at < moment;
    },
  },
};

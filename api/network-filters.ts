/** What networks can be told apart by, in Docker's words. */
import { WeftError } from '../core/errors.ts';
import { exactly, type FilterKeys, labelled, notLabelled, oneOf, partOf } from './filters.ts';
import { momentAdvice, momentOf } from './moment.ts';
import type { NetworkView } from './schemas/network.ts';

/** A network, and whether anything is on it. */
export interface UsedNetwork {
  readonly network: NetworkView;
  readonly isUsed: () => boolean;
}

const isDangling = ({ network, isUsed }: UsedNetwork): boolean => !network.predefined && !isUsed();

/** Of prune, which takes nothing but what nobody is on. */
export const pruneFilters: FilterKeys<UsedNetwork> = {
  label: labelled(({ network }) => network.labels),
  'label!': notLabelled(({ network }) => network.labels),
  /** Made before it: a moment, or how long ago by the clock of who carries it out. */
  until: {
    read: (text) => {
      const moment = momentOf(text, Date.now());
      if (moment === undefined) {
        const message = `filter until ${JSON.stringify(text)} is no time: ${momentAdvice('until=')}`;
        throw new WeftError('malformed', message);
      }
      return ({ network }) => network.created.at < moment;
    },
  },
};

/** Of the list: those of prune too, so that what it would remove can be seen before. */
export const networkFilters: FilterKeys<UsedNetwork> = {
  ...pruneFilters,
  dangling: oneOf('dangling', { true: isDangling, false: (item) => !isDangling(item) }),
  driver: exactly(({ network }) => network.driver),
  id: partOf(({ network }) => network.id),
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

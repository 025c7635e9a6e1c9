/** The log, by the URL of its store. Opening it is the controller's: a store that is down must not keep us from starting. */
import { ContainerModule } from 'inversify';
import { openLog } from '../../adapters/open-log.ts';
import { tokens } from '../tokens.ts';

export const storeModule = new ContainerModule(({ bind }) => {
  bind(tokens.log)
    .toResolvedValue(
      ({ store, secrets }, clock, random, logger) => openLog(store, { clock, random, logger, secrets }),
      [tokens.configuration, tokens.clock, tokens.random, tokens.logger],
    )
    .inSingletonScope();
  bind(tokens.logService)
    .toResolvedValue(
      (log) => {
        return { name: 'log', start: async () => undefined, stop: () => log.close() };
      },
      [tokens.log],
    )
    .inSingletonScope();
});

/** Time, chance and log lines of the real machine. */
import { ContainerModule } from 'inversify';
import { SystemClock } from '../../adapters/system/clock.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { tokens } from '../tokens.ts';

export const systemModule = new ContainerModule(({ bind }) => {
  bind(tokens.clock).toConstantValue(new SystemClock());
  bind(tokens.random).toConstantValue(new SystemRandom());
  bind(tokens.logger)
    .toResolvedValue(
      ({ logLevel, host }) => createLogger({ level: logLevel }).child({ host }),
      [tokens.configuration],
    )
    .inSingletonScope();
});

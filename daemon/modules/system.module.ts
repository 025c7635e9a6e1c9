/** Time, chance, compression and log lines of the real machine. */
import { ContainerModule } from 'inversify';
import { SystemClock } from '../../adapters/system/clock.ts';
import { GzipCompression } from '../../adapters/system/compression.ts';
import { createLogger } from '../../adapters/system/logger.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { RecentLines } from '../recent-lines.ts';
import { tokens } from '../tokens.ts';

export const systemModule = new ContainerModule(({ bind }) => {
  bind(tokens.clock).toConstantValue(new SystemClock());
  bind(tokens.compression).toConstantValue(new GzipCompression());
  bind(tokens.random).toConstantValue(new SystemRandom());
  bind(tokens.recentLines).toConstantValue(new RecentLines());
  bind(tokens.logger)
    .toResolvedValue(
      ({ logLevel, host }, recent) =>
        createLogger({ level: logLevel, onLine: (line) => recent.push(line) }).child({ host }),
      [tokens.configuration, tokens.recentLines],
    )
    .inSingletonScope();
});

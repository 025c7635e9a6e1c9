/** The log, by the URL of its store, and the archive of this host. Opening it is the controller's: a store that is down must not keep us from starting. */
import { join } from 'node:path';
import { ContainerModule } from 'inversify';
import { DirectoryArchive } from '../../adapters/archive/directory-archive.ts';
import { nodeFileSystem } from '../../adapters/file/node-file-system.ts';
import { openLog } from '../../adapters/open-log.ts';
import { archiveFolder } from '../defaults.ts';
import { tokens } from '../tokens.ts';

export const storeModule = new ContainerModule(({ bind }) => {
  bind(tokens.log)
    .toResolvedValue(
      ({ store, secrets }, clock, random, logger) => openLog(store, { clock, random, logger, secrets }),
      [tokens.configuration, tokens.clock, tokens.random, tokens.logger],
    )
    .inSingletonScope();
  bind(tokens.archive)
    .toResolvedValue(
      ({ dataDir, archiveMib }) => {
        const options = { directory: join(dataDir, archiveFolder), bytesMax: archiveMib * 1_024 * 1_024 };
        return new DirectoryArchive(options, nodeFileSystem);
      },
      [tokens.configuration],
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

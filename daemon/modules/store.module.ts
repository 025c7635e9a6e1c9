/** The log, by the URL of its store, and the archive of this host. Opening it is the controller's: a store that is down must not keep us from starting. */
import { join } from 'node:path';
import { ContainerModule } from 'inversify';
import { DirectoryArchive } from '../../adapters/archive/directory-archive.ts';
import { nodeFileSystem } from '../../adapters/file/node-file-system.ts';
import { openLog } from '../../adapters/open-log.ts';
import { CurrentLog } from '../../core/succession/current-log.ts';
import { archiveFolder } from '../defaults.ts';
import { FileLogMemory } from '../log-memory.ts';
import { secretsFor } from '../store-secrets.ts';
import { tokens } from '../tokens.ts';

export const storeModule = new ContainerModule(({ bind }) => {
  bind(tokens.connect)
    .toResolvedValue(
      (configuration, clock, random, logger) => async (url: string) => {
        const ports = { clock, random, logger };
        return await openLog(url, { ...ports, secrets: await secretsFor(url, configuration, ports) });
      },
      [tokens.configuration, tokens.clock, tokens.random, tokens.logger],
    )
    .inSingletonScope();
  bind(tokens.logMemory)
    .toResolvedValue(
      async ({ store, dataDir }, connect) => FileLogMemory.load(dataDir, (await connect(store)).url),
      [tokens.configuration, tokens.connect],
    )
    .inSingletonScope();
  bind(tokens.log)
    .toResolvedValue(
      async ({ store }, connect, memory) => {
        // As the operator wrote it, where it is that one.
        const url =
          memory.last === undefined || memory.last.url === memory.configuredUrl ? store : memory.last.url;
        return new CurrentLog(await connect(url));
      },
      [tokens.configuration, tokens.connect, tokens.logMemory],
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

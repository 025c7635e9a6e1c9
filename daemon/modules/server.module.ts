/** The API on its socket. */
import { ContainerModule } from 'inversify';
import { version } from '../../api/index.ts';
import { requestGraceMs } from '../defaults.ts';
import { selfAccount } from '../self-account.ts';
import { ApiServer } from '../server/api-server.ts';
import { tokens } from '../tokens.ts';

export const serverModule = new ContainerModule(({ bind }) => {
  bind(tokens.apiService)
    .toResolvedValue(
      (control, log, peerUid, logger, configuration, recentLines) => {
        const { socket, host } = configuration;
        const self = selfAccount(configuration, log, recentLines);
        return new ApiServer(
          { control, log, peerUid, logger, self },
          { socket, host, version, graceMs: requestGraceMs },
        );
      },
      [
        tokens.controller,
        tokens.log,
        tokens.peerUid,
        tokens.logger,
        tokens.configuration,
        tokens.recentLines,
      ],
    )
    .inSingletonScope();
});

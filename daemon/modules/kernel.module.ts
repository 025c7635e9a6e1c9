/** The machine's network. */
import { ContainerModule } from 'inversify';
import { LinuxKernel } from '../../kernel/linux-kernel.ts';
import { peerUid } from '../../kernel/peer-credentials.ts';
import { tokens } from '../tokens.ts';

export const kernelModule = new ContainerModule(({ bind }) => {
  bind(tokens.kernel)
    .toResolvedValue(
      ({ netnsPrefix }, logger, clock) => new LinuxKernel({ netnsPrefix }, { logger, clock }),
      [tokens.configuration, tokens.logger, tokens.clock],
    )
    .inSingletonScope();
  bind(tokens.underlay)
    .toResolvedValue(
      ({ advertise }, kernel) => kernel.underlay(advertise),
      [tokens.configuration, tokens.kernel],
    )
    .inSingletonScope();
  bind(tokens.peerUid).toConstantValue(peerUid);
  bind(tokens.kernelService)
    .toResolvedValue(
      (kernel) => {
        return { name: 'kernel', start: async () => undefined, stop: () => kernel.close() };
      },
      [tokens.kernel],
    )
    .inSingletonScope();
});

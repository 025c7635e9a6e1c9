/** The controller with the drivers that it compiles by. */
import { ContainerModule } from 'inversify';
import { version } from '../../api/index.ts';
import { Controller } from '../../core/controller/controller.ts';
import { drivers } from '../../drivers/index.ts';
import { ControllerService } from '../controller-service.ts';
import { tokens } from '../tokens.ts';

export const controlModule = new ContainerModule(({ bind }) => {
  bind(tokens.drivers).toConstantValue(drivers);
  bind(tokens.controller)
    .toResolvedValue(
      (log, connect, memory, kernel, ...rest) => {
        const [clock, random, logger, compression, archive, byName, configuration, claim, { mtu }] = rest;
        const { host, advertise: address, netnsPrefix, gatewaySubnet } = configuration;
        const { hostGraceMs, hostRetentionMs } = configuration;
        const { acceptInForeignChains, acceptForeignVteps, hasDefaultBridge } = configuration;
        const patience = { graceMs: hostGraceMs, retentionMs: hostRetentionMs };
        const ports = {
          log,
          connect,
          memory,
          kernel,
          clock,
          random,
          logger,
          compression,
          archive,
          drivers: byName,
        };
        const self = { host, address, identity: claim.identity, mtu, version, netnsPrefix };
        const gateway = gatewaySubnet === undefined ? {} : { gatewaySubnet };
        const allowed = { acceptInForeignChains, acceptForeignVteps, hasDefaultBridge };
        return new Controller(ports, { ...self, ...gateway, ...patience, ...allowed });
      },
      [
        tokens.log,
        tokens.connect,
        tokens.logMemory,
        tokens.kernel,
        tokens.clock,
        tokens.random,
        tokens.logger,
        tokens.compression,
        tokens.archive,
        tokens.drivers,
        tokens.configuration,
        tokens.claim,
        tokens.underlay,
      ],
    )
    .inSingletonScope();
  bind(tokens.controllerService)
    .toResolvedValue((controller) => new ControllerService(controller), [tokens.controller])
    .inSingletonScope();
});

/**
 * The composition root: the one place where implementations meet ports. Bindings are factories, without decorators, so
 * no class outside this folder knows of the container; constructors are ordinary and are called by tests as they are.
 */
import { Container } from 'inversify';
import type { Configuration } from './configuration/configuration.ts';
import type { MachineClaim } from './machine-claim.ts';
import { controlModule } from './modules/control.module.ts';
import { kernelModule } from './modules/kernel.module.ts';
import { serverModule } from './modules/server.module.ts';
import { storeModule } from './modules/store.module.ts';
import { systemModule } from './modules/system.module.ts';
import { tokens } from './tokens.ts';

/** What there is before anything is claimed: time, chance and log lines. */
export function createContainer(configuration: Configuration): Container {
  const container = new Container();
  container.bind(tokens.configuration).toConstantValue(configuration);
  container.load(systemModule);
  return container;
}

/** All the rest. Nothing is made until it is asked for, and then once. */
export function completeContainer(container: Container, claim: MachineClaim): void {
  container.bind(tokens.claim).toConstantValue(claim);
  container.load(storeModule, kernelModule, controlModule, serverModule);
}

/** Every mutant, in the order of the table. */
import { adapterMutants } from './list/adapters.ts';
import { consulMutants } from './list/consul.ts';
import { controllerMutants } from './list/controller.ts';
import { dataplaneMutants } from './list/dataplane.ts';
import { desiredMutants } from './list/desired.ts';
import { foldMutants } from './list/fold.ts';
import { ipamMutants } from './list/ipam.ts';
import { logMutants } from './list/log.ts';
import { presenceMutants } from './list/presence.ts';
import { reconcileMutants } from './list/reconcile.ts';
import { snapshotMutants } from './list/snapshots.ts';
import { successionMutants } from './list/succession.ts';
import { zookeeperMutants } from './list/zookeeper.ts';
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...logMutants,
  ...adapterMutants,
  ...consulMutants,
  ...zookeeperMutants,
  ...snapshotMutants,
  ...successionMutants,
  ...presenceMutants,
  ...foldMutants,
  ...ipamMutants,
  ...controllerMutants,
  ...desiredMutants,
  ...dataplaneMutants,
  ...reconcileMutants,
];

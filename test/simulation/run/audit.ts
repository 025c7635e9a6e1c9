/** A fresh replica, from the newest snapshot or from the beginning, folds the log by production code, and must come to the same. */
import { Replica } from '../../../core/controller/replica.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import { PlainCompression } from '../../support/plain-compression.ts';
import { QuietLogger } from '../../support/quiet-logger.ts';
import { ReplicaMonitor } from '../monitors/replica-monitor.ts';
import type { Truth } from '../monitors/truth.ts';
import { Violation } from '../monitors/violation.ts';
import { Link } from '../store/link.ts';
import type { Stores } from '../store/stores.ts';
import { Process } from '../world/process.ts';
import { ProcessClock } from '../world/process-clock.ts';
import type { World } from '../world/world.ts';

const auditMsMax = 120_000;

export async function audit(world: World, store: Stores, truth: Truth): Promise<void> {
  truth.checkWhole();
  const process = new Process('auditor', world.scheduler);
  const clock = new ProcessClock(world.scheduler, process, { rate: 1, wallOffsetMs: 0 });
  const random = world.chance('auditor random');
  const link = new Link(world, 'auditor', () => undefined);
  const logger = new QuietLogger();
  const log = store.connect({ link, process, clock, random, logger });
  const replica = new Replica({ log, clock, random, logger, compression: new PlainCompression() });
  const monitor = new ReplicaMonitor(world, truth, 'auditor');
  replica.steps$.subscribe((step) => monitor.take(step));
  const scope = cancelScope();
  await world.drive(replica.open(scope.signal), auditMsMax);
  const beganAt = replica.state.ordinal;
  const following = replica.follow(scope.signal);
  await world.drive(replica.catchUp(scope.signal), auditMsMax);
  scope.cancel();
  await world.drive(following, auditMsMax);
  await world.drive(log.close(), auditMsMax);
  const { ordinal, stateHash } = replica.state;
  if (ordinal !== truth.state.ordinal || stateHash !== truth.state.stateHash) {
    throw new Violation('I10', `a fresh replica is at ${ordinal} of ${truth.state.ordinal}, or differs`);
  }
  world.checked(beganAt === 0 ? 'I10' : 'I11');
}

/** The faults: one file each, and here all of them in the order of the table. */
import type { Fault } from '../fault.ts';
import { allKilled } from './all-killed.ts';
import { catchUp } from './catch-up.ts';
import { compaction } from './compaction.ts';
import { connectionLost } from './connection-lost.ts';
import { credentialsChanged } from './credentials-changed.ts';
import { diskFull } from './disk-full.ts';
import { followerKilled } from './follower-killed.ts';
import { foreignKeys } from './foreign-keys.ts';
import { halfOpen } from './half-open.ts';
import { indexReset } from './index-reset.ts';
import { leaderKilled } from './leader-killed.ts';
import { leaderStopped } from './leader-stopped.ts';
import { minorityPartition } from './minority-partition.ts';
import { oversize } from './oversize.ts';
import { restoredBackup } from './restored-backup.ts';
import { sessionExpired } from './session-expired.ts';
import { slowConsumer } from './slow-consumer.ts';
import { storeFull } from './store-full.ts';
import { tombstonesReaped } from './tombstones-reaped.ts';
import { twoProcesses, writersKilled } from './writers-killed.ts';
import { wrongCa } from './wrong-ca.ts';
import { wrongCluster } from './wrong-cluster.ts';
import { wrongCredentials } from './wrong-credentials.ts';
import { wrongRights } from './wrong-rights.ts';

export const faults: readonly Fault[] = [
  leaderKilled,
  followerKilled,
  allKilled,
  leaderStopped,
  minorityPartition,
  halfOpen,
  connectionLost,
  sessionExpired,
  slowConsumer,
  catchUp,
  compaction,
  foreignKeys,
  indexReset,
  tombstonesReaped,
  storeFull,
  diskFull,
  writersKilled,
  twoProcesses,
  wrongCredentials,
  wrongCa,
  credentialsChanged,
  restoredBackup,
  wrongCluster,
  wrongRights,
  oversize,
];

/** The faults: one file each, and here all of them in the order of the table. */
import type { Fault } from '../fault.ts';
import { allKilled } from './all-killed.ts';
import { catchUp } from './catch-up.ts';
import { compaction } from './compaction.ts';
import { connectionLost } from './connection-lost.ts';
import { followerKilled } from './follower-killed.ts';
import { halfOpen } from './half-open.ts';
import { leaderKilled } from './leader-killed.ts';
import { leaderStopped } from './leader-stopped.ts';
import { minorityPartition } from './minority-partition.ts';
import { oversize } from './oversize.ts';
import { sessionExpired } from './session-expired.ts';
import { slowConsumer } from './slow-consumer.ts';

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
  oversize,
];

/** Every fault that is tried, in the order of the table. */
import type { Fault } from './fault.ts';
import { allKilled } from './faults/all-killed.ts';
import { catchUp } from './faults/catch-up.ts';
import { compaction } from './faults/compaction.ts';
import { connectionLost } from './faults/connection-lost.ts';
import { followerKilled } from './faults/follower-killed.ts';
import { halfOpen } from './faults/half-open.ts';
import { leaderKilled } from './faults/leader-killed.ts';
import { leaderStopped } from './faults/leader-stopped.ts';
import { minorityPartition } from './faults/minority-partition.ts';
import { oversize } from './faults/oversize.ts';
import { sessionExpired } from './faults/session-expired.ts';
import { slowConsumer } from './faults/slow-consumer.ts';

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

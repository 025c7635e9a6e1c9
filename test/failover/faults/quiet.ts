import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { draft, never } from '../../support/log-drafts.ts';
import { RunningTail } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import { clusterStores } from '../stores.ts';

const quietMs = 60_000;
/** With the beats of its daemon, 0.4 a second, less than one request a second of each host. */
const askedPerSecondMax = 0.6;

export const quiet: Fault = {
  name: 'quiet',
  what: 'nothing is written for a minute: a tail that waits asks, pings included, less than 0.6 times a second, keeps its connections, and brings what comes then',
  stores: clusterStores,
  roundsAtOnce: true,
  async run(trial) {
    const relays = await trial.relays();
    const sum = (count: (relay: (typeof relays)[number]) => number): number =>
      relays.reduce((total, relay) => total + count(relay), 0);
    const writer = await trial.open();
    const tail = new RunningTail(await trial.open(trial.urlThrough(relays)));
    const [before, after] = [draft('before'), draft('after')];
    await writer.append(before, never());
    await tail.until(1);
    const [asked, taken] = [sum(({ piecesAsked }) => piecesAsked), sum((relay) => relay.connectionsTaken)];
    await sleep(quietMs);
    const perSecond = (1_000 * (sum(({ piecesAsked }) => piecesAsked) - asked)) / quietMs;
    assert.ok(perSecond < askedPerSecondMax, `${perSecond.toFixed(2)} requests a second`);
    const more = sum((relay) => relay.connectionsTaken) - taken;
    // A wait of Consul may end, and the next one go out by another connection.
    assert.ok(more <= relays.length, `${more} more connections`);
    await writer.append(after, never());
    await tail.until(2);
    assert.deepEqual(tail.ids, [before.id, after.id]);
    await tail.stop();
    return undefined;
  },
};

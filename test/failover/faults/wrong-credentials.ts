import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import { assertNoneIn, RealDaemon } from '../real-daemon.ts';
import { clusterStores } from '../stores.ts';
import { makeUsers, usersServers } from '../strangers/users.ts';

const watchedMs = 6_000;
/** A daemon tries on at a growing pace: about six times in that time, at each of three servers perhaps. */
const connectionsMax = 30;

export const wrongCredentials: Fault = {
  name: 'wrong-credentials',
  what: 'a daemon with a wrong password or token: it says so, asks at a growing pace and tells no secret, in no line, answer, bundle or argument; once the right one is in the file it is at work',
  stores: clusterStores,
  servers: usersServers,
  freshServers: true,
  needsNetwork: true,
  async run(trial) {
    const users = await makeUsers(trial);
    await trial.open(trial.url, users.right);
    assert.equal(await codeOf(trial.open(trial.url, users.wrong)), 'store-auth');
    const relays = await trial.relays();
    const daemon = await RealDaemon.start(trial, trial.urlThrough(relays), users.settings.wrong);
    await daemon.untilSaid(/authentication failed|password|token|refuse/i);
    await sleep(watchedMs);
    const taken = relays.reduce((sum, relay) => sum + relay.connectionsTaken, 0);
    assert.ok(taken > 0 && taken <= connectionsMax, `${taken} connections`);
    const { phase, store } = await daemon.client.call('status');
    assert.deepEqual([phase, store.reachable], ['opening', false], JSON.stringify(store));
    daemon.assertNoSecrets(users.secrets);
    assertNoneIn(JSON.stringify(store), users.secrets);
    await daemon.assertAnswersNoSecrets(users.secrets);
    await copyFile(join(trial.folder, 'right'), join(trial.folder, 'wrong'));
    await daemon.untilRunning();
    await daemon.assertAnswersNoSecrets(users.secrets);
    daemon.assertNoSecrets(users.secrets);
    return undefined;
  },
};

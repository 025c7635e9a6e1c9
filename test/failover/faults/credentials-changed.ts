import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWeftError } from '../../../core/errors.ts';
import { draft, never } from '../../support/log-drafts.ts';
import { codeOf, eventually, RunningTail } from '../../support/log-trials.ts';
import type { Fault } from '../fault.ts';
import type { Judgement } from '../judge.ts';
import { clusterStores } from '../stores.ts';
import { makeUsers, type Users, usersServers } from '../strangers/users.ts';
import type { Trial } from '../trial.ts';

const connectionsMax = 12;

export const credentialsChanged: Fault = {
  name: 'credentials-changed',
  what: 'the password (etcd) or token (Consul) is changed under load, and then every connection is lost; for ZooKeeper, whose nodes stay with a password, the file holds a wrong one for a while',
  stores: clusterStores,
  servers: usersServers,
  freshServers: true,
  async run(trial) {
    const users = await makeUsers(trial);
    return trial.store === 'zookeeper' ? await spoilFile(trial, users) : await rotate(trial, users);
  },
};

async function rotate(trial: Trial, users: Users): Promise<Judgement> {
  const relays = await trial.relays();
  const url = trial.urlThrough(relays);
  return await trial.underLoad({ open: () => trial.open(url, users.right) }, async (load) => {
    await load.untilAcked(300);
    await users.rotate();
    await load.untilMore(300);
    for (const relay of relays) relay.cut();
    await load.untilMore(300);
  });
}

async function spoilFile(trial: Trial, users: Users): Promise<undefined> {
  const relays = await trial.relays();
  const log = await trial.open(trial.urlThrough(relays), users.right);
  const tail = new RunningTail(log);
  trial.atEnd(() => tail.stop());
  await log.append(draft(), never());
  await tail.until(1);
  const taken = () => relays.reduce((sum, relay) => sum + relay.connectionsTaken, 0);
  const before = taken();
  const file = users.right.auth?.passwordFile ?? join(trial.folder, 'right');
  const [, , guess = ''] = users.secrets;
  await writeFile(file, `${guess}\n`);
  for (const relay of relays) relay.cut();
  assert.ok(isWeftError(await tail.ended, 'store-auth'));
  assert.equal(await codeOf(log.append(draft(), never())), 'store-auth');
  assert.ok(taken() - before <= connectionsMax, `${taken() - before} connections`);
  await writeFile(file, `${users.secrets[0]}\n`);
  for (const relay of relays) relay.cut();
  await eventually(() => log.append(draft(), never()));
  return undefined;
}

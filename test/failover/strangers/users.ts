/** Operators who give a tenant's daemons what they identify themselves with, each store in its way. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreSecrets } from '../../../adapters/open-log.ts';
import { never } from '../../support/log-drafts.ts';
import type { ServerOptions } from '../stores.ts';
import type { Trial } from '../trial.ts';
import { ConsulHttp } from './consul-http.ts';
import { EtcdGateway } from './etcd-gateway.ts';

export interface Users {
  readonly right: StoreSecrets;
  readonly wrong: StoreSecrets;
  /** As lines of a daemon's configuration. */
  readonly settings: { readonly right: string; readonly wrong: string };
  /** What must appear nowhere. */
  readonly secrets: readonly string[];
  /** Puts another secret into the file of the right one and makes it valid; the old one is valid no more. */
  rotate(): Promise<void>;
}

const user = 'weft';
const [first, second, guess] = [
  'correct horse battery staple',
  'another horse another staple',
  'a guess of a horse',
];
const managementToken = '5d7a1c52-6a0c-4a3e-9d0a-000000000001';
const wrongToken = '5d7a1c52-6a0c-4a3e-9d0a-00000000dead';

/** Of servers that know users. ZooKeeper needs none: whoever makes nodes says whose they are. */
export function usersServers(): ServerOptions {
  return { consul: { managementToken } };
}

export async function makeUsers(trial: Trial): Promise<Users> {
  await writeFile(join(trial.folder, 'wrong'), `${trial.store === 'consul' ? wrongToken : guess}\n`);
  switch (trial.store) {
    case 'etcd':
      return await inEtcd(trial);
    case 'consul':
      return await inConsul(trial);
    case 'zookeeper':
      return await inZookeeper(trial);
    case 'file':
      throw new Error('The file store has no users');
  }
}

async function inEtcd(trial: Trial): Promise<Users> {
  const gateway = new EtcdGateway(trial.cluster);
  await gateway.enableUsers({ name: user, password: first }, '/failover/');
  return await withPasswords(trial, async () => {
    // The file first: a daemon reads it when the store no longer knows the token that it had for the old one.
    await writeFile(join(trial.folder, 'right'), `${second}\n`);
    await gateway.changePassword({ name: user, password: second });
  });
}

async function inZookeeper(trial: Trial): Promise<Users> {
  const users = await withPasswords(trial, () => {
    throw new Error('The nodes are for the old password: to change it means to change them all');
  });
  await (await trial.open(trial.url, users.right)).open(never());
  return users;
}

async function withPasswords(trial: Trial, rotate: () => Promise<void>): Promise<Users> {
  const [right, wrong] = [join(trial.folder, 'right'), join(trial.folder, 'wrong')];
  await writeFile(right, `${first}\n`);
  const settings = (file: string) => `user: ${user}\npassword-file: ${file}\n`;
  return {
    right: { auth: { user, passwordFile: right } },
    wrong: { auth: { user, passwordFile: wrong } },
    settings: { right: settings(right), wrong: settings(wrong) },
    secrets: [first, second, guess],
    rotate,
  };
}

async function inConsul(trial: Trial): Promise<Users> {
  const operator = new ConsulHttp(trial.cluster, managementToken);
  const put = async (path: string, body: object) => {
    const answer = await operator.request('PUT', path, JSON.stringify(body));
    return (await answer.json()) as { ID: string; SecretID: string; AccessorID: string };
  };
  const rules = 'key_prefix "failover/" { policy = "write" }';
  const policy = await patiently(() => put('/v1/acl/policy', { Name: 'weft', Rules: rules }));
  const [right, wrong] = [join(trial.folder, 'right'), join(trial.folder, 'wrong')];
  const secrets = [managementToken, wrongToken];
  const give = async () => {
    const token = await put('/v1/acl/token', { Policies: [{ ID: policy.ID }] });
    secrets.push(token.SecretID);
    await writeFile(right, `${token.SecretID}\n`);
    return token.AccessorID;
  };
  const old = await give();
  return {
    right: { tokenFile: right },
    wrong: { tokenFile: wrong },
    settings: { right: `token-file: ${right}\n`, wrong: `token-file: ${wrong}\n` },
    secrets,
    rotate: async () => {
      await give();
      await operator.request('DELETE', `/v1/acl/token/${old}`);
    },
  };
}

/** The first changes of access control are refused until the leader has set it up. */
async function patiently<T>(make: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      if (!/bootstrap|legacy|not found|initialized|leader/i.test(String(error))) throw error;
      await sleep(50);
    }
  }
}

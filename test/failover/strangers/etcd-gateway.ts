/** An operator or a stranger at an etcd cluster: its JSON gateway, without the product's client. */
import type { StoreCluster } from '../../../lab/store-cluster.ts';

export class EtcdGateway {
  readonly #cluster: StoreCluster;
  #token: string | undefined;

  constructor(cluster: StoreCluster) {
    this.#cluster = cluster;
  }

  async put(key: string, value: string): Promise<void> {
    await this.#call('kv/put', { key: base64(key), value: base64(value) });
  }

  async deletePrefix(prefix: string): Promise<void> {
    await this.#call('kv/deleterange', { key: base64(prefix), range_end: endOf(prefix) });
  }

  /** Forgets the history up to the newest revision. */
  async compact(): Promise<void> {
    const { header } = await this.#call('kv/range', { key: base64('x') });
    await this.#call('kv/compaction', { revision: header.revision, physical: true });
  }

  /** Gives room back on every member, and takes back the alarm that there was none. */
  async reclaim(): Promise<void> {
    await this.compact();
    for (const { host, clientPort } of this.#cluster.servers)
      await call(`http://${host}:${clientPort}`, 'maintenance/defragment', {});
    const { alarms = [] } = await this.#call('maintenance/alarm', { action: 'GET' });
    for (const alarm of alarms) await this.#call('maintenance/alarm', { ...alarm, action: 'DEACTIVATE' });
  }

  /** Makes a user who may do all below a prefix, and from now on nobody may do anything without being one. */
  async enableUsers(
    user: { readonly name: string; readonly password: string },
    prefix: string,
  ): Promise<void> {
    const root = { name: 'root', password: 'root' };
    const perm = { permType: 'READWRITE', key: base64(prefix), range_end: endOf(prefix) };
    await this.#call('auth/user/add', root);
    await this.#call('auth/role/add', { name: 'root' });
    await this.#call('auth/user/grant', { user: 'root', role: 'root' });
    await this.#call('auth/role/add', { name: 'tenant' });
    await this.#call('auth/role/grant', { name: 'tenant', perm });
    await this.#call('auth/user/add', user);
    await this.#call('auth/user/grant', { user: user.name, role: 'tenant' });
    await this.#call('auth/enable', {});
    this.#token = (await this.#call('auth/authenticate', root)).token;
  }

  async changePassword(user: { readonly name: string; readonly password: string }): Promise<void> {
    await this.#call('auth/user/changepw', user);
  }

  async #call(path: string, body: object): Promise<Answer> {
    const [server] = this.#cluster.servers;
    return await call(`http://${server?.host}:${server?.clientPort}`, path, body, this.#token);
  }
}

interface Answer {
  readonly header: { readonly revision: string };
  readonly token?: string;
  readonly alarms?: readonly { readonly memberID: string; readonly alarm: string }[];
}

/** @throws Error with what the server says */
async function call(server: string, path: string, body: object, token?: string): Promise<Answer> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${server}/v3/${path}`, request);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The first key behind all that begin with the prefix. */
function endOf(prefix: string): string {
  const end = Buffer.from(prefix);
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end.toString('base64');
}

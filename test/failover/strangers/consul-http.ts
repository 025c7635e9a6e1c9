/** An operator or a stranger at a Consul cluster: its HTTP API, without the product's client. */
import type { StoreCluster } from '../../../lab/store-cluster.ts';

export class ConsulHttp {
  readonly #cluster: StoreCluster;
  readonly #token: string | undefined;

  constructor(cluster: StoreCluster, token?: string) {
    this.#cluster = cluster;
    this.#token = token;
  }

  async put(key: string, value: string): Promise<void> {
    await this.request('PUT', `/v1/kv/${key}`, value);
  }

  async delete(key: string): Promise<void> {
    await this.request('DELETE', `/v1/kv/${key}`);
  }

  /** What a tail of that folder waits with (`X-Consul-Index`). */
  async indexOf(folder: string): Promise<number> {
    // One in which nothing is has an index too.
    const answer = await this.#ask('GET', `/v1/kv/${folder}?keys`);
    return Number(answer.headers.get('x-consul-index'));
  }

  /** @throws Error with what the server says */
  async request(method: string, path: string, body?: string): Promise<Response> {
    const answer = await this.#ask(method, path, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  async #ask(method: string, path: string, body?: string): Promise<Response> {
    const { host, clientPort } = await this.#cluster.leader();
    return await fetch(`http://${host}:${clientPort}${path}`, {
      method,
      headers: this.#token === undefined ? {} : { 'x-consul-token': this.#token },
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** Handles on a log in ZooKeeper, and somebody else who writes into its tree. */

import { SystemClock } from '../../adapters/system/clock.ts';
import { type MultiOp, type NodeData, ZookeeperChannel } from '../../adapters/zookeeper/channel.ts';
import { ZookeeperEventLog } from '../../adapters/zookeeper/event-log.ts';
import { parseZookeeperUrl, type ZookeeperOptions } from '../../adapters/zookeeper/options.ts';
import { never } from './log-drafts.ts';
import { LogHandles } from './log-handles.ts';

export class ZookeeperLogs extends LogHandles<ZookeeperEventLog, ZookeeperOptions> {
  constructor() {
    super((url, more, ports) => new ZookeeperEventLog({ ...parseZookeeperUrl(url), ...more }, ports));
  }
}

/** The nodes of a server, without a log's order in mind. */
export class ZookeeperTree {
  readonly #channel: ZookeeperChannel;

  /** @param server with the port of its plain clients' side */
  static async open(
    server: { readonly host: string; readonly clientPort: number },
    more: Partial<ZookeeperOptions> = {},
  ): Promise<ZookeeperTree> {
    const host = { host: server.host, port: server.clientPort };
    const options = { hosts: [host], prefix: '/', ...more };
    return new ZookeeperTree(await ZookeeperChannel.open(host, options, new SystemClock(), never()));
  }

  private constructor(channel: ZookeeperChannel) {
    this.#channel = channel;
  }

  /** @throws Error with the code of the refusal */
  async do(...ops: readonly MultiOp[]): Promise<readonly (string | undefined)[]> {
    const outcome = await this.#channel.multi(ops, never());
    if (outcome.type === 'refused') throw new Error(`operation ${outcome.index}: ${outcome.code}`);
    return outcome.paths;
  }

  async read(path: string): Promise<NodeData | undefined> {
    return await this.#channel.read(path, never());
  }

  async names(path: string): Promise<readonly string[]> {
    return (await this.#channel.children(path, never()))?.names ?? [];
  }

  /** Deletes a node and what lies below it, if it is there. */
  async removeAll(path: string): Promise<void> {
    const children = await this.#channel.children(path, never());
    if (children === undefined) return;
    for (const name of children.names) await this.removeAll(`${path}/${name}`);
    await this.do({ type: 'delete', path });
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }
}

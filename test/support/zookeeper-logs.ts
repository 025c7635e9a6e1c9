/** Handles on a log in ZooKeeper, and somebody else who writes into its tree. */

import { SystemClock } from '../../adapters/system/clock.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { type MultiOp, type NodeData, ZookeeperChannel } from '../../adapters/zookeeper/channel.ts';
import { ZookeeperEventLog } from '../../adapters/zookeeper/event-log.ts';
import { parseZookeeperUrl, type ZookeeperOptions } from '../../adapters/zookeeper/options.ts';
import { never } from './log-drafts.ts';
import { QuietLogger } from './quiet-logger.ts';

/** Opens handles and closes them all, so that a test need not. */
export class ZookeeperLogs {
  readonly logger = new QuietLogger();
  readonly #handles: ZookeeperEventLog[] = [];

  connect(url: string, more: Partial<ZookeeperOptions> = {}): ZookeeperEventLog {
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: this.logger };
    const log = new ZookeeperEventLog({ ...parseZookeeperUrl(url), ...more }, ports);
    this.#handles.push(log);
    return log;
  }

  async open(url: string, more: Partial<ZookeeperOptions> = {}): Promise<ZookeeperEventLog> {
    const log = this.connect(url, more);
    await log.open(never());
    return log;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((log) => log.close()));
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

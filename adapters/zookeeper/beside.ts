/** Nodes beside the log, written whatever is there: each under a check that the log is. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Calls } from './calls.ts';
import type { Channel, MultiOp } from './channel.ts';
import { ZookeeperCallError, zkCode } from './errors.ts';
import { besideTriesMax } from './limits.ts';
import { gone, type LogScope } from './transactions.ts';

/** Of the operations of every write, the one that asks whether the log is there. */
const logOp = 0;

/** What a node is most often when it is put: looked for first. */
export type Expected = 'new' | 'there';

export class Beside {
  readonly #calls: Calls;
  readonly #scope: LogScope;

  constructor(calls: Calls, scope: LogScope) {
    this.#calls = calls;
    this.#scope = scope;
  }

  /**
   * @param folders above it and below the log's own node, the outermost first; made where they are not there
   * @throws ZookeeperCallError; WeftError `log-mismatch`
   */
  async put(
    folders: readonly string[],
    path: string,
    bytes: Uint8Array,
    expected: Expected,
    signal: CancelSignal,
  ): Promise<void> {
    const data = Buffer.from(bytes);
    const create: MultiOp = { type: 'create', path, data };
    const set: MultiOp = { type: 'set', path, data };
    let next = expected === 'new' ? create : set;
    for (let left = besideTriesMax; left > 0; left -= 1) {
      const channel = await this.#calls.channel(signal);
      const code = await this.change(channel, next, signal);
      if (code === zkCode.ok) return;
      if (next === create && code !== zkCode.nodeExists) {
        await this.#calls.prepare(channel, signal, async () => {
          for (const folder of folders) await channel.create(folder, signal);
        });
      } else next = next === create ? set : create;
    }
    throw new ZookeeperCallError('not-sent', `others removed ${path} ${besideTriesMax} times meanwhile`);
  }

  /** The code of its refusal, or that of success. @throws ZookeeperCallError; WeftError `log-mismatch` */
  async change(channel: Channel, op: MultiOp, signal: CancelSignal): Promise<number> {
    const ops: readonly MultiOp[] = [{ type: 'check', path: this.#scope.paths.open }, op];
    const outcome = await this.#calls.exchange(channel, () => channel.multi(ops, signal));
    if (outcome.type === 'done') return zkCode.ok;
    if (outcome.index !== logOp) return outcome.code;
    throw await this.#calls.prepare(channel, signal, () => gone(this.#scope, channel, signal));
  }
}

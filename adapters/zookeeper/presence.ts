/** Beats beside a log in ZooKeeper: a node each. None is ephemeral, since that would be the affair of sessions. */
import type { PresenceStore, StoredBeat } from '../../core/log/presence-store.ts';
import type { BootId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireBeatFits } from '../beat-bounds.ts';
import { Beside } from './beside.ts';
import type { Calls } from './calls.ts';
import { isBootId } from './keys.ts';
import type { LogScope } from './transactions.ts';

export class ZookeeperPresence implements PresenceStore {
  readonly #calls: Calls;
  /** Of the log that was opened. @throws WeftError `closed` */
  readonly #opened: () => LogScope;

  constructor(calls: Calls, opened: () => LogScope) {
    this.#calls = calls;
    this.#opened = opened;
  }

  async put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireBeatFits(bytes);
    const scope = this.#opened();
    const { beats, beat } = scope.paths;
    await this.#calls.write(signal, 'write a beat beside the log at', (call) =>
      new Beside(this.#calls, scope).put([beats], beat(boot), bytes, 'there', call),
    );
  }

  async list(signal: CancelSignal): Promise<readonly StoredBeat[]> {
    const scope = this.#opened();
    return await this.#calls.read(scope, signal, 'read the beats at', async (channel, call) => {
      const found = await channel.children(scope.paths.beats, call);
      const beats = (found?.names ?? []).filter(isBootId).map(async (boot) => {
        const node = await channel.read(scope.paths.beat(boot), call);
        return node === undefined ? [] : [{ boot, bytes: Uint8Array.from(node.data) }];
      });
      return (await Promise.all(beats)).flat();
    });
  }

  async drop(boot: BootId, signal: CancelSignal): Promise<void> {
    const scope = this.#opened();
    await this.#calls.write(signal, 'drop a beat beside the log at', async (call) => {
      const channel = await this.#calls.channel(call);
      // Refused where there is none, which is as well.
      await new Beside(this.#calls, scope).change(
        channel,
        { type: 'delete', path: scope.paths.beat(boot) },
        call,
      );
    });
  }
}

/** Beats beside the log: a key each (keys.ts). */
import type { PresenceStore, StoredBeat } from '../../core/log/presence-store.ts';
import type { BootId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireBeatFits } from '../beat-bounds.ts';
import type { Calls } from './calls.ts';
import type { Connection } from './connection.ts';
import type { FencedWrites } from './fenced-writes.ts';
import { readFenced } from './reads.ts';
import { encode, type LogScope } from './transactions.ts';

export class ConsulPresence implements PresenceStore {
  readonly #calls: Calls;
  readonly #connection: Connection;
  readonly #writes: FencedWrites;
  readonly #opened: () => LogScope;

  /** @param opened the log; throws where it is not open */
  constructor(calls: Calls, connection: Connection, writes: FencedWrites, opened: () => LogScope) {
    this.#calls = calls;
    this.#connection = connection;
    this.#writes = writes;
    this.#opened = opened;
  }

  async put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    const { keys } = this.#opened();
    requireBeatFits(bytes);
    const set = { Verb: 'set', Key: keys.beat(boot), Value: encode(bytes) } as const;
    await this.#writes.write('write a beat to', set, signal);
  }

  /** The identity comes by a read of its own, after: a store that was wiped in between is found out. */
  async list(signal: CancelSignal): Promise<readonly StoredBeat[]> {
    const scope = this.#opened();
    return await this.#calls.read('read the beats at', signal, async (live) => {
      const { found } = await this.#connection.read(live, (member, limits) =>
        member.list(scope.keys.beats, { consistent: true }, limits),
      );
      await readFenced(scope, this.#connection, [], live);
      return found.flatMap(({ key, value }) => {
        const boot = scope.keys.bootOf(key);
        return boot === undefined ? [] : [{ boot, bytes: Uint8Array.from(value) }];
      });
    });
  }

  async drop(boot: BootId, signal: CancelSignal): Promise<void> {
    const { keys } = this.#opened();
    // Of a tree that is one key: it is no error where there is none.
    await this.#writes.write('drop a beat at', { Verb: 'delete-tree', Key: keys.beat(boot) }, signal);
  }
}

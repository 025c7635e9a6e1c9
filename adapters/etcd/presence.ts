/** Beats beside the log: a key each (keys.ts). */
import type { PresenceStore, StoredBeat } from '../../core/log/presence-store.ts';
import type { BootId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { requireBeatFits } from '../beat-bounds.ts';
import type { LogKeys } from './keys.ts';
import { beatsPerRead } from './limits.ts';
import type { Requests } from './requests.ts';
import { assertFence, fencedWrite, kvsOf } from './transactions.ts';

export class EtcdPresence implements PresenceStore {
  readonly #keys: LogKeys;
  readonly #requests: Requests;

  constructor(keys: LogKeys, requests: Requests) {
    this.#keys = keys;
    this.#requests = requests;
  }

  async put(boot: BootId, bytes: Uint8Array, signal: CancelSignal): Promise<void> {
    requireBeatFits(bytes);
    const scope = this.#requests.scope();
    const put = { request_put: { key: this.#keys.beat(boot), value: Buffer.from(bytes) } };
    assertFence(scope, await this.#requests.write(fencedWrite(scope, [put]), signal, 'write a beat to'));
  }

  async list(signal: CancelSignal): Promise<readonly StoredBeat[]> {
    const found: StoredBeat[] = [];
    let { start } = this.#keys.beats;
    for (;;) {
      const range = { key: start, range_end: this.#keys.beats.end, limit: beatsPerRead };
      const answer = await this.#requests.read([{ request_range: range }], signal, 'read the beats at');
      const kvs = kvsOf(answer, 0);
      for (const { key, value } of kvs) {
        const boot = this.#keys.bootOf(key);
        if (boot !== undefined) found.push({ boot, bytes: Uint8Array.from(value) });
      }
      const last = kvs.at(-1)?.key;
      if (last === undefined || kvs.length < beatsPerRead) return found;
      start = Buffer.concat([last, Buffer.alloc(1)]);
    }
  }

  async drop(boot: BootId, signal: CancelSignal): Promise<void> {
    const scope = this.#requests.scope();
    const drop = { request_delete_range: { key: this.#keys.beat(boot) } };
    assertFence(scope, await this.#requests.write(fencedWrite(scope, [drop]), signal, 'drop a beat at'));
  }
}

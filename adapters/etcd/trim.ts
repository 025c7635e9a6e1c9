/**
 * Trimming: the floor is put, then the keys behind it are deleted, page by page.
 *
 * Any number of hosts may do so at once, and one may die at any point: the floor is put under the comparison of what was
 * read, so it never moves back, and deleting what is behind it can be taken up by anyone. A key is deleted only if it was
 * created behind the floor, so one that its author puts once more meanwhile stays.
 *
 * etcd keeps what was deleted until its history is compacted. Compaction is of the whole cluster, and would take the history
 * away from whatever else lives there, so it is left to who runs it: with `--auto-compaction-mode=periodic
 * --auto-compaction-retention=10m` what is trimmed makes room within minutes. Compacting does not disturb the log: its tails
 * read by range on the present keys, and open a watch again where its start was compacted.
 */

import { type WeftError } from '../../core/errors.ts';
import type { Position } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Logger } from '../../core/ports/logger.ts';
import { ahead, mismatch, refusePosition } from '../log-faults.ts';
import type { Connection } from './connection.ts';
import { EtcdCallError, readError } from './errors.ts';
import { floorOf } from './floor.ts';
import { callDeadlineMs, deletesMax, listDeadlineMsMax, listKeysMax } from './limits.ts';
import type { Requests } from './requests.ts';
import {
  assertFence,
  assertIdentity,
  deleteRequest,
  type EntryMark,
  fencedRead,
  floorRequest,
  headOf,
  kvsOf,
  type LogScope,
  parsePosition,
  readKey,
} from './transactions.ts';

const what = 'trim the log at';

interface Standing {
  readonly floor: EntryMark;
  /** Of the floor's key; 0 when there is none. */
  readonly modRevision: number | string;
}

export class Trimming {
  readonly #scope: LogScope;
  readonly #requests: Requests;
  readonly #connection: Connection;
  readonly #logger: Logger;
  /** Deadline of the next listing; see `listDeadlineMsMax`. */
  #listDeadlineMs = callDeadlineMs;

  constructor(requests: Requests, connection: Connection, logger: Logger) {
    this.#scope = requests.scope();
    this.#requests = requests;
    this.#connection = connection;
    this.#logger = logger;
  }

  /** @throws WeftError as `EventLog.trim`, and `store-full` */
  async trim(upTo: Position, signal: CancelSignal): Promise<void> {
    using call = this.#requests.call(signal);
    const mark = parsePosition(upTo) ?? refusePosition(this.#scope.url, upTo);
    const floor = await this.#raise(mark, call.signal);
    if (floor.revision === 0) return;
    try {
      await this.#sweep(floor, call.signal);
    } catch (error) {
      // The log is trimmed; what is left takes up room until the next trim, of whatever host.
      if (!(error instanceof EtcdCallError)) throw error;
      this.#logger.warn('not everything that was trimmed could be deleted; the next trim goes on', {
        url: this.#scope.url,
        reason: error.message,
      });
    }
  }

  /** Puts the floor unless it is there or higher already, and says where it is. */
  async #raise(mark: EntryMark, signal: CancelSignal): Promise<EntryMark> {
    for (let isVerified = false; ; isVerified = true) {
      const { floor, modRevision } = await this.#look(mark, signal);
      if (mark.revision <= floor.revision) return floor;
      if (!isVerified) await this.#verify(mark, signal);
      const request = floorRequest(this.#scope, mark, modRevision);
      // Where it is refused, another host has moved it, or the store holds another log: the next look says.
      if ((await this.#requests.write(request, signal, what)).succeeded) return mark;
    }
  }

  async #look(mark: EntryMark, signal: CancelSignal): Promise<Standing> {
    const { keys, url } = this.#scope;
    const answer = await this.#requests.read([readKey(keys.head), readKey(keys.floor)], signal, what);
    const head = headOf(this.#scope, kvsOf(answer, 0)[0]);
    const kv = kvsOf(answer, 1)[0];
    const floor = floorOf(this.#scope, kv);
    if (mark.revision > head.revision) throw ahead(url, mark.revision);
    if (mark.revision === floor.revision && mark.id !== floor.id) throw this.#foreign(mark);
    return { floor, modRevision: kv?.mod_revision ?? 0 };
  }

  /** The position must be that of an entry; its key is not known, as that has its author's base in it. */
  async #verify(mark: EntryMark, signal: CancelSignal): Promise<void> {
    const bounds = { min_create_revision: mark.revision, max_create_revision: mark.revision };
    const { keys } = await this.#list(bounds, signal).catch((error: unknown) => {
      this.#requests.assertLive();
      throw error instanceof EtcdCallError ? readError(error, what, this.#scope.url) : error;
    });
    if (keys.some((key) => this.#scope.keys.entryIdOf(key) === mark.id)) return;
    // Unless it was trimmed since it was looked for: then the next look says so.
    const { floor } = await this.#look(mark, signal);
    if (floor.revision < mark.revision) throw this.#foreign(mark);
  }

  /** @throws EtcdCallError */
  async #sweep(floor: EntryMark, signal: CancelSignal): Promise<void> {
    for (;;) {
      const listing = await this.#list({ max_create_revision: floor.revision }, signal);
      for (let start = 0; start < listing.keys.length; start += deletesMax)
        await this.#delete(listing.keys.slice(start, start + deletesMax), floor, signal);
      if (!listing.more || listing.keys.length === 0) return;
    }
  }

  /** May be repeated, and may land late: it deletes nothing that was created beyond the floor. */
  async #delete(keys: readonly Buffer[], floor: EntryMark, signal: CancelSignal): Promise<void> {
    const answer = await this.#connection.read(deleteRequest(this.#scope, keys, floor), signal);
    if (answer.succeeded) return;
    assertIdentity(this.#scope, kvsOf(answer, 0)[0]);
    // One of them was put once more by its author. It stays; the others go one by one.
    if (keys.length > 1) for (const key of keys) await this.#delete([key], floor, signal);
  }

  /** Keys of entries created between two revisions. @throws EtcdCallError */
  async #list(
    bounds: { readonly min_create_revision?: number; readonly max_create_revision: number },
    signal: CancelSignal,
  ): Promise<{ readonly keys: readonly Buffer[]; readonly more: boolean }> {
    const { start, end } = this.#scope.keys.entries;
    const range = { key: start, range_end: end, ...bounds, keys_only: true, limit: listKeysMax };
    const request = fencedRead(this.#scope, [{ request_range: range }]);
    try {
      const answer = await this.#connection.read(request, signal, this.#listDeadlineMs);
      assertFence(this.#scope, answer);
      const keys = kvsOf(answer, 0).map(({ key }) => key);
      return {
        keys: keys.filter((key) => this.#scope.keys.entryIdOf(key) !== undefined),
        more: answer.responses[0]?.response_range.more === true,
      };
    } catch (error) {
      if (error instanceof EtcdCallError && error.stage === 'timed-out')
        this.#listDeadlineMs = Math.min(2 * this.#listDeadlineMs, listDeadlineMsMax);
      throw error;
    }
  }

  #foreign(mark: EntryMark): WeftError {
    return mismatch(this.#scope, `the entry ${mark.id} is not at position ${mark.revision}`);
  }
}

/**
 * Reads what the log holds after a position, by range, in order.
 *
 * First the keys are listed, by create revision; then the values are fetched in batches that are bounded by weight. One
 * listing costs the server a look at every live key, whatever it gives back (it filters and sorts after reading), so a
 * listing is large and brings no values, and a catch-up of any size holds no more than one listing and two batches.
 */

import type { IKeyValue, ITxnRequest, ITxnResponse } from 'etcd3';
import type { LogEntry } from '../../core/log/event-log.ts';
import type { EntryId } from '../../core/model/ids.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import { ahead, damaged, mismatch, trimmed } from '../log-faults.ts';
import type { Connection } from './connection.ts';
import { EtcdCallError } from './errors.ts';
import { floorOf } from './floor.ts';
import {
  batchBytesTarget,
  batchEntriesFirst,
  batchEntriesMax,
  callDeadlineMs,
  listDeadlineMsMax,
  listKeysMax,
} from './limits.ts';
import type { CallLimits, Member } from './member.ts';
import type { EntryMark, LogHead, LogScope } from './transactions.ts';
import {
  assertFence,
  entryRevision,
  fencedRead,
  headOf,
  kvsOf,
  readKey,
  revisionOf,
  toPosition,
} from './transactions.ts';

/** Where a catch-up ended: nothing up to this revision is missing. */
export interface CaughtUp {
  readonly revision: number;
  readonly head: LogHead;
  /** etcd's id of the cluster that answered, to compare with the one that a watch talks to. */
  readonly clusterId: string;
}

interface Listing extends CaughtUp {
  readonly found: readonly ListedEntry[];
  /** There are more behind the last one found. */
  readonly more: boolean;
}

interface ListedEntry {
  readonly key: Buffer;
  readonly id: EntryId;
  readonly revision: number;
}

export class CatchUp {
  readonly #scope: LogScope;
  readonly #connection: Connection;
  /** Deadline of the next listing; see `listDeadlineMsMax`. */
  #listDeadlineMs = callDeadlineMs;

  constructor(scope: LogScope, connection: Connection) {
    this.#scope = scope;
    this.#connection = connection;
  }

  /**
   * Entries after the entry `after`, in order, up to what was there when the last listing was made.
   *
   * @throws EtcdCallError; WeftError `log-ahead`, `log-trimmed`, `log-mismatch`, `log-damaged`
   */
  async *read(member: Member, after: EntryMark, signal: CancelSignal): AsyncGenerator<LogEntry, CaughtUp> {
    for (let last = after; ; ) {
      const listing = await this.#list(member, last, signal);
      yield* this.#fetch(member, listing.found, signal);
      last = listing.found.at(-1) ?? last;
      if (!listing.more) return listing;
    }
  }

  async #list(member: Member, after: EntryMark, signal: CancelSignal): Promise<Listing> {
    const { keys } = this.#scope;
    const range = {
      key: keys.entries.start,
      range_end: keys.entries.end,
      // The entry at `after` itself is listed too: if it is not there, this is not the log that was read before.
      min_create_revision: after.revision,
      sort_target: 'Create',
      sort_order: 'Ascend',
      keys_only: true,
      limit: listKeysMax,
    } as const;
    const request = fencedRead(this.#scope, [
      readKey(keys.head),
      { request_range: range },
      readKey(keys.floor),
    ]);
    try {
      const answer = await this.#ask(member, request, { deadlineMs: this.#listDeadlineMs, signal });
      assertFence(this.#scope, answer);
      const head = headOf(this.#scope, kvsOf(answer, 0)[0]);
      const listed = this.#parse(kvsOf(answer, 1));
      return {
        revision: revisionOf(answer),
        head,
        clusterId: answer.header.cluster_id,
        found: this.#after(listed, after, floorOf(this.#scope, kvsOf(answer, 2)[0])),
        more: answer.responses[1]?.response_range.more === true,
      };
    } catch (error) {
      if (error instanceof EtcdCallError && error.stage === 'timed-out') {
        this.#listDeadlineMs = Math.min(2 * this.#listDeadlineMs, listDeadlineMsMax);
      }
      throw error;
    }
  }

  #parse(kvs: readonly IKeyValue[]): ListedEntry[] {
    const entries: ListedEntry[] = [];
    for (const kv of kvs) {
      const id = this.#scope.keys.entryIdOf(kv.key);
      if (id === undefined) continue;
      const revision = entryRevision(this.#scope, kv);
      if (revision === entries.at(-1)?.revision) {
        throw damaged(this.#scope.url, `two entries were written at revision ${revision}`);
      }
      entries.push({ key: kv.key, id, revision });
    }
    return entries;
  }

  /** Drops the entry `after`, which must be there, unless the floor says that it was the last one to be trimmed. */
  #after(listed: ListedEntry[], after: EntryMark, floor: EntryMark): readonly ListedEntry[] {
    if (after.revision < floor.revision) throw trimmed(this.#scope.url, after.revision);
    const first = listed[0];
    const isFloor = after.revision === floor.revision && after.id === floor.id;
    if (isFloor) return first?.revision === floor.revision ? listed.slice(1) : listed;
    if (first === undefined) throw ahead(this.#scope.url, after.revision);
    if (first.revision === after.revision && first.id === after.id) return listed.slice(1);
    throw mismatch(
      this.#scope,
      `the entry ${after.id} is not at position ${after.revision}, which others follow`,
    );
  }

  /** Values in batches; while one is consumed the next is under way. */
  async *#fetch(
    member: Member,
    entries: readonly ListedEntry[],
    signal: CancelSignal,
  ): AsyncGenerator<LogEntry> {
    let start = 0;
    const next = (size: number): Promise<LogEntry[]> => {
      const batch = entries.slice(start, start + size);
      start += batch.length;
      const values = batch.length === 0 ? Promise.resolve([]) : this.#values(member, batch, signal);
      // A consumer that stops early never asks for what is under way; one that goes on meets its error below.
      values.catch(() => undefined);
      return values;
    };
    let ahead = next(batchEntriesFirst);
    for (;;) {
      const values = await ahead;
      if (values.length === 0) return;
      ahead = next(fittingSize(values));
      yield* values;
    }
  }

  /** Failures are counted by the tail, which knows what it does next. */
  async #ask(member: Member, request: ITxnRequest, limits: CallLimits): Promise<ITxnResponse> {
    const answer = await member.txn(request, limits);
    this.#connection.noteSuccess();
    return answer;
  }

  async #values(member: Member, batch: readonly ListedEntry[], signal: CancelSignal): Promise<LogEntry[]> {
    const { floor: floorKey } = this.#scope.keys;
    const request = fencedRead(this.#scope, [...batch.map((entry) => readKey(entry.key)), readKey(floorKey)]);
    const answer = await this.#ask(member, request, { deadlineMs: callDeadlineMs, signal });
    assertFence(this.#scope, answer);
    const floor = floorOf(this.#scope, kvsOf(answer, batch.length)[0]);
    return batch.map((entry, index) => {
      const kv = kvsOf(answer, index)[0];
      if (kv === undefined || entryRevision(this.#scope, kv) !== entry.revision) {
        if (entry.revision <= floor.revision) throw trimmed(this.#scope.url, entry.revision);
        throw damaged(
          this.#scope.url,
          `the entry at position ${entry.revision} was deleted while it was read`,
        );
      }
      return { position: toPosition(entry.revision, entry.id), id: entry.id, bytes: kv.value };
    });
  }
}

/** How many entries like these make a batch of the weight that is wanted. */
function fittingSize(values: readonly LogEntry[]): number {
  const bytes = values.reduce((sum, entry) => sum + entry.bytes.length, 0);
  const fitting = Math.floor((batchBytesTarget * values.length) / Math.max(bytes, 1));
  return Math.min(Math.max(fitting, 1), batchEntriesMax);
}

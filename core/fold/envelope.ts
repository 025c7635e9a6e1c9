/**
 * What every record is judged by before its kind is looked at: is it a repetition, could it be one that is forgotten,
 * and does its author still live the life in which it was written.
 */
import { quote } from '../lib/quote.ts';
import { dedupeWindowOrdinals } from '../limits.ts';
import type { LogRecord } from '../log/record.ts';
import { nameKey } from '../model/names.ts';
import type { Draft } from './draft.ts';
import { hostNamed } from './lookup.ts';
import { seenAt } from './record-memory.ts';
import { Refused, refuseUnless } from './refused.ts';

/**
 * @param ordinal that the record will have
 * @throws Refused `duplicate`: the one refusal that is not remembered under the record's id, which stands for the first
 */
export function judgeRepetition(draft: Draft, record: LogRecord, ordinal: number): void {
  const first = seenAt(draft.memory, record.id, ordinal);
  refuseUnless(
    first === undefined,
    'duplicate',
    () => `Record ${record.id} was applied as ${first}; nothing is to be done`,
  );
  refuseUnless(record.base < ordinal, 'malformed', () => {
    return `Record ${record.id} says that it follows ${record.base} and comes as ${ordinal}: check the clock and data of host ${quote(record.host)}`;
  });
  refuseUnless(record.base >= ordinal - dedupeWindowOrdinals, 'too-old', () => {
    return `Record ${record.id} follows ${record.base}, more than ${dedupeWindowOrdinals} records ago: ask again`;
  });
}

/** @throws Refused `stale-epoch`, `host-down`, `host-removed`, `no-such-host`, `malformed` */
export function judgeAuthor(draft: Draft, record: LogRecord): void {
  const who = `host ${quote(record.host)}`;
  if (record.kind === 'host-join') {
    refuseUnless(
      record.epoch === 0,
      'malformed',
      () => `The join of ${who} carries epoch ${record.epoch}, not 0: upgrade it`,
    );
    return;
  }
  // Whoever begins a log may have no host at all; what it goes on from is in the record.
  if (record.kind === 'log-begin') return;
  const author = hostNamed(draft, record.host);
  if (author === undefined || author.name !== record.host) throw unknownAuthor(draft, record, who);
  refuseUnless(record.epoch >= author.epoch, 'stale-epoch', () => {
    return `The request is of life ${record.epoch} of ${who}, which now lives its ${author.epoch}: ask again`;
  });
  refuseUnless(record.epoch === author.epoch, 'malformed', () => {
    return `The request is of life ${record.epoch} of ${who}, which only lives its ${author.epoch}: restart its daemon`;
  });
  refuseUnless(!author.isDown, 'host-down', () => {
    return `The ${who} has been down since record ${author.changed.ordinal}: its daemon must join again first, which it does by itself`;
  });
}

function unknownAuthor(draft: Draft, record: LogRecord, who: string): Refused {
  const removed = draft.removedHosts.get(nameKey(record.host));
  if (removed === undefined) return new Refused('no-such-host', `No ${who} has joined: start its daemon`);
  if (record.epoch > removed.epoch) {
    return new Refused(
      'malformed',
      `The request is of life ${record.epoch} of ${who}, which has not begun: restart its daemon`,
    );
  }
  return new Refused(
    'host-removed',
    `The ${who} was ${removed.isExpired ? 'expired' : 'removed'} by record ${removed.ordinal}: restart its daemon to join again`,
  );
}

/** A record with its outcome as a line of the archive, and back. */
import type { HistoryItem, Step } from '../controller/control.ts';
import type { ArchiveLine } from '../ports/archive.ts';

/** Of 64: enough to tell two histories apart, and short, because it does not compress. */
const markDigits = 16;

/** The mark of a history, by its running hash. */
export function markOf(recordHash: string): string {
  return recordHash.slice(0, markDigits);
}

/** What people ask of a record later: who wanted what, and what came of it. */
export function historyItemOf({ outcome, record, changes }: Step): HistoryItem {
  const subject = outcome.accepted && outcome.subject.type === 'endpoint' ? outcome.subject.id : undefined;
  const attached = changes.flatMap((change) =>
    'endpoint' in change && change.endpoint.id === subject ? [change.endpoint] : [],
  )[0];
  return {
    outcome,
    ...(record === undefined ? {} : { record }),
    ...(attached === undefined
      ? {}
      : {
          attached: {
            addresses: attached.addresses,
            ...(attached.mac === undefined ? {} : { mac: attached.mac }),
          },
        }),
  };
}

export function lineOf(item: HistoryItem, mark: string): ArchiveLine {
  return { ordinal: item.outcome.ordinal, mark, text: JSON.stringify(item) };
}

/** The archive vouches for its texts, and they are of the version that it was opened for. */
export function itemOf({ text }: ArchiveLine): HistoryItem {
  return JSON.parse(text) as HistoryItem;
}

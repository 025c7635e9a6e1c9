/**
 * The state as it is at one moment, handed out a page at a time: for an export, which goes on while the fold does, and
 * needs no store. One at a time; whoever begins another ends the one before.
 */
import { WeftError } from '../errors.ts';
import type { State } from '../fold/state.ts';
import type { Position } from '../log/event-log.ts';
import type { LogId } from '../model/ids.ts';
import { snapshotLines } from '../snapshot/write-snapshot.ts';
import type { ExportHead, ExportPage } from './control.ts';
import { exportPageCharsMax } from './defaults.ts';

interface Held {
  readonly ref: string;
  readonly lines: Iterator<string>;
  /** The page that was given last, which may be asked for again. */
  page: number;
  given: ExportPage;
}

export class Exports {
  #held: Held | undefined;

  /** @param ref by which its pages are asked for */
  begin(ref: string, state: State, position: Position, logId: LogId): ExportHead {
    this.#held = { ref, lines: snapshotLines(state), page: -1, given: { lines: [], end: false } };
    const { ordinal, recordHash, stateHash } = state;
    return { ref, logId, position, ordinal, recordHash, stateHash };
  }

  /** @param page from 0 on, in turn @throws WeftError `not-found` where another one was begun, or it is not the next page */
  page(ref: string, page: number): ExportPage {
    const held = this.#held;
    if (held?.ref !== ref) throw gone('another one was begun, or the daemon was restarted');
    if (page === held.page) return held.given;
    if (page !== held.page + 1 || held.given.end) throw gone(`page ${page} is not the next one`);
    held.page = page;
    held.given = nextPage(held.lines);
    return held.given;
  }
}

function nextPage(lines: Iterator<string>): ExportPage {
  const taken: string[] = [];
  for (let chars = 0; chars < exportPageCharsMax; ) {
    const next = lines.next();
    if (next.done === true) return { lines: taken, end: true };
    taken.push(next.value);
    chars += next.value.length;
  }
  return { lines: taken, end: false };
}

function gone(why: string): WeftError {
  return new WeftError(
    'not-found',
    `The export cannot go on: ${why}; begin it anew with 'weft store export'`,
  );
}

/** A replay for people: records with their outcomes, the commands under them, and the verdict in sentences. */
import type {
  Difference,
  HashVerdict,
  KernelVerdict,
  Opened,
  ReplayedEntry,
  ReplayedRecord,
  ReplayedSnapshot,
  Verdict,
} from '../../replay/index.ts';
import { outcomeText, whatText } from './record.ts';
import { printable } from './table.ts';

const ordinalWidth = 7;
const indent = ' '.repeat(ordinalWidth + 2);

export function openedText({ header, entries, host, snapshot, brokenOff }: Opened): string {
  const { weft, madeAt, ordinal, store, logId = 'not known' } = header;
  return [
    `Bundle of host ${header.host} by weft ${weft}, ${madeAt}`,
    `Log ${logId} in ${store}: ${entries} entries, up to ordinal ${ordinal}`,
    ...(snapshot === undefined
      ? []
      : [
          `Records up to ${snapshot.ordinal} are not in the bundle: it begins with a snapshot by host ${snapshot.host}`,
        ]),
    ...(brokenOff === undefined ? [] : [`The entries break off: ${brokenOff}`]),
    `Shown: the kernel of host ${host}`,
    '',
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

export function snapshotText({ ordinal, operations }: ReplayedSnapshot): string {
  return linesText([
    `${String(ordinal).padStart(ordinalWidth)}  the snapshot`,
    ...operations.map(operationLine),
  ]);
}

export function entryText({ records, operations }: ReplayedEntry): string {
  return linesText([...records.map(recordLine), ...operations.map(operationLine)]);
}

function linesText(lines: readonly string[]): string {
  return lines.map((text) => `${printable(text)}\n`).join('');
}

function operationLine({ text, refused }: ReplayedEntry['operations'][number]): string {
  return refused === undefined ? `${indent}${text}` : `${indent}# refused (${refused}): ${text}`;
}

function recordLine({ outcome, record }: ReplayedRecord): string {
  const ordinal = String(outcome.ordinal).padStart(ordinalWidth);
  const what =
    record === undefined
      ? 'bytes that are no record'
      : `${record.host}: ${whatText(record.kind, record.body)}`;
  return `${ordinal}  ${what} -> ${outcomeText(wordsOf(outcome))}`;
}

/** The entry as JSON and YAML have it. */
export function viewOf({ position, records, operations }: ReplayedEntry): object {
  return {
    position,
    records: records.map(({ outcome, record }) => ({
      ...outcome,
      ...(record === undefined ? {} : { record }),
    })),
    operations,
  };
}

function wordsOf(outcome: ReplayedRecord['outcome']): Parameters<typeof outcomeText>[0] {
  if (!outcome.accepted) return outcome;
  const { accepted, subject } = outcome;
  const id = subject.type === 'host' ? subject.name : subject.id;
  return { accepted, subject: { type: subject.type, id } };
}

export function verdictText(verdict: Verdict): string {
  const lines = [
    '',
    `Replayed to ordinal ${verdict.ordinal}: state hash ${verdict.stateHash}`,
    ...verdict.notes.map((note) => `Note: ${note}.`),
    hashLine(verdict.hashes),
    ...kernelLines(verdict.kernel),
    ...(verdict.planner.length === 0
      ? []
      : [
          'A defect of the planner: the kernel in memory is not as the log asks for:',
          ...verdict.planner.map(line),
        ]),
  ];
  return lines.map((text) => `${printable(text)}\n`).join('');
}

function hashLine(hashes: HashVerdict): string {
  if (hashes.result === 'same') {
    const { compared } = hashes;
    return `The log folds to what the daemon had: ${compared} ${compared === 1 ? 'hash is' : 'hashes are'} the same.`;
  }
  if (hashes.result === 'not-compared') return `Hashes were not compared: ${hashes.reason}.`;
  const { at, sameAt, what } = hashes;
  const same = sameAt === undefined ? 'compared with none before it' : `the same at ordinal ${sameAt}`;
  const where = `${same}, different at ordinal ${at}`;
  return what === 'records'
    ? `The records are not those that the daemon folded: ${where}.`
    : `The log folds to another state than the daemon had: ${where}.`;
}

function kernelLines(kernel: KernelVerdict): string[] {
  if (kernel.result === 'same') return [`The kernel had what the log asks for: ${kernel.objects} objects.`];
  if (kernel.result === 'not-compared') return [`The kernel was not compared: ${kernel.reason}.`];
  const count = kernel.differences.length;
  return [
    `The kernel had not what the log asks for: ${count} ${count === 1 ? 'difference' : 'differences'}.`,
    ...kernel.differences.map((difference) => {
      const { failing } = difference;
      return failing === undefined ? line(difference) : `${line(difference)} (the daemon says: ${failing})`;
    }),
  ];
}

function line({ found, text, actual }: Difference): string {
  return `  ${found}: ${text}${actual === undefined ? '' : `, but is ${actual}`}`;
}

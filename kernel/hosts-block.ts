/**
 * The text of a hosts file with weft's block in it. Pure.
 *
 * The block stands between two marker lines that carry the namespace prefix, so that several daemons can each have
 * their own, and goes at the end, so that what the user wrote is found first. Everything outside of it is kept byte for
 * byte: texts are handled as latin1, in which every byte is a character.
 *
 * Two things must be known when the block goes, and are written down where they are known: that the user's last line
 * had no line break (in the begin marker), and that weft made the file (in a line of its own, see `newHostsFile`).
 */
import type { HostsEntry } from '../core/dataplane/object.ts';
import { type IpAddress, parseAddress } from '../core/model/address.ts';

/** Who owns a block: the daemon's prefix, and the sandbox reference where it is not the plain name. */
export interface BlockOwner {
  readonly prefix: string;
  readonly path?: string;
}

const anyBegin = /^# \S+ begin(?: \S+)?: written by weft/;

/** By this much a begin marker is known, whatever became of the rest of its line. */
function beginStart(owner: BlockOwner): string {
  const path = owner.path === undefined ? '' : ` ${owner.path}`;
  return `# ${owner.prefix} begin${path}: written by weft`;
}

function beginLine(owner: BlockOwner): string {
  return `${beginStart(owner)}, do not edit`;
}

function endLine(owner: BlockOwner): string {
  return `# ${owner.prefix} end`;
}

/** Follows the begin marker where the line break before it is weft's. */
const joined = ' (nor the line break before)';

/** Lines of a file that weft makes, besides its block. The first is how it is known again. */
export function newHostsFile(withDirectory: boolean): string {
  const what = withDirectory ? 'Made by weft with its directory' : 'Made by weft';
  return [
    `# ${what}; deleted with its last block unless other lines are added.`,
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    '',
  ].join('\n');
}

/** What is to be removed when a file has this text and no block: nothing, the file, or its directory too. */
export function leftover(text: string): 'user' | 'file' | 'directory' {
  if (text === newHostsFile(false)) return 'file';
  return text === newHostsFile(true) ? 'directory' : 'user';
}

interface Block {
  readonly start: number;
  readonly end: number;
  /** Lines between the markers, without their line breaks. */
  readonly lines: readonly string[];
  /** False where the end marker is gone, or the begin marker was changed behind its first words. */
  readonly whole: boolean;
}

/** The file's text with the block made or changed. Equal text: nothing to do. */
export function withBlock(text: string, owner: BlockOwner, entries: readonly HostsEntry[]): string {
  const found = findBlock(text, owner);
  if (found === undefined) {
    const unterminated = text !== '' && !text.endsWith('\n');
    return `${text}${unterminated ? '\n' : ''}${blockText(owner, entries, unterminated)}`;
  }
  const unterminated = text.slice(found.start).startsWith(beginLine(owner) + joined);
  return text.slice(0, found.start) + blockText(owner, entries, unterminated) + text.slice(found.end);
}

/** The file's text without the block. */
export function withoutBlock(text: string, owner: BlockOwner): string {
  const found = findBlock(text, owner);
  if (found === undefined) return text;
  const unterminated = text.slice(found.start).startsWith(beginLine(owner) + joined);
  const rest = text.slice(found.end);
  // The line break was added for the block alone; what came behind it since needs it.
  const before = unterminated && rest === '' ? text.slice(0, found.start - 1) : text.slice(0, found.start);
  return before + rest;
}

/** An entry that no desired block has: says that the block differs in something that entries cannot show. */
const differingEntry: HostsEntry = { address: '0.0.0.0' as IpAddress, names: [] };

/** What the block says; undefined where there is none. */
export function entriesOf(text: string, owner: BlockOwner): readonly HostsEntry[] | undefined {
  const found = findBlock(text, owner);
  if (found === undefined) return undefined;
  const entries = found.lines.flatMap((line) => parseLine(line) ?? []);
  const intact = found.whole && entries.map(formatLine).join('\n') === found.lines.join('\n');
  return intact ? entries : [...entries, differingEntry];
}

/** The owners of the blocks of this prefix. */
export function blockOwners(text: string, prefix: string): BlockOwner[] {
  const begin = `# ${prefix} begin`;
  return linesOf(text).flatMap(({ line }): BlockOwner[] => {
    if (!line.startsWith(begin) || !anyBegin.test(line)) return [];
    const path = /^ (\S+): /.exec(line.slice(begin.length))?.[1];
    return [path === undefined ? { prefix } : { prefix, path }];
  });
}

function blockText(owner: BlockOwner, entries: readonly HostsEntry[], unterminated: boolean): string {
  const begin = beginLine(owner) + (unterminated ? joined : '');
  return [begin, ...entries.map(formatLine), endLine(owner), ''].join('\n');
}

function formatLine(entry: HostsEntry): string {
  return `${entry.address}\t${entry.names.join(' ')}`;
}

function parseLine(line: string): HostsEntry | undefined {
  const [first = '', rest] = line.split('\t');
  const address = parseAddress(first);
  if (address === undefined || rest === undefined || !/^[A-Za-z0-9_.-]+( [A-Za-z0-9_.-]+)*$/.test(rest)) {
    return undefined;
  }
  return { address, names: rest.split(' ') };
}

/**
 * From the begin marker to the end marker. Where the end marker is gone, only lines that weft could have written belong
 * to the block: the rest may be the user's.
 */
function findBlock(text: string, owner: BlockOwner): Block | undefined {
  const lines = linesOf(text);
  const first = lines.findIndex(({ line }) => line.startsWith(beginStart(owner)));
  const begin = lines[first];
  if (begin === undefined) return undefined;
  const marker = begin.line;
  const whole = marker === beginLine(owner) || marker === beginLine(owner) + joined;
  const inside: string[] = [];
  let end = begin.end;
  for (const next of lines.slice(first + 1)) {
    if (next.line === endLine(owner)) return { start: begin.start, end: next.end, lines: inside, whole };
    if (anyBegin.test(next.line)) break;
    inside.push(next.line);
  }
  const ours = inside.findIndex((line) => parseLine(line) === undefined);
  const kept = ours < 0 ? inside : inside.slice(0, ours);
  end = lines[first + kept.length]?.end ?? end;
  return { start: begin.start, end, lines: kept, whole: false };
}

function linesOf(text: string): { readonly line: string; readonly start: number; readonly end: number }[] {
  const lines: { line: string; start: number; end: number }[] = [];
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found + 1;
    lines.push({ line: text.slice(start, found < 0 ? end : found), start, end });
    start = end;
  }
  return lines;
}

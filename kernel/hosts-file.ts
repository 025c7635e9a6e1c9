/**
 * Hosts files of `ip netns` sandboxes: `/etc/netns/NAME/hosts`, which `ip netns exec` mounts over `/etc/hosts`.
 *
 * Because it mounts the file and not the name, a file that exists is written in place: a new file renamed over it
 * would be seen by nobody who is inside already. A file that does not exist yet is made under another name and renamed,
 * so that nobody sees half of it. Only sandboxes that are referred to by name have one.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Namespace, parseNamespace, sandboxNamespace } from '../core/dataplane/namespace.ts';
import type { HostsEntry, HostsFile } from '../core/dataplane/object.ts';
import { parseSandboxRef } from '../core/model/sandbox.ts';
import {
  type BlockOwner,
  blockOwners,
  entriesOf,
  leftover,
  newHostsFile,
  withBlock,
  withoutBlock,
} from './hosts-block.ts';
import { hostsFileBytesMax, namedNamespacesMax } from './limits.ts';
import { lockExclusive, lockNonblock } from './native/constants.ts';
import { flock } from './native/libc.ts';

interface Place {
  /** Name below the hosts directory. */
  readonly name: string;
  readonly owner: BlockOwner;
}

export class HostsFiles {
  readonly directory: string;
  readonly #netnsDirectory: string;
  readonly #prefix: string;
  /** Blocks as they were last read or written, with the text of their files: most looks find what weft has written. */
  readonly #known: Map<string, { readonly text: string; readonly entries: readonly HostsEntry[] }> =
    new Map();

  constructor(options: {
    readonly hostsDirectory: string;
    readonly netnsDirectory: string;
    readonly prefix: string;
  }) {
    this.directory = options.hostsDirectory;
    this.#netnsDirectory = options.netnsDirectory;
    this.#prefix = options.prefix;
  }

  /** The file of a sandbox; undefined for what has none: other namespaces, and sandboxes without a name. */
  pathOf(ns: Namespace): string | undefined {
    const place = this.#placeOf(ns);
    return place === undefined ? undefined : this.#file(place);
  }

  /** weft's block in the sandbox's file; undefined when there is none. */
  read(ns: Namespace): HostsFile | undefined {
    const place = this.#placeOf(ns);
    const text = place === undefined ? undefined : readText(this.#file(place));
    const entries = place === undefined || text === undefined ? undefined : this.#entries(place, text);
    if (place !== undefined && entries === undefined) this.#known.delete(keyOf(place));
    return entries === undefined ? undefined : { kind: 'hosts', ns, entries };
  }

  #entries(place: Place, text: string): readonly HostsEntry[] | undefined {
    const key = keyOf(place);
    const known = this.#known.get(key);
    if (known?.text === text) return known.entries;
    const entries = entriesOf(text, place.owner);
    if (entries !== undefined) this.#known.set(key, { text, entries });
    return entries;
  }

  /** Sandboxes in whose files weft has a block. */
  namespaces(): Namespace[] {
    return directoryNames(this.directory).flatMap((name) => {
      if (parseSandboxRef(name)?.type !== 'name') return [];
      const text = readText(path.join(this.directory, name, 'hosts'));
      if (text === undefined) return [];
      return blockOwners(text, this.#prefix).map((owner) => sandboxNamespace(owner.path ?? name));
    });
  }

  /** Makes the block say `entries`. Does nothing for sandboxes without a file. */
  set(ns: Namespace, entries: readonly HostsEntry[]): void {
    const place = this.#placeOf(ns);
    if (place === undefined) return;
    const file = this.#file(place);
    let written = '';
    const add = (text: string): string => {
      written = withBlock(text, place.owner, entries);
      return written;
    };
    if (!rewrite(file, add)) {
      const madeDirectory = fs.mkdirSync(path.dirname(file), { recursive: true }) !== undefined;
      createFile(file, add(newHostsFile(madeDirectory)));
    }
    this.#known.set(keyOf(place), { text: written, entries });
  }

  /** Takes the block away, and the file and its directory where weft made them and nobody added to them. */
  remove(ns: Namespace): void {
    const place = this.#placeOf(ns);
    if (place === undefined) return;
    const file = this.#file(place);
    this.#known.delete(keyOf(place));
    let left: ReturnType<typeof leftover> = 'user';
    rewrite(file, (text) => {
      const rest = withoutBlock(text, place.owner);
      left = rest === text ? 'user' : leftover(rest);
      return rest;
    });
    if (left === 'user') return;
    fs.rmSync(file, { force: true });
    if (left === 'directory') removeEmptyDirectory(path.dirname(file));
  }

  #file(place: Place): string {
    return path.join(this.directory, place.name, 'hosts');
  }

  #placeOf(ns: Namespace): Place | undefined {
    const parsed = parseNamespace(ns);
    const ref = parsed.type === 'sandbox' ? parseSandboxRef(parsed.ref) : undefined;
    if (ref?.type === 'name') return { name: ref.name, owner: { prefix: this.#prefix } };
    if (ref?.type !== 'path') return undefined;
    const name = path.basename(ref.path);
    const named = [this.#netnsDirectory, '/var/run/netns'].includes(path.dirname(ref.path));
    if (!named || parseSandboxRef(name)?.type !== 'name') return undefined;
    return { name, owner: { prefix: this.#prefix, path: ref.path } };
  }
}

/** Two references to one sandbox have a block each in one file. */
function keyOf({ name, owner }: Place): string {
  return `${name} ${owner.path ?? ''}`;
}

function directoryNames(directory: string): string[] {
  try {
    return fs.readdirSync(directory).slice(0, namedNamespacesMax);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The text as latin1; undefined when there is no file, or what is there is none to read. */
function readText(file: string): string | undefined {
  const fd = openRegular(file, fs.constants.O_RDONLY);
  if (fd === undefined) return undefined;
  try {
    return fs.readFileSync(fd, 'latin1');
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @returns undefined when there is nothing
 * @throws Error for links, devices, directories and files over the bound
 */
function openRegular(file: string, flags: number): number | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, flags | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const stat = fs.fstatSync(fd);
  if (stat.isFile() && stat.size <= hostsFileBytesMax) return fd;
  fs.closeSync(fd);
  throw new Error(`EFBIG: ${file} is no regular file of at most ${hostsFileBytesMax} bytes`);
}

/** Changes the file in place; false when there is none. Another daemon that is at it makes this fail, not wait. */
function rewrite(file: string, change: (text: string) => string): boolean {
  const fd = openRegular(file, fs.constants.O_RDWR);
  if (fd === undefined) return false;
  try {
    flock(fd, lockExclusive | lockNonblock);
    const before = fs.readFileSync(fd, 'latin1');
    const after = change(before);
    if (after === before) return true;
    const bytes = Buffer.from(after, 'latin1');
    // One write from the start, then the length: nobody finds an empty file in between.
    const written = fs.writeSync(fd, bytes, 0, bytes.length, 0);
    if (written !== bytes.length) throw new Error(`ENOSPC: only ${written} bytes of ${file} were written`);
    fs.ftruncateSync(fd, bytes.length);
    return true;
  } finally {
    fs.closeSync(fd);
  }
}

function createFile(file: string, text: string): void {
  const temporary = `${file}.weft-${process.pid}`;
  fs.rmSync(temporary, { force: true });
  try {
    fs.writeFileSync(temporary, Buffer.from(text, 'latin1'), { flag: 'wx', mode: 0o644 });
    // A link is refused where a file has appeared meanwhile; a rename would overwrite it.
    fs.linkSync(temporary, file);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function removeEmptyDirectory(directory: string): void {
  try {
    fs.rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}

/**
 * A disk in memory under the file log's seam, with the habits of real ones that cost people their data:
 *
 * - what was not synced may be lost when the power fails, sector by sector, in any order, names of files included;
 * - a sync that fails leaves its writes in the page cache and forgets that they are not on the disk, so that the next
 *   one succeeds without them;
 * - a write may take only some of the bytes; there may be no room;
 * - a process may die between any two calls, and in the middle of a write; its locks end with it.
 *
 * One flat set of paths; directories are only their names' beginnings.
 */
import type { FileSystem, OpenFile, OpenMode, Watch } from '../../adapters/file/file-system.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A change of a file that is not on the disk yet. */
type Change =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly type: 'truncate'; readonly size: number };

interface Inode {
  readonly id: string;
  /** What processes see. */
  cached: Buffer;
  /** What the disk has. */
  stored: Buffer;
  /** What a sync would carry from the one to the other. */
  dirty: Change[];
  lock: SimulatedFile | undefined;
  readonly watchers: Set<() => void>;
}

/** Calls that change something, and so may be made to fail. */
export type Call = 'create' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'sync-directory';

/**
 * - `eio`: fails without effect; a sync besides forgets what it should have made durable;
 * - `enospc`: fails without effect (a write after having taken half);
 * - `short`: a write takes half of its bytes and says so;
 * - `die-before`, `die-after`, `die-amid`: the process dies around the call; amid: a write has then taken half.
 */
export type DiskFault = 'eio' | 'enospc' | 'short' | 'die-before' | 'die-after' | 'die-amid';

/** Decides on each call of a process, counted from 1. */
export type DiskPlan = (count: number, call: Call, path: string) => DiskFault | undefined;

/** How a call takes its turn; a function where it takes time of its own. */
export type Pace = 'hasty' | 'real' | (() => Promise<void>);

const sectorBytes = 512;
/** statfs(2) says this of ext4. */
const ext4 = 0xef53;

export class SimulatedDisk {
  readonly #names = new Map<string, Inode>();
  #storedNames = new Map<string, Inode>();
  #created = 0;

  /**
   * A process on this machine. Its calls take a turn of the event loop each, or with `hasty` only one of the queue of
   * promises: faster, but nothing that waits for a timer runs meanwhile.
   */
  process(plan: DiskPlan = () => undefined, pace: Pace = 'hasty'): SimulatedProcess {
    return new SimulatedProcess(this, plan, pace);
  }

  /** Everything that was not synced is lost, or not, as chance has it. All processes must be dead or forgotten. */
  failPower(random: SeededRandom): void {
    const survivors = new Map(this.#storedNames);
    for (const path of new Set([...this.#names.keys(), ...this.#storedNames.keys()])) {
      if (this.#names.get(path) === this.#storedNames.get(path) || random.unit() < 0.5) continue;
      const inode = this.#names.get(path);
      if (inode === undefined) survivors.delete(path);
      else survivors.set(path, inode);
    }
    this.#names.clear();
    for (const [path, inode] of survivors) {
      for (const change of inode.dirty) settle(inode, change, random);
      const { stored } = inode;
      this.#names.set(path, {
        ...this.makeInode(),
        cached: Buffer.from(stored),
        stored: Buffer.from(stored),
      });
    }
    this.#storedNames = new Map(this.#names);
  }

  /** Bytes of a file as processes see them. */
  contents(path: string): Buffer {
    return Buffer.from(this.lookup(path).cached);
  }

  /** Files as processes see them now. No write changes the bytes of a buffer, so nothing is copied. */
  snapshot(isWanted: (path: string) => boolean): ReadonlyMap<string, Buffer> {
    const wanted = [...this.#names].filter(([path]) => isWanted(path));
    return new Map(wanted.map(([path, { cached }]) => [path, cached]));
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Puts a file's bytes, durably, as a faulty disk or a careless hand does. */
  corrupt(path: string, bytes: Buffer): void {
    const inode = this.lookup(path);
    inode.cached = Buffer.from(bytes);
    inode.stored = Buffer.from(bytes);
    inode.dirty = [];
  }

  delete(path: string): void {
    this.#names.delete(path);
    this.#storedNames.delete(path);
  }

  /** A disk with the same files, and a life of its own. */
  copy(): SimulatedDisk {
    const disk = new SimulatedDisk();
    for (const path of this.paths()) {
      disk.create(path);
      disk.corrupt(path, this.contents(path));
    }
    disk.syncNames();
    return disk;
  }

  find(path: string): Inode | undefined {
    return this.#names.get(path);
  }

  lookup(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError('ENOENT', path);
    return inode;
  }

  create(path: string): Inode {
    const inode = this.makeInode();
    this.#names.set(path, inode);
    return inode;
  }

  rename(from: string, to: string): void {
    const inode = this.lookup(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  remove(path: string): void {
    this.lookup(path);
    this.#names.delete(path);
  }

  syncNames(): void {
    this.#storedNames = new Map(this.#names);
  }

  makeInode(): Inode {
    this.#created += 1;
    return {
      id: `${this.#created}`,
      cached: Buffer.alloc(0),
      stored: Buffer.alloc(0),
      dirty: [],
      lock: undefined,
      watchers: new Set(),
    };
  }
}

/** One process's view of the disk. */
export class SimulatedProcess implements FileSystem {
  readonly #disk: SimulatedDisk;
  readonly #plan: DiskPlan;
  readonly #pace: Pace;
  readonly #files = new Set<SimulatedFile>();
  #calls = 0;
  #isDead = false;

  constructor(disk: SimulatedDisk, plan: DiskPlan, pace: Pace) {
    this.#disk = disk;
    this.#plan = plan;
    this.#pace = pace;
  }

  /** Calls so far that a plan decided on. */
  get calls(): number {
    return this.#calls;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** kill -9. */
  die(): void {
    this.#isDead = true;
    for (const file of this.#files) file.unlock();
  }

  async makeDirectory(): Promise<void> {
    await this.turn();
  }

  async list(path: string): Promise<readonly string[]> {
    await this.turn();
    const below = this.#disk.paths().filter((other) => other.startsWith(`${path}/`));
    return [...new Set(below.map((other) => other.slice(path.length + 1).split('/')[0] ?? ''))];
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await this.turn();
    let inode = this.#disk.find(path);
    if (inode === undefined || mode === 'create') {
      if (mode === 'read' || mode === 'write') throw systemError('ENOENT', path);
      inode = await this.change('create', path, () => {
        const made = this.#disk.find(path) ?? this.#disk.create(path);
        if (made.cached.length > 0) apply(made, { type: 'truncate', size: 0 });
        return made;
      });
    }
    const file = new SimulatedFile(this, inode, path);
    this.#files.add(file);
    return file;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.change('rename', to, () => this.#disk.rename(from, to));
  }

  async remove(path: string): Promise<void> {
    await this.change('remove', path, () => this.#disk.remove(path));
  }

  async removeDirectory(): Promise<void> {
    await this.turn();
  }

  async syncDirectory(path: string): Promise<void> {
    await this.change('sync-directory', path, () => this.#disk.syncNames());
  }

  async identityOf(path: string): Promise<string | undefined> {
    await this.turn();
    return this.#disk.find(path)?.id;
  }

  async typeOf(): Promise<number> {
    await this.turn();
    return ext4;
  }

  watch(path: string, onChange: (isGone: boolean) => void): Watch {
    const { watchers } = this.#disk.lookup(path);
    const watcher = (): void => onChange(false);
    watchers.add(watcher);
    return { close: () => watchers.delete(watcher) };
  }

  /** A call takes a turn. @throws Error of a dead process */
  async turn(): Promise<void> {
    if (this.#pace === 'hasty') await Promise.resolve();
    else if (this.#pace === 'real') await new Promise(setImmediate);
    else await this.#pace();
    if (this.#isDead) throw systemError('EOWNERDEAD', 'this process was killed');
  }

  /** A call that changes something, under the plan. `partly` is what it does when it is broken off in the middle. */
  async change<T>(call: Call, path: string, effect: () => T, partly?: () => T): Promise<T> {
    await this.turn();
    this.#calls += 1;
    const fault = this.#plan(this.#calls, call, path);
    if (fault === 'eio') throw systemError('EIO', `${call} ${path}`);
    if (fault === 'enospc') {
      partly?.();
      throw systemError('ENOSPC', `${call} ${path}`);
    }
    if (fault === 'short' && partly !== undefined) return partly();
    if (fault === 'die-amid') partly?.();
    if (fault === 'die-after') effect();
    if (fault?.startsWith('die') === true) {
      this.die();
      await this.turn();
    }
    return effect();
  }
}

class SimulatedFile implements OpenFile {
  readonly identity: string;
  readonly #process: SimulatedProcess;
  readonly #inode: Inode;
  readonly #path: string;
  #isClosed = false;

  constructor(process: SimulatedProcess, inode: Inode, path: string) {
    this.#process = process;
    this.#inode = inode;
    this.#path = path;
    this.identity = inode.id;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.#turn();
    return this.#inode.cached.copy(into, 0, position, position + into.length);
  }

  async write(from: Uint8Array, position: number): Promise<number> {
    this.#check();
    const put = (length: number): number => {
      apply(this.#inode, { type: 'write', position, bytes: Buffer.from(from.subarray(0, length)) });
      return length;
    };
    const half = Math.floor(from.length / 2);
    return await this.#process.change(
      'write',
      this.#path,
      () => put(from.length),
      () => put(half),
    );
  }

  async size(): Promise<number> {
    await this.#turn();
    return this.#inode.cached.length;
  }

  async truncate(size: number): Promise<void> {
    this.#check();
    await this.#process.change('truncate', this.#path, () => apply(this.#inode, { type: 'truncate', size }));
  }

  async sync(): Promise<void> {
    this.#check();
    try {
      await this.#process.change('sync', this.#path, () => {
        for (const change of this.#inode.dirty) this.#inode.stored = applied(this.#inode.stored, change);
      });
    } finally {
      // Failed or not: the kernel takes the pages for clean from now on. (A dead process changes nothing any more.)
      if (!this.#process.isDead) this.#inode.dirty = [];
    }
  }

  dropCache(): void {
    if (this.#inode.dirty.length === 0) this.#inode.cached = Buffer.from(this.#inode.stored);
  }

  tryLock(): boolean {
    this.#inode.lock ??= this;
    return this.#inode.lock === this;
  }

  unlock(): void {
    if (this.#inode.lock === this) this.#inode.lock = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.unlock();
  }

  async #turn(): Promise<void> {
    this.#check();
    await this.#process.turn();
  }

  #check(): void {
    if (this.#isClosed) throw systemError('EBADF', this.#path);
  }
}

/** A change as all processes see it at once. */
function apply(inode: Inode, change: Change): void {
  inode.cached = applied(inode.cached, change);
  inode.dirty.push(change);
  for (const watcher of [...inode.watchers]) queueMicrotask(watcher);
}

function applied(bytes: Buffer, change: Change): Buffer {
  if (change.type === 'truncate') return Buffer.concat([bytes.subarray(0, change.size)], change.size);
  const end = change.position + change.bytes.length;
  const result = Buffer.concat([bytes], Math.max(bytes.length, end));
  change.bytes.copy(result, change.position);
  return result;
}

/** What becomes of a change that the power failed upon: any of its sectors reach the disk. */
function settle(inode: Inode, change: Change, random: SeededRandom): void {
  if (change.type === 'truncate') {
    if (random.unit() < 0.5) inode.stored = applied(inode.stored, change);
    return;
  }
  const all = random.unit() < 0.3;
  for (let at = 0; at < change.bytes.length; ) {
    const length = Math.min(sectorBytes - ((change.position + at) % sectorBytes), change.bytes.length - at);
    const sector = {
      type: 'write',
      position: change.position + at,
      bytes: change.bytes.subarray(at, at + length),
    } as const;
    if (all || random.unit() < 0.5) inode.stored = applied(inode.stored, sector);
    at += length;
  }
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

/**
 * The production file log over a model disk: the daemons of one machine share a directory. An entry is in the log from the
 * moment at which the head says so.
 */
import { FileEventLog } from '../../../../adapters/file/event-log.ts';
import { decodeFrame } from '../../../../adapters/file/frame.ts';
import { formatHead, type Head, parseHead } from '../../../../adapters/file/head.ts';
import { positionOf } from '../../../../adapters/file/position.ts';
import { segmentPath } from '../../../../adapters/file/segment.ts';
import type { EventLog, LogEntry } from '../../../../core/log/event-log.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { SimulatedDisk } from '../../../support/simulated-disk.ts';
import type { Process } from '../../world/process.ts';
import type { World } from '../../world/world.ts';
import type { Handle, Outage, StoreModel, Surroundings } from '../style.ts';
import { Traps } from '../traps.ts';
import { ModelDisk } from './model-disk.ts';

const directory = '/log';
const headPath = `${directory}/head`;
const floorPath = `${directory}/floor`;
const snapshotsPath = `${directory}/snapshots/`;
/** Small, so that a life sees several segments. Tails look seldom: wake-ups are what is tried. */
const bounds = {
  segmentBytesMax: 8_000,
  pageBytesMax: 600_000,
  pollMs: 3_000,
  pollWithoutWatchMs: 500,
  lockRetryMs: 15,
};

/** What the directory was like when an entry was the last. */
interface Backup {
  readonly head: Head;
  /** Segments up to the head's, floor and snapshots, as processes saw them: what was trimmed since is still in it. */
  readonly files: ReadonlyMap<string, Buffer>;
}

export class FileStyle implements StoreModel {
  outage: Outage | undefined;
  readonly #world: World;
  readonly #traps: Traps<'file'>;
  readonly #onEntry: (entry: LogEntry) => void;
  readonly #disk = new SimulatedDisk();
  /** By sequence less one. */
  #backups: Backup[] = [];
  #surroundings: Surroundings | undefined;
  #lastWriter: Process | undefined;

  constructor(world: World, onEntry: (entry: LogEntry) => void) {
    this.#world = world;
    this.#onEntry = onEntry;
    this.#traps = new Traps(world, 'file');
  }

  get url(): string {
    return `file:${directory}`;
  }

  get length(): number {
    return this.#backups.length;
  }

  connect(handle: Handle): EventLog {
    const fileSystem = new ModelDisk({
      world: this.#world,
      disk: this.#disk,
      traps: this.#traps,
      handle,
      store: this,
      kill: (process) => this.#surroundings?.kill(process) === true,
      onHead: () => this.#onHead(handle.process),
    });
    return new FileEventLog({ directory }, handle, { fileSystem, bounds });
  }

  /** Nobody writes there but weft: a stranger would have to know of frames, chains and locks. */
  scribble(): boolean {
    return false;
  }

  begin(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
    this.#traps.repeat('power-failure', 3, () => {
      surroundings.failPower(() => this.#failPower());
      return true;
    });
  }

  heal(): void {
    // Faults of the disk end with their phase.
  }

  wipe(): void {
    for (const path of this.#disk.paths()) this.#disk.delete(path);
    this.#backups = [];
  }

  restore(length: number): void {
    const backup = this.#backups[length - 1];
    if (backup === undefined) throw new Error('Broken invariant: a backup has entries');
    const { head, files } = backup;
    const last = segmentPath(directory, head.segment);
    for (const path of this.#disk.paths()) this.#disk.delete(path);
    for (const [path, bytes] of [...files, [headPath, Buffer.from(formatHead(head))] as const]) {
      this.#disk.create(path);
      // What lies behind the end there is no part of the log of that day.
      this.#disk.corrupt(path, path === last ? bytes.subarray(0, head.end) : bytes);
    }
    this.#disk.syncNames();
    this.#backups.length = length;
  }

  #failPower(): void {
    const before = this.#bytes();
    this.#disk.failPower(new SeededRandom(this.#traps.chance.below(2 ** 31)));
    if (this.#bytes() !== before) this.#traps.met('unsynced bytes lost');
  }

  #bytes(): string {
    return this.#disk
      .paths()
      .map((path) => this.#disk.contents(path).toString('base64'))
      .join(' ');
  }

  #onHead(writer: Process): void {
    const head = parseHead(this.#disk.contents(headPath));
    if (head?.state === 'sealed') this.#traps.met('segment sealed');
    if (head === undefined || head.sequence < head.segment) return;
    if (head.sequence > this.length) this.#take(head, writer);
  }

  /** What the head now counts in: entries of its own segment, for a head that goes on to another says so first. */
  #take(head: Head, writer: Process): void {
    if (this.#lastWriter !== undefined && this.#lastWriter !== writer)
      this.#traps.met('turn of another daemon');
    this.#lastWriter = writer;
    const files = this.#disk.snapshot((path) => isOf(head, path));
    const bytes = this.#disk.contents(segmentPath(directory, head.segment));
    for (let at = 0; at < head.end; ) {
      const decoding = decodeFrame(bytes, at);
      if (decoding.type !== 'frame')
        throw new Error(`Broken invariant: the head counts what is no frame at ${at}`);
      const { frame } = decoding;
      at += frame.length;
      if (frame.kind !== 'entry' || frame.sequence <= this.length) continue;
      const place = { sequence: frame.sequence, checksum: frame.checksum };
      this.#backups.push({ head: { ...head, ...place, end: at, state: 'open' }, files });
      const entry = {
        position: positionOf(place),
        id: frame.id as LogEntry['id'],
        bytes: Buffer.from(frame.payload),
      };
      this.#onEntry(entry);
    }
  }
}

/** Whether a backup of that head has the file: no lock, no draft, no segment that was begun and is not in the log yet. */
function isOf({ segment }: Head, path: string): boolean {
  if (path.endsWith('.tmp')) return false;
  if (path.endsWith('.log')) return path <= segmentPath(directory, segment);
  return path === floorPath || path.startsWith(snapshotsPath);
}

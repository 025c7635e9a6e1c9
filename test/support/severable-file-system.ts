/** A file system that can be cut off, as a disk or a mount that goes away: every call then fails with EIO. */
import type { FileSystem, OpenFile, OpenMode, Watch } from '../../adapters/file/file-system.ts';

export class SeverableFileSystem implements FileSystem {
  readonly #over: FileSystem;
  #isSevered = false;

  constructor(over: FileSystem) {
    this.#over = over;
  }

  sever(): void {
    this.#isSevered = true;
  }

  mend(): void {
    this.#isSevered = false;
  }

  async makeDirectory(path: string): Promise<void> {
    this.check('mkdir');
    await this.#over.makeDirectory(path);
  }

  async list(path: string): Promise<readonly string[]> {
    this.check('readdir');
    return await this.#over.list(path);
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    this.check('open');
    return new SeverableFile(this, await this.#over.open(path, mode));
  }

  async rename(from: string, to: string): Promise<void> {
    this.check('rename');
    await this.#over.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.check('unlink');
    await this.#over.remove(path);
  }

  async removeDirectory(path: string): Promise<void> {
    this.check('rmdir');
    await this.#over.removeDirectory(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.check('fsync');
    await this.#over.syncDirectory(path);
  }

  async identityOf(path: string): Promise<string | undefined> {
    this.check('stat');
    return await this.#over.identityOf(path);
  }

  async typeOf(path: string): Promise<number> {
    this.check('statfs');
    return await this.#over.typeOf(path);
  }

  watch(path: string, onChange: (isGone: boolean) => void): Watch {
    this.check('inotify_add_watch');
    return this.#over.watch(path, onChange);
  }

  /** @throws Error EIO while severed */
  check(call: string): void {
    if (this.#isSevered) throw Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO' });
  }
}

class SeverableFile implements OpenFile {
  readonly identity: string;
  readonly #system: SeverableFileSystem;
  readonly #over: OpenFile;

  constructor(system: SeverableFileSystem, over: OpenFile) {
    this.#system = system;
    this.#over = over;
    this.identity = over.identity;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#system.check('read');
    return await this.#over.read(into, position);
  }

  async write(from: Uint8Array, position: number): Promise<number> {
    this.#system.check('write');
    return await this.#over.write(from, position);
  }

  async size(): Promise<number> {
    this.#system.check('fstat');
    return await this.#over.size();
  }

  async truncate(size: number): Promise<void> {
    this.#system.check('ftruncate');
    await this.#over.truncate(size);
  }

  async sync(): Promise<void> {
    this.#system.check('fdatasync');
    await this.#over.sync();
  }

  dropCache(): void {
    this.#over.dropCache();
  }

  tryLock(): boolean {
    return this.#over.tryLock();
  }

  unlock(): void {
    this.#over.unlock();
  }

  async close(): Promise<void> {
    await this.#over.close();
  }
}

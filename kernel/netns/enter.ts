/**
 * Doing something inside another network namespace.
 *
 * `setns` moves one thread. Node runs JavaScript and its synchronous file calls on the main thread, so a synchronous
 * function between `setns` and `setns` back runs wholly inside, and nothing else of the process can: no promise, no
 * timer, no callback gets in between. What a thread of Node's pool does meanwhile stays at home.
 */
import * as fs from 'node:fs';
import { cloneNewNet } from '../native/constants.ts';
import { setns, unshare } from '../native/libc.ts';

/** The network namespace that the process was started in: the underlay's. */
export class HomeNamespace {
  readonly fd: number;
  readonly inode: number;

  constructor() {
    this.fd = fs.openSync('/proc/thread-self/ns/net', fs.constants.O_RDONLY);
    this.inode = fs.fstatSync(this.fd).ino;
  }

  /** Runs `work`, which must be synchronous, inside the namespace of `fd`. */
  inside<T>(fd: number, work: () => T): T {
    setns(fd, cloneNewNet);
    return this.#andBack(work);
  }

  /** Runs `work` inside a namespace that did not exist before. */
  insideNew<T>(work: () => T): T {
    unshare(cloneNewNet);
    return this.#andBack(work);
  }

  #andBack<T>(work: () => T): T {
    try {
      return work();
    } finally {
      this.#comeBack();
    }
  }

  /** A process in the wrong namespace would configure the wrong machine; there is nothing to do but end. */
  #comeBack(): void {
    try {
      setns(this.fd, cloneNewNet);
    } catch {
      process.abort();
    }
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

/**
 * Waiting for descriptors to become readable, without polling: one epoll set, waited for on a thread of koffi's, and an
 * eventfd in it that ends a wait from within.
 *
 * One wait at a time. Nothing of the set is closed while a wait is on (see `wake`).
 */
import * as fs from 'node:fs';
import { assert } from '../../core/lib/assert.ts';
import { readyDescriptorsMax } from '../limits.ts';
import {
  epollCloexec,
  epollCtlAdd,
  epollCtlDel,
  epollIn,
  eventfdNonblockCloexec,
} from '../native/constants.ts';
import { close, epollBuffer, epollControl, epollCreate, epollWait, eventfd } from '../native/libc.ts';

export class Poller {
  readonly #epoll: number = epollCreate(epollCloexec);
  readonly #waker: number = eventfd(eventfdNonblockCloexec);
  readonly #buffer: Uint8Array = epollBuffer(readyDescriptorsMax);
  readonly #atExit = (): void => this.wake();
  #waiting = false;

  /** A process that exits waits for koffi's threads, for ever if one of them waits here: it is woken then. */
  constructor() {
    epollControl(this.#epoll, epollCtlAdd, this.#waker, epollIn);
    process.once('exit', this.#atExit);
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  add(fd: number): void {
    epollControl(this.#epoll, epollCtlAdd, fd, epollIn);
  }

  remove(fd: number): void {
    epollControl(this.#epoll, epollCtlDel, fd, 0);
  }

  /** Resolves with readable descriptors, none of them the waker; with none after `wake`. */
  async wait(): Promise<number[]> {
    assert(!this.#waiting, 'one wait at a time');
    this.#waiting = true;
    try {
      const ready = await epollWait(this.#epoll, this.#buffer);
      if (ready.includes(this.#waker)) fs.readSync(this.#waker, Buffer.alloc(8));
      return ready.filter((fd) => fd !== this.#waker);
    } finally {
      this.#waiting = false;
    }
  }

  /** Ends the wait that is on, or the next one. */
  wake(): void {
    const one = Buffer.alloc(8);
    one.fill(1, 0, 1);
    fs.writeSync(this.#waker, one);
  }

  close(): void {
    assert(!this.#waiting, 'nobody waits on a poller that is closed');
    process.removeListener('exit', this.#atExit);
    close(this.#epoll);
    close(this.#waker);
  }
}

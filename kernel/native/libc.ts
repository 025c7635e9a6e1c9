/**
 * The C library, called through koffi: the one file that knows of it.
 *
 * Everything else of `kernel/` sees functions that take and give numbers and bytes and throw `SystemError`. What Node
 * offers itself (open, read, write, stat) is used from Node; this file has what it does not.
 *
 * All calls but `epollWait` run on the calling thread, which must be the main one: `setns` and `unshare` act on one
 * thread alone, and Node's synchronous file calls run on the main one too.
 */
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { littleEndian } from './byte-order.ts';
import { errno as errnoOf, sysPidfdOpen } from './constants.ts';

/** The process itself: Node has the C library loaded, whichever it is (glibc, musl). */
const library = koffi.load(null);

const native: {
  setns: (fd: number, type: number) => number;
  unshare: (flags: number) => number;
  socket: (domain: number, type: number, protocol: number) => number;
  bind: (fd: number, address: Uint8Array, length: number) => number;
  send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;
  getsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number;
  close: (fd: number) => number;
  mount: (source: string, target: string, type: string, flags: number, data: null) => number;
  umount2: (target: string, flags: number) => number;
  fchdir: (fd: number) => number;
  chroot: (path: string) => number;
  flock: (fd: number, operation: number) => number;
  fstatfs: (fd: number, buffer: Uint8Array) => number;
  ioctl: (fd: number, request: number, argument: null) => number;
  epoll_create1: (flags: number) => number;
  epoll_ctl: (epoll: number, operation: number, fd: number, event: Uint8Array) => number;
  eventfd: (initial: number, flags: number) => number;
  syscall: (number: number, first: number, second: number) => number;
  strerror: (errno: number) => string;
} = {
  setns: library.func('int setns(int, int)'),
  unshare: library.func('int unshare(int)'),
  socket: library.func('int socket(int, int, int)'),
  bind: library.func('int bind(int, void *, uint)'),
  send: library.func('long send(int, void *, size_t, int)'),
  recv: library.func('long recv(int, void *, size_t, int)'),
  setsockopt: library.func('int setsockopt(int, int, int, void *, uint)'),
  getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
  close: library.func('int close(int)'),
  mount: library.func('int mount(const char *, const char *, const char *, unsigned long, void *)'),
  umount2: library.func('int umount2(const char *, int)'),
  fchdir: library.func('int fchdir(int)'),
  chroot: library.func('int chroot(const char *)'),
  flock: library.func('int flock(int, int)'),
  fstatfs: library.func('int fstatfs(int, void *)'),
  ioctl: library.func('int ioctl(int, unsigned long, void *)'),
  epoll_create1: library.func('int epoll_create1(int)'),
  epoll_ctl: library.func('int epoll_ctl(int, int, int, void *)'),
  eventfd: library.func('int eventfd(uint, int)'),
  // Variadic in C; the arguments are integers, which all Linux ABIs of koffi pass alike.
  syscall: library.func('long syscall(long, long, long)'),
  strerror: library.func('const char *strerror(int)'),
};
const epollWaitFunction = library.func('int epoll_wait(int, void *, int, int)');

/** A system call that failed. The message is the C library's: `EPERM: Operation not permitted (setns)`. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly errno: number;

  constructor(errno: number, where: string) {
    super(`${describeErrno(errno)} (${where})`);
    this.errno = errno;
  }
}

/** `EEXIST: File exists`. */
export function describeErrno(errno: number): string {
  return `${errnoName(errno)}: ${native.strerror(errno)}`;
}

function errnoName(errno: number): string {
  // Node knows the errors that libuv knows, one of them by another name; the kernel has more.
  if (errno === errnoOf.EOPNOTSUPP) return 'EOPNOTSUPP';
  const name = errno > 0 ? getSystemErrorName(-errno) : undefined;
  return name === undefined || name.startsWith('Unknown') ? `E${errno}` : name;
}

function check(result: number, call: string): number {
  if (result < 0) throw new SystemError(koffi.errno(), call);
  return result;
}

/** Moves the calling thread into a namespace. `fd` is one on nsfs. */
export function setns(fd: number, type: number): void {
  check(native.setns(fd, type), 'setns');
}

export function unshare(flags: number): void {
  check(native.unshare(flags), 'unshare');
}

export function socket(domain: number, type: number, protocol: number): number {
  return check(native.socket(domain, type, protocol), 'socket');
}

export function bind(fd: number, address: Uint8Array): void {
  check(native.bind(fd, address, address.length), 'bind');
}

/** Sends the first `length` bytes as one datagram. */
export function send(fd: number, bytes: Uint8Array, length: number): void {
  check(native.send(fd, bytes, length, 0), 'send');
}

/**
 * Receives one datagram of a non-blocking socket.
 *
 * @returns its length, which is more than fits in `bytes` where `flags` has MSG_TRUNC; undefined when none is there
 */
export function receive(fd: number, bytes: Uint8Array, flags: number): number | undefined {
  for (;;) {
    const length = native.recv(fd, bytes, bytes.length, flags);
    if (length >= 0) return length;
    const errno = koffi.errno();
    if (errno === errnoOf.EAGAIN) return undefined;
    if (errno !== errnoOf.EINTR) throw new SystemError(errno, 'recv');
  }
}

export function setSocketOption(fd: number, level: number, name: number, value: number): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  check(native.setsockopt(fd, level, name, bytes, bytes.length), 'setsockopt');
}

/** Reads an option of exactly `length` bytes. */
export function getSocketOption(fd: number, level: number, name: number, length: number): Uint8Array {
  const value = new Uint8Array(length);
  const size = new Uint32Array([length]);
  check(native.getsockopt(fd, level, name, value, new Uint8Array(size.buffer)), 'getsockopt');
  return value.subarray(0, size[0] ?? 0);
}

export function close(fd: number): void {
  check(native.close(fd), 'close');
}

export function mount(source: string, target: string, flags: number): void {
  check(native.mount(source, target, 'none', flags, null), `mount ${target}`);
}

export function unmount(target: string, flags: number): void {
  check(native.umount2(target, flags), `umount ${target}`);
}

export function fchdir(fd: number): void {
  check(native.fchdir(fd), 'fchdir');
}

export function chroot(path: string): void {
  check(native.chroot(path), 'chroot');
}

export function flock(fd: number, operation: number): void {
  check(native.flock(fd, operation), 'flock');
}

/** The type of the file system that an open file is on; its first word in `struct statfs` (64-bit). */
export function fileSystemType(fd: number): number {
  const words = new BigInt64Array(32);
  check(native.fstatfs(fd, new Uint8Array(words.buffer)), 'fstatfs');
  return Number(words[0]);
}

/** The ioctls without an argument. */
export function ioctl(fd: number, request: number): number {
  return check(native.ioctl(fd, request, null), 'ioctl');
}

/** A descriptor that becomes readable when the process ends (Linux 5.3). */
export function pidfdOpen(pid: number): number {
  return check(native.syscall(sysPidfdOpen, pid, 0), 'pidfd_open');
}

export function epollCreate(flags: number): number {
  return check(native.epoll_create1(flags), 'epoll_create1');
}

/** Adds or removes `fd`; its readiness is reported by its own number. */
export function epollControl(epoll: number, operation: number, fd: number, events: number): void {
  check(native.epoll_ctl(epoll, operation, fd, epollEvent(events, fd)), 'epoll_ctl');
}

/** `struct epoll_event`, which x86-64 alone packs to 12 bytes. */
const epollEventBytes = process.arch === 'x64' ? 12 : 16;
const epollDataOffset = process.arch === 'x64' ? 4 : 8;

function epollEvent(events: number, fd: number): Uint8Array {
  const bytes = Buffer.alloc(epollEventBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(0, events, littleEndian);
  view.setInt32(epollDataOffset, fd, littleEndian);
  return bytes;
}

/**
 * Waits, on a thread of koffi's, until something of the set is readable. `buffer` is from `epollBuffer` and must be left
 * alone until then. koffi has few such threads (four where this was tried), so a process can have as many waits at once.
 *
 * @returns the ready descriptors; none after a signal
 */
export function epollWait(epoll: number, buffer: Uint8Array): Promise<number[]> {
  const capacity = Math.floor(buffer.length / epollEventBytes);
  return new Promise((resolve, reject) => {
    epollWaitFunction.async(epoll, buffer, capacity, -1, (error: Error | null, count: number) => {
      if (error !== null) reject(error);
      else resolve(readyOf(buffer, Math.max(0, count)));
    });
  });
}

export function epollBuffer(events: number): Uint8Array {
  return Buffer.alloc(events * epollEventBytes);
}

function readyOf(buffer: Uint8Array, count: number): number[] {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  return Array.from({ length: count }, (_, at) =>
    view.getInt32(at * epollEventBytes + epollDataOffset, littleEndian),
  );
}

export function eventfd(flags: number): number {
  return check(native.eventfd(0, flags), 'eventfd');
}

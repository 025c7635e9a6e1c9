/** Numbers of the kernel's interface to processes, each with the header that it comes from. The same on every 64-bit Linux. */

/** `linux/sched.h`. */
export const cloneNewNet = 0x4000_0000;
export const cloneNewNs = 0x0002_0000;
export const cloneFs = 0x0000_0200;

/** `linux/socket.h`, `asm-generic/socket.h`. */
export const afNetlink = 16;
export const sockRaw = 3;
export const sockNonblock = 0o4000;
export const sockCloexec = 0o2000000;
export const solSocket = 1;
export const soPeercred = 17;
export const soRcvbufForce = 33;
export const soNetnsCookie = 71;
export const msgTrunc = 0x20;

/** `linux/mount.h`. */
export const msBind = 0x1000;
export const msRec = 0x4000;
export const msShared = 0x10_0000;
export const mntDetach = 2;

/** `asm-generic/fcntl.h`; absent from `fs.constants`. */
export const openPath = 0o10000000;
/** `linux/file.h`. */
export const lockExclusive = 2;
export const lockNonblock = 4;

/** `linux/magic.h`. */
export const nsfsMagic = 0x6e73_6673;
/** `linux/nsfs.h`: `_IO(0xb7, 0x3)`. */
export const nsGetNstype = 0xb703;

/** `linux/eventpoll.h`, `linux/eventfd.h`. */
export const epollCloexec = 0o2000000;
export const epollCtlAdd = 1;
export const epollCtlDel = 2;
export const epollIn = 1;
export const eventfdNonblockCloexec = 0o2004000;

/** `asm-generic/unistd.h`; `pidfd_open` has one number on all architectures. */
export const sysPidfdOpen = 434;

/** `asm-generic/errno*.h`: those that weft tells apart. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
} as const;

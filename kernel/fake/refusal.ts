/** A refusal in the kernel's words, e.g. `ENODEV: No such device (br0)`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

const texts = {
  EACCES: 'Permission denied',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  EPERM: 'Operation not permitted',
  EOPNOTSUPP: 'Operation not supported',
} as const;

/** @throws Refusal always; `detail` is the extended ack of the real kernel where it gives one, or what is meant. */
export function refuse(errno: keyof typeof texts, detail: string): never {
  throw new Refusal(`${errno}: ${texts[errno]} (${detail})`);
}

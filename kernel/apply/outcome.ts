/** How operations fail: thrown inside `apply/`, one line each, and never seen outside but as a result. */
import type { OperationResult } from '../../core/dataplane/kernel.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import { errno } from '../native/constants.ts';
import { describeErrno } from '../native/libc.ts';
import type { OpenFault } from '../netns/registry.ts';

export class OperationFailure extends Error {
  override readonly name = 'OperationFailure';
}

export const succeeded: OperationResult = { ok: true };

/** Any error as a result. What is no refusal of the system's is a defect, and is told like one. */
export function failed(error: unknown): OperationResult {
  const text = error instanceof Error ? error.message : String(error);
  return { ok: false, reason: text.replaceAll(/\s*\n\s*/g, '; ') };
}

/** `ENODEV: No such device (eth0 in net:weft-0123456789)`. */
export function refusal(number: number, explanation: string): OperationFailure {
  return new OperationFailure(`${describeErrno(number)} (${explanation})`);
}

export function refusalOf(fault: OpenFault, ns: Namespace): OperationFailure {
  switch (fault) {
    case 'absent':
      return refusal(errno.ENOENT, `namespace ${ns} does not exist`);
    case 'denied':
      return refusal(errno.EACCES, `namespace ${ns}`);
    case 'host':
      return refusal(errno.EPERM, `${ns} is the host's own namespace`);
    case 'no-namespace':
    case 'malformed':
      return refusal(errno.EINVAL, `${ns} is no network namespace`);
  }
}

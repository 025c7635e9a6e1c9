/**
 * Deleting links of one namespace together.
 *
 * The kernel waits for all its processors to let go of a device before it is gone, some 20 ms each time, and holds the
 * lock of all networking meanwhile. A group of links is let go of at once, so several links are first put into a group
 * that nobody uses, and then the group is deleted.
 */
import { errno } from '../native/constants.ts';
import type { KernelError } from '../netlink/kernel-error.ts';
import type { RequestSocket } from '../netlink/request.ts';
import { dumpLinks } from '../objects/link.ts';
import { deleteGroup, deleteLink, setGroup } from '../objects/link-requests.ts';

/** Any number that is not 0 and that few would think of: `weft` in ASCII. */
const firstGroup = 0x7765_6674;

/** Links by their numbers; one result each. What is gone already counts as deleted. */
export function deleteLinks(
  requests: RequestSocket,
  indexes: readonly number[],
): (KernelError | undefined)[] {
  if (indexes.length > 1 && deleteTogether(requests, indexes)) return indexes.map(() => undefined);
  return requests.carryOut(indexes.map(deleteLink)).map((error) => (isAbsence(error) ? undefined : error));
}

/** False when they must be deleted one by one, to see which cannot be. */
function deleteTogether(requests: RequestSocket, indexes: readonly number[]): boolean {
  const used = new Set(dumpLinks(requests).map((link) => link.group));
  let group = firstGroup;
  while (used.has(group)) group += 1;
  const grouped = requests.carryOut(indexes.map((index) => setGroup(index, group)));
  if (grouped.some((error) => error !== undefined && !isAbsence(error))) return false;
  const [error] = requests.carryOut([deleteGroup(group)]);
  return error === undefined || isAbsence(error);
}

function isAbsence(error: KernelError | undefined): boolean {
  return error?.errno === errno.ENODEV;
}

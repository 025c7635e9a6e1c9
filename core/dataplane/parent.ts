/** What a link stands on. */
import { linkKey } from './key.ts';
import type { LinkType } from './object.ts';

/** The key of the link that one of that type is stacked on; undefined for one that stands by itself. */
export function parentKeyOf(type: LinkType): string | undefined {
  return 'parent' in type ? linkKey(type.parent.ns, type.parent.name) : undefined;
}

/**
 * The alias (IFLA_IFALIAS) by which weft's links are known: `weft:OWNER`, to be seen in `ip link`.
 *
 * The end of a veth pair whose mate lies in a sandbox that has no name of `ip netns` says where, after a blank:
 * `weft:endpoint:ID sandbox:/var/run/docker/netns/x`. The kernel tells only numbers of namespaces, and a restarted
 * daemon could not find the text again.
 *
 * A bridge that weft found and did not make says so too: `weft:adopted:network:ID`.
 */
import { type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type { Link } from '../../core/dataplane/object.ts';
import { parseSandboxRef } from '../../core/model/sandbox.ts';

export interface LinkAlias {
  readonly owner: string;
  readonly peer?: Namespace;
  readonly adopted?: true;
}

const adoptedMark = 'adopted:';

/** IFALIASZ (`linux/if.h`) less the terminating zero. */
export const aliasLengthMax = 255;

export function aliasOf(link: Link): string {
  const peer = link.type.type === 'veth' ? link.type.peer.ns : undefined;
  return `weft:${link.owner}${peer !== undefined && isNameless(peer) ? ` ${peer}` : ''}`;
}

/** What a bridge that weft takes over is marked with. */
export function adoptedAliasOf(link: Link): string {
  return `weft:${adoptedMark}${link.owner}`;
}

export function parseAlias(alias: string): LinkAlias | undefined {
  const parts = /^weft:(\S*)(?: (sandbox:\S+))?$/.exec(alias);
  if (parts === null) return undefined;
  const [, owner = '', peer] = parts;
  if (owner.startsWith(adoptedMark)) return { owner: owner.slice(adoptedMark.length), adopted: true };
  return peer === undefined ? { owner } : { owner, peer: peer as Namespace };
}

function isNameless(ns: Namespace): boolean {
  const parsed = parseNamespace(ns);
  return parsed.type === 'sandbox' && parseSandboxRef(parsed.ref)?.type !== 'name';
}

/**
 * Whose turn it is to make a snapshot. Every host computes the same from its own fold, so there is nothing to agree upon
 * and nothing to renew: the hosts take turns, and where one is down the next takes over when the log has grown further.
 * Two that do it at once do no harm.
 */
import type { State } from '../fold/state.ts';
import { snapshotOrdinalsMin, snapshotStatePart, turnPart } from './defaults.ts';

/** Records behind the newest snapshot after which the next one is due. @param ordinalsMin what it is at least */
export function distanceOf(state: State, ordinalsMin: number): number {
  const objects = state.endpoints.size + state.networks.size + state.hosts.size;
  return Math.max(ordinalsMin, Math.ceil(objects * snapshotStatePart));
}

/** Whose turn comes first behind the newest snapshot, and from which ordinal on; undefined while there is no host. */
export function firstTurn(
  state: State,
  newest: number,
  ordinalsMin: number = snapshotOrdinalsMin,
): { readonly host: string; readonly ordinal: number } | undefined {
  const hosts = [...state.hosts.keys()];
  const host = hosts[placeOfFirst(newest, hosts.length, ordinalsMin)];
  return host === undefined ? undefined : { host, ordinal: newest + distanceOf(state, ordinalsMin) };
}

/**
 * The ordinal from which on a host is to make a snapshot.
 *
 * @param newest ordinal of the newest snapshot, 0 when there is none
 * @param host its name; one that is not in the state comes last
 * @param ordinalsMin records between two snapshots at least; should be the same on all hosts
 */
export function dueAt(
  state: State,
  newest: number,
  host: string,
  ordinalsMin: number = snapshotOrdinalsMin,
): number {
  const hosts = [...state.hosts.keys()];
  const distance = distanceOf(state, ordinalsMin);
  const at = hosts.indexOf(host);
  const first = placeOfFirst(newest, hosts.length, ordinalsMin);
  const place = at < 0 ? hosts.length : (at - first + hosts.length) % hosts.length;
  return newest + distance + Math.floor(place * distance * turnPart);
}

function placeOfFirst(newest: number, hosts: number, ordinalsMin: number): number {
  return hosts === 0 ? 0 : Math.floor(newest / ordinalsMin) % hosts;
}

/**
 * Who speaks first of what all see: every host computes the same order from its fold, beginning with another for every
 * life that is spoken of, so that one record is written and not one by each. Where that one does not, because it sees
 * otherwise or is gone itself, the next does a little later. Two that speak at once do no harm.
 */
import type { State } from '../fold/state.ts';
import type { Host } from '../model/host.ts';

/**
 * The place of a host among those that may speak, from 0.
 *
 * @param isSilent whether a host is not to be waited for
 */
export function placeOf(
  self: string,
  subject: Host,
  state: State,
  isSilent: (host: Host) => boolean,
): number {
  const speakers: string[] = [];
  for (const host of state.hosts.values()) {
    if (host.name === subject.name || host.isDown) continue;
    if (host.name === self || !isSilent(host)) speakers.push(host.name);
  }
  const own = speakers.indexOf(self);
  if (own < 0) return speakers.length;
  const first = (subject.joined + subject.epoch) % speakers.length;
  return (own - first + speakers.length) % speakers.length;
}

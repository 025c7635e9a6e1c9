/** Hosts: joining, coming back, being removed. Epochs count the lives of a name and never repeat. */
import { assert } from '../lib/assert.ts';
import { quote } from '../lib/quote.ts';
import { mtuMax, mtuMin } from '../limits.ts';
import type { BodyOf, RecordOf } from '../log/record.ts';
import {
  familyOf,
  type IpAddress,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  widthOf,
} from '../model/address.ts';
import type { Host } from '../model/host.ts';
import { isName, nameKey, nameRule } from '../model/names.ts';
import type { Change } from './change.ts';
import type { Context, Decision } from './decision.ts';
import type { Draft } from './draft.ts';
import { releaseEndpoint } from './endpoint.ts';
import { dropGateways, renumberGateways } from './gateway.ts';
import { leaveGatewaySubnet, settleGatewaySubnet } from './gateway-subnet.ts';
import { endpointsOfHost, hostAt, hostNamed } from './lookup.ts';
import { refuseUnless } from './refused.ts';
import type { State } from './state.ts';

/** Where no other host can send to. */
const unreachable: readonly Prefix[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].map(prefix);

export function joinHost({ draft, stamp }: Context, record: RecordOf<'host-join'>): Decision {
  const { host: name, body } = record;
  refuseUnless(isName(name), 'bad-name', () => `Cannot join as ${quote(name)}: ${nameRule}`);
  const address = checkAddress(name, body.address);
  refuseUnless(body.mtu >= mtuMin && body.mtu <= mtuMax, 'bad-option', () => {
    return `Cannot join as ${quote(name)}: an underlay MTU of ${body.mtu} is not from ${mtuMin} to ${mtuMax}; set the link's MTU`;
  });
  const previous = hostNamed(draft, name);
  refuseUnless(
    previous === undefined || (previous.identity === body.identity && previous.name === name),
    'host-taken',
    () => {
      return `Cannot join as ${quote(name)}: another machine has that name; choose another, or remove it with \`weft host rm\``;
    },
  );
  checkTimely(draft, record, previous);
  const neighbour = hostAt(draft, address);
  refuseUnless(neighbour === undefined || neighbour.name === name, 'address-in-use-by-host', () => {
    return `Cannot join as ${quote(name)}: host ${quote(neighbour?.name ?? '')} advertises ${address} too; advertise an address of this machine`;
  });
  const what = () => `Cannot join as ${quote(name)}`;
  const { subnet, dropped } = settleGatewaySubnet(what, draft, name, previous, body);
  const epoch = nextEpoch(draft, name, previous);
  const created = previous?.created ?? stamp;
  const life = { epoch, joined: stamp.ordinal, isDown: false };
  const gateway = subnet === undefined ? {} : { gatewaySubnet: subnet };
  const host: Host = { name, address, ...machineOf(body), ...gateway, ...life, created, changed: stamp };
  draft.putHost(host);
  const renumbered = dropped === undefined ? [] : renumberGateways(draft, stamp, host, dropped, what);
  return {
    subject: { type: 'host', name, epoch },
    changes: [{ type: 'host-set', host, ...(previous === undefined ? {} : { previous }) }, ...renumbered],
  };
}

export function removeHost(context: Context, record: RecordOf<'host-remove'>): Decision {
  const host = requireHost(context.draft, record.body.name);
  return release(context, host, 'host-removed');
}

/**
 * What the others do with a host that none of them hears: its names stop resolving, all else of it stays, and nothing
 * that it asks counts until it has joined again. Never with more than half of the hosts at once: where so many are
 * silent, what fails is more likely whoever listens.
 */
export function takeDown({ draft, stamp }: Context, record: RecordOf<'host-down'>): Decision {
  const previous = requireLife(draft, record);
  const who = `host ${quote(previous.name)}`;
  refuseUnless(!previous.isDown, 'host-down', () => {
    return `The ${who} is down since record ${previous.changed.ordinal}; nothing is to be done`;
  });
  refuseUnless(draft.downHosts.size < downHostsMax(draft), 'too-many-down', () => {
    return (
      `Cannot take ${who} down: with it more than half of the ${draft.hosts.size} hosts would be; ` +
      'remove those that will not come back with `weft host rm`'
    );
  });
  const host: Host = { ...previous, isDown: true, changed: stamp };
  draft.putHost(host);
  return {
    subject: { type: 'host', name: host.name, epoch: host.epoch },
    changes: [{ type: 'host-set', host, previous }],
  };
}

/** What the others do with a host that was down for the whole retention: as if somebody had removed it. */
export function expireHost(context: Context, record: RecordOf<'host-expire'>): Decision {
  const host = requireLife(context.draft, record);
  refuseUnless(host.isDown, 'host-up', () => {
    return `Cannot expire host ${quote(host.name)}: it is not down; remove it with \`weft host rm\``;
  });
  return release(context, host, 'host-expired');
}

/** So many hosts may be down at once. */
export function downHostsMax({ hosts }: Pick<State, 'hosts'>): number {
  return Math.floor(hosts.size / 2);
}

function release({ draft, stamp }: Context, host: Host, reason: 'host-removed' | 'host-expired'): Decision {
  const isExpired = reason === 'host-expired';
  const changes: Change[] = [...dropGateways(draft, host.name)];
  for (const endpoint of [...endpointsOfHost(draft, host.name)]) {
    releaseEndpoint(draft, endpoint);
    changes.push({ type: 'endpoint-removed', endpoint, reason });
  }
  leaveGatewaySubnet(draft, host);
  draft.removeHost(host);
  draft.rememberRemoved(host.name, { epoch: host.epoch, ordinal: stamp.ordinal, isExpired });
  changes.push({ type: 'host-removed', host, isExpired });
  return { subject: { type: 'host', name: host.name, epoch: host.epoch }, changes };
}

function requireHost(draft: Draft, name: string): Host {
  const host = hostNamed(draft, name);
  refuseUnless(
    host !== undefined,
    'no-such-host',
    () => `No host is called ${quote(name)}: see \`weft host ls\``,
  );
  return host;
}

/** The host in the very life that was judged: whoever has joined since was not. */
function requireLife(draft: Draft, { body }: RecordOf<'host-down' | 'host-expire'>): Host {
  const host = requireHost(draft, body.name);
  refuseUnless(host.epoch === body.epoch, 'stale-epoch', () => {
    return `What was seen is of life ${body.epoch} of host ${quote(host.name)}, which lives its ${host.epoch}; nothing is to be done`;
  });
  return host;
}

/**
 * Forgets the host that a record of that ordinal removed. All that the host wrote it wrote before, so all of it is too
 * old by now, and the name may begin again above every forgotten epoch.
 */
export function forgetRemovedHost(draft: Draft, ordinal: number): void {
  const key = draft.removals.get(ordinal);
  if (key === undefined) return;
  const { epoch } = draft.forgetRemoved(key);
  if (epoch > draft.epochFloor) draft.setEpochFloor(epoch);
}

/**
 * A join that was written before the host's present life began, or before its removal, is a straggler: a first attempt
 * that lands after the retry, or the last word of a daemon that is dead. It must not end the life that goes on.
 */
function checkTimely(draft: Draft, record: RecordOf<'host-join'>, previous: Host | undefined): void {
  const { host: name, base } = record;
  refuseUnless(previous === undefined || base >= previous.changed.ordinal, 'stale-epoch', () => {
    return `The join of ${quote(name)} was written before record ${previous?.changed.ordinal ?? 0}, by which its life ${previous?.epoch ?? 0} ${previous?.isDown === true ? 'was taken down' : 'began'}; nothing is to be done`;
  });
  const removed = draft.removedHosts.get(nameKey(name));
  refuseUnless(removed === undefined || base >= removed.ordinal, 'stale-epoch', () => {
    return `The join of ${quote(name)} was written before record ${removed?.ordinal ?? 0} removed it; nothing is to be done`;
  });
}

/** One more than the name ever had: that of its present life, or of its last, or one that no forgotten host had. */
function nextEpoch(draft: Draft, name: string, previous: Host | undefined): number {
  if (previous !== undefined) return previous.epoch + 1;
  const key = nameKey(name);
  return (draft.removedHosts.has(key) ? draft.forgetRemoved(key).epoch : draft.epochFloor) + 1;
}

function machineOf(body: BodyOf<'host-join'>): Pick<Host, 'identity' | 'mtu' | 'version'> {
  return { identity: body.identity, mtu: body.mtu, version: body.version };
}

function checkAddress(name: string, text: string): IpAddress {
  const address = parseAddress(text);
  refuseUnless(address !== undefined, 'bad-address', () => {
    return `Cannot join as ${quote(name)}: ${quote(text)} is no address; advertise one of this machine's, such as 192.168.2.15`;
  });
  const itself = `${address}/${widthOf(familyOf(address))}` as Prefix;
  const isReachable = address !== '255.255.255.255' && !unreachable.some((range) => overlaps(range, itself));
  refuseUnless(isReachable, 'bad-address', () => {
    return `Cannot join as ${quote(name)}: other hosts cannot send to ${address}; advertise an address that they reach`;
  });
  return address;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert('prefix' in parsed, `${text} is a prefix`);
  return parsed.prefix;
}

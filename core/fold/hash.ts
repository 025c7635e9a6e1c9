/**
 * What the two hashes of a state are made of. The running hash chains the bytes of the records. The hash of the state is
 * a set hash (`lib/set-hash.ts`) over the members below: every object, every allocation, every cursor and the memory of
 * records, each as a tag and its fields in fixed order. Derived indexes are not in it; `check.ts` compares those.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { Pool } from '../ipam/pool.ts';
import type { Space } from '../ipam/pools.ts';
import { CanonicalBytes } from '../lib/canonical-bytes.ts';
import { Digester } from '../lib/digest.ts';
import { SetHash } from '../lib/set-hash.ts';
import { vniMin } from '../limits.ts';
import type { Endpoint, InterfaceSysctl, StaticRoute } from '../model/endpoint.ts';
import type { Host } from '../model/host.ts';
import type { LogId, RecordId } from '../model/ids.ts';
import type { Network, Subnet } from '../model/network.ts';
import type { PublishedPort } from '../model/published-port.ts';
import type { Stamp } from '../model/stamp.ts';
import type { NextLog, PastLog } from './course.ts';
import type { RemovedHost } from './removed-host.ts';

/** One buffer and one hasher for all: each is hashed before the next is written, and nothing here is asynchronous. */
const scratch = new CanonicalBytes();

const digester = new Digester();

/** The running hash after one more line: of the hash so far, the line's length in four bytes, and the line. */
export function nextRecordHash(previous: string, line: Uint8Array): string {
  const length = Uint8Array.of(line.length >>> 24, line.length >>> 16, line.length >>> 8, line.length);
  return bytesToHex(digester.digest(hexToBytes(previous), length, line));
}

export function hostMember(host: Host): Uint8Array {
  begin('host').text(host.name).text(host.address).text(host.identity);
  scratch.integer(host.epoch).integer(host.mtu).text(host.version);
  scratch.optionalText(host.gatewaySubnet).integer(host.joined).flag(host.isDown);
  return end(host.created, host.changed);
}

export function removedHostMember(key: string, removed: RemovedHost): Uint8Array {
  return begin('removed-host')
    .text(key)
    .integer(removed.epoch)
    .integer(removed.ordinal)
    .flag(removed.isExpired).bytes;
}

export function networkMember(network: Network): Uint8Array {
  begin('network')
    .text(network.id)
    .text(network.name)
    .text(network.driver)
    .integer(network.vni ?? 0);
  scratch.list(network.subnets, writeSubnet).flag(network.ipv6).text(network.space).flag(network.internal);
  scratch.list(sortedPairs(network.options), writePair).list(sortedPairs(network.labels), writePair);
  return end(network.created, network.changed);
}

export function endpointMember(endpoint: Endpoint): Uint8Array {
  begin('endpoint').text(endpoint.id).text(endpoint.network).optionalText(endpoint.name);
  scratch.list(endpoint.aliases, writeText).text(endpoint.host);
  scratch.text(endpoint.sandbox.ref).text(endpoint.sandbox.identity);
  scratch.optionalText(endpoint.ifname).optionalText(endpoint.mac).list(endpoint.addresses, writeText);
  scratch.optionalText(endpoint.gatewayPriority?.toString()).list(endpoint.ports ?? [], writePort);
  scratch.list(endpoint.linkLocal ?? [], writeText).list(endpoint.sysctls ?? [], writeSysctl);
  scratch.list(endpoint.routes ?? [], writeRoute);
  return end(endpoint.created, endpoint.changed);
}

/** A pool without its allocations. */
export function poolMember(pool: Pool): Uint8Array {
  begin('pool').text(pool.space).text(pool.prefix);
  return scratch.list(pool.cursors, (out, cursor) => {
    out.bigint(cursor.first).bigint(cursor.last).integer(cursor.users).bigint(cursor.next);
  }).bytes;
}

/** One allocation of a pool. */
export function addressMember(pool: Pool, value: bigint): Uint8Array {
  return begin('address').text(pool.space).text(pool.prefix).bigint(value).bytes;
}

export function spaceMember(space: Space): Uint8Array {
  return begin('space').text(space.name).bigint(space.cursor).bytes;
}

export function vniMember(vni: bigint): Uint8Array {
  return begin('vni').bigint(vni).bytes;
}

export function pastLogMember({ logId, ordinal, recordHash }: PastLog): Uint8Array {
  return begin('past-log').text(logId).integer(ordinal).text(recordHash).bytes;
}

export function presentLogMember(logId: LogId): Uint8Array {
  return begin('present-log').text(logId).bytes;
}

export function nextLogMember({ logId, url }: NextLog): Uint8Array {
  return begin('next-log').text(logId).text(url).bytes;
}

/** A number of which there is one. */
export function registerMember(name: 'vni-cursor' | 'epoch-floor', value: bigint): Uint8Array {
  return begin(name).bigint(value).bytes;
}

export function recentMember(id: RecordId, ordinal: number): Uint8Array {
  return begin('recent').text(id).integer(ordinal).bytes;
}

/** The hashes before the first record. */
export const emptyRecordHash: string = bytesToHex(digester.digest(begin('weft log').bytes));
export const emptyStateHash: string = hashOfRegisters();

function hashOfRegisters(): string {
  const hash = SetHash.empty();
  hash.add(registerMember('vni-cursor', BigInt(vniMin)));
  hash.add(registerMember('epoch-floor', 0n));
  return hash.hex;
}

function begin(tag: string): CanonicalBytes {
  return scratch.reset().text(tag);
}

function end(created: Stamp, changed: Stamp): Uint8Array {
  writeStamp(created);
  // Most objects never change after they are made: one record writes one stamp, so the ordinals tell.
  const isChanged = created.ordinal !== changed.ordinal;
  scratch.flag(isChanged);
  if (isChanged) writeStamp(changed);
  return scratch.bytes;
}

function writeStamp(stamp: Stamp): void {
  scratch.integer(stamp.ordinal).text(stamp.host).text(stamp.by).integer(stamp.at);
}

function writeSubnet(out: CanonicalBytes, subnet: Subnet): void {
  out.text(subnet.prefix).text(subnet.gateway).optionalText(subnet.range);
  out.list(subnet.aux, (inner, aux) => inner.text(aux.name).text(aux.address));
}

function writePort(out: CanonicalBytes, { protocol, address, hostPort, port }: PublishedPort): void {
  out.text(protocol).text(address).integer(hostPort).integer(port);
}

function writeSysctl(out: CanonicalBytes, { name, value }: InterfaceSysctl): void {
  out.text(name).text(value);
}

function writeRoute(out: CanonicalBytes, { destination, via }: StaticRoute): void {
  out.text(destination).optionalText(via);
}

function writePair(out: CanonicalBytes, [key, value]: readonly [string, string]): void {
  out.text(key).text(value);
}

function writeText(out: CanonicalBytes, text: string): void {
  out.text(text);
}

/** By code units of the keys, whatever order the object has them in. */
function sortedPairs(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

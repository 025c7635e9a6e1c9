/**
 * Identifiers. A record's id is drawn by its author before the first try; the ids of everything that the record creates
 * derive from it, so that every host computes the same ones.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { Digester } from '../lib/digest.ts';
import { encodeUtf8 } from '../lib/utf8.ts';

const digester = new Digester();

declare const brand: unique symbol;

/** 32 hexadecimal digits (128 random bits). */
export type RecordId = string & { readonly [brand]: 'RecordId' };
/** 32 hexadecimal digits (128 random bits): the key under which an entry is put if absent. */
export type EntryId = string & { readonly [brand]: 'EntryId' };
/** 32 hexadecimal digits, written once at genesis. Names this log and no other. */
export type LogId = string & { readonly [brand]: 'LogId' };
/** 32 hexadecimal digits: those of the ordinal that a snapshot stands at, and random ones that tell its authors apart. */
export type SnapshotId = string & { readonly [brand]: 'SnapshotId' };
/** 32 hexadecimal digits (128 random bits): one run of a daemon, from its start to its end. */
export type BootId = string & { readonly [brand]: 'BootId' };
/** 64 hexadecimal digits, as Docker shows them. */
export type NetworkId = string & { readonly [brand]: 'NetworkId' };
/** 64 hexadecimal digits, as Docker shows them. */
export type EndpointId = string & { readonly [brand]: 'EndpointId' };

export function isRandomId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** The id of the network that a record creates. */
export function networkIdOf(record: RecordId): NetworkId {
  return derive('network', record) as NetworkId;
}

/** The id of the endpoint that a record creates. */
export function endpointIdOf(record: RecordId): EndpointId {
  return derive('endpoint', record) as EndpointId;
}

/** The id of a network that no record creates: the same in every cluster. */
export function predefinedNetworkIdOf(name: string): NetworkId {
  return derive('predefined network', name) as NetworkId;
}

/** The id of a sandbox's endpoint on its host's gateway bridge, which no record asks for: the same each time. */
export function gatewayEndpointIdOf(host: string, identity: string): EndpointId {
  return derive('gateway endpoint', `${host} ${identity}`) as EndpointId;
}

/** @param seed a record's id, or what names an object that no record asks for */
function derive(kind: string, seed: string): string {
  return bytesToHex(digester.digest(encodeUtf8(`weft ${kind} ${seed}`)));
}

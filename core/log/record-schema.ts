/**
 * The shapes of record bodies. Only shape and size are checked here, with the same result on every host and build;
 * whether a request makes sense (a subnet that parses, a name that is free) is the fold's to decide and to record.
 */
import { z } from 'zod';
import {
  aliasesMax,
  auxAddressesMax,
  avoidedInterfacesMax,
  avoidedPrefixesMax,
  endpointRoutesMax,
  gatewayPriorityMax,
  gatewayPriorityMin,
  labelKeyLengthMax,
  labelsMax,
  labelValueLengthMax,
  optionsMax,
  portSpecsMax,
  reportedListenersMax,
  subnetsMax,
} from '../limits.ts';
import { portProtocols } from '../model/published-port.ts';
import { sandboxRefLengthMax } from '../model/sandbox.ts';

/** Any text that could be a name, an address or a prefix; which of them are valid is for the fold. */
const text = z.string().max(255);
const objectId = z.string().regex(/^[0-9a-f]{64}$/);
const randomId = z.string().regex(/^[0-9a-f]{32}$/);
const count = z.int().min(0);

/** Pairs instead of an object: no key can be `__proto__`, none is lost, and the order is the author's. */
const pair = (keyMax: number, valueMax: number) =>
  z.tuple([z.string().max(keyMax), z.string().max(valueMax)]);
const options = z.array(pair(labelKeyLengthMax, labelValueLengthMax)).max(optionsMax);
const labels = z.array(pair(labelKeyLengthMax, labelValueLengthMax)).max(labelsMax);

const avoidedPrefixes = z.array(z.string().max(64)).max(avoidedPrefixesMax);
const avoidedInterfaces = z.array(z.string().max(15)).max(avoidedInterfacesMax);

const hostJoin = z.strictObject({
  address: text,
  identity: randomId,
  mtu: count,
  version: z.string().max(64),
  /** Of the host's gateway bridge; absent: what it had, or the next that is free. */
  gatewaySubnet: text.optional(),
  /** Prefixes that the host has routes to: an automatic gateway subnet avoids them. Absent: none. */
  avoid: avoidedPrefixes.optional(),
});

const hostRemove = z.strictObject({ name: text });

/** Of one life of a host, so that what was seen of an earlier one never counts for a later. */
const hostLife = z.strictObject({ name: text, epoch: count });

const subnet = z.strictObject({
  prefix: text,
  gateway: text.optional(),
  range: text.optional(),
  aux: z.array(pair(255, 255)).max(auxAddressesMax),
});

const networkCreate = z.strictObject({
  name: text,
  driver: text,
  /** Empty: from the default pools of the space. */
  subnets: z.array(subnet).max(subnetsMax),
  ipv6: z.boolean(),
  internal: z.boolean(),
  space: text,
  options,
  labels,
  /** Prefixes that the author's host has routes to: automatic subnets of bridges avoid them. Absent: none. */
  avoid: avoidedPrefixes.optional(),
});

const networkRemove = z.strictObject({ network: objectId });

const listener = z.strictObject({
  protocol: z.enum(portProtocols),
  address: z.string().max(64),
  port: count,
  process: z.string().max(64).optional(),
});

const endpointCreate = z.strictObject({
  network: objectId,
  name: text.optional(),
  aliases: z.array(text).max(aliasesMax),
  /** Static addresses; absent: the fold chooses. */
  ipv4: text.optional(),
  ipv6: text.optional(),
  mac: text.optional(),
  /** Link-local addresses beside those. Absent: none. */
  linkLocal: z.array(text).max(2).optional(),
  /** Options by Docker's names. Absent: none. */
  options: options.optional(),
  /** Static routes, `DESTINATION[,GATEWAY]` each. Absent: none. */
  routes: z.array(text).max(endpointRoutesMax).optional(),
  sandbox: z.strictObject({
    ref: z.string().min(1).max(sandboxRefLengthMax),
    identity: z.string().min(1).max(128),
  }),
  /** Interface name asked for; absent: the lowest free `ethN`. */
  ifname: z.string().max(15).optional(),
  /** Of several endpoints of one sandbox the one of the highest priority gives the default route; absent: 0. */
  gatewayPriority: z.int().min(gatewayPriorityMin).max(gatewayPriorityMax).optional(),
  /** What is to be published, as the user wrote it. Absent: nothing. */
  ports: z.array(text).max(portSpecsMax).optional(),
  /** Sockets of the author's host, not weft's, that have ports which `ports` could mean. Absent: none. */
  listeners: z.array(listener).max(reportedListenersMax).optional(),
  /** Interfaces that the author saw in the sandbox and that are not weft's: automatic names avoid them. */
  avoid: avoidedInterfaces,
});

/** Why an endpoint goes: asked for, its sandbox is gone, or its kernel objects could not be made. */
export const removalReason = z.enum(['requested', 'sandbox-gone', 'attach-failed']);

const endpointRemove = z.strictObject({
  endpoint: objectId,
  reason: removalReason,
  /** As of an attach: without the endpoint the sandbox may get an interface on the gateway bridge. Absent: none. */
  avoid: avoidedInterfaces.optional(),
});

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The first record of a log that goes on from where another one ended. */
const logBegin = z.strictObject({
  /** Of the log that begins. */
  logId: randomId,
  succeeds: z.strictObject({ logId: randomId, ordinal: count, recordHash: hash, stateHash: hash }),
});

/** The seal of a log: the cluster goes on in that one. No credentials. */
const logMove = z.strictObject({ logId: randomId, url: z.string().min(1).max(2_048) });

const envelope = {
  v: z.literal(1),
  id: randomId,
  /** Author host and its epoch; a host-join is written before its epoch is known and carries 0. */
  host: text,
  epoch: count,
  /** The author's applied ordinal when it made the record. */
  base: count,
  /** Author's wall clock, milliseconds since 1970 UTC; for people. */
  at: count,
  /** Who asked the author. */
  by: z.string().max(128),
};

export const recordSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...envelope, kind: z.literal('host-join'), body: hostJoin }),
  z.strictObject({ ...envelope, kind: z.literal('host-remove'), body: hostRemove }),
  z.strictObject({ ...envelope, kind: z.literal('host-down'), body: hostLife }),
  z.strictObject({ ...envelope, kind: z.literal('host-expire'), body: hostLife }),
  z.strictObject({ ...envelope, kind: z.literal('network-create'), body: networkCreate }),
  z.strictObject({ ...envelope, kind: z.literal('network-remove'), body: networkRemove }),
  z.strictObject({ ...envelope, kind: z.literal('endpoint-create'), body: endpointCreate }),
  z.strictObject({ ...envelope, kind: z.literal('endpoint-remove'), body: endpointRemove }),
  z.strictObject({ ...envelope, kind: z.literal('log-begin'), body: logBegin }),
  z.strictObject({ ...envelope, kind: z.literal('log-move'), body: logMove }),
]);

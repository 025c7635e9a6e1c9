/**
 * The lines of a snapshot: what they may hold. A snapshot is read from a store that others can write to, so its shape is
 * checked like any other input, and what it adds up to is checked by the hash of the state.
 */
import { z } from 'zod';
import type { InterfaceAddress, IpAddress, Prefix } from '../model/address.ts';
import type { EndpointId, LogId, NetworkId, RecordId } from '../model/ids.ts';
import type { Mac } from '../model/mac.ts';
import { portProtocols } from '../model/published-port.ts';

/** A text that the fold has judged when it came in. What it must be is in the hash of the state. */
const judged = <T extends string>() => z.string() as unknown as z.ZodType<T>;
const hexOf = <T extends string>(digits: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`)) as unknown as z.ZodType<T>;

const text = z.string();
const count = z.int().min(0);
const hash = hexOf<string>(64);
const recordId = hexOf<RecordId>(32);
/** Whole numbers of any size travel as decimal digits. */
const digits = z.string().regex(/^(?:0|[1-9][0-9]{0,38})$/);
const stamp = z.strictObject({ ordinal: count, host: text, by: text, at: count });
/** `changed` only where another record than the one that made the object has changed it. */
const stamps = { created: stamp, changed: stamp.exactOptional() };

const head = z.strictObject({
  kind: z.literal('snapshot'),
  v: z.literal(1),
  ordinal: count,
  recordHash: hash,
  stateHash: hash,
  vniCursor: digits,
  epochFloor: count,
});

const host = z.strictObject({
  kind: z.literal('host'),
  name: text,
  address: judged<IpAddress>(),
  identity: hexOf<string>(32),
  epoch: count,
  mtu: count,
  version: text,
  gatewaySubnet: judged<Prefix>().exactOptional(),
  joined: count,
  isDown: z.boolean(),
  ...stamps,
});

const removedHost = z.strictObject({
  kind: z.literal('removed-host'),
  name: text,
  epoch: count,
  ordinal: count,
  isExpired: z.boolean(),
});

/** A log that the cluster has lived on, oldest first. */
const pastLog = z.strictObject({
  kind: z.literal('past-log'),
  logId: hexOf<LogId>(32),
  ordinal: count,
  recordHash: hash,
});

/** The log that the snapshot is of, where that goes on from another one. */
const presentLog = z.strictObject({ kind: z.literal('present-log'), logId: hexOf<LogId>(32) });

/** Of a sealed log: where it goes on. */
const nextLog = z.strictObject({ kind: z.literal('next-log'), logId: hexOf<LogId>(32), url: text });

/** An address space. Its pools follow from their cursors, what is taken in them from the networks and endpoints. */
const space = z.strictObject({ kind: z.literal('space'), name: text, cursor: digits });

/** A cursor of a pool; a pool has at least one. A line each, because one pool may have very many. */
const cursor = z.strictObject({
  kind: z.literal('cursor'),
  space: text,
  prefix: judged<Prefix>(),
  first: digits,
  last: digits,
  users: count,
  next: digits,
});

const network = z.strictObject({
  kind: z.literal('network'),
  id: hexOf<NetworkId>(64),
  name: text,
  driver: text,
  vni: count.exactOptional(),
  subnets: z.array(
    z.strictObject({
      prefix: judged<Prefix>(),
      gateway: judged<IpAddress>(),
      range: judged<Prefix>().exactOptional(),
      aux: z.array(z.strictObject({ name: text, address: judged<IpAddress>() })),
    }),
  ),
  ipv6: z.boolean(),
  space: text,
  internal: z.boolean(),
  /** Pairs: no key can be `__proto__`, and the order is kept. */
  options: z.array(z.tuple([text, text])),
  labels: z.array(z.tuple([text, text])),
  ...stamps,
});

const endpoint = z.strictObject({
  kind: z.literal('endpoint'),
  id: hexOf<EndpointId>(64),
  network: hexOf<NetworkId>(64),
  name: text.exactOptional(),
  aliases: z.array(text),
  host: text,
  sandbox: z.strictObject({ ref: text, identity: text }),
  ifname: text.exactOptional(),
  mac: judged<Mac>().exactOptional(),
  addresses: z.array(judged<InterfaceAddress>()),
  linkLocal: z.array(judged<InterfaceAddress>()).exactOptional(),
  sysctls: z.array(z.strictObject({ name: text, value: text })).exactOptional(),
  routes: z
    .array(z.strictObject({ destination: judged<Prefix>(), via: judged<IpAddress>().exactOptional() }))
    .exactOptional(),
  gatewayPriority: z.int().exactOptional(),
  ports: z
    .array(
      z.strictObject({
        protocol: z.enum(portProtocols),
        address: judged<IpAddress>(),
        hostPort: count,
        port: count,
      }),
    )
    .exactOptional(),
  ...stamps,
});

/** Records that the fold remembers, of the stretch before the present one or of the present one. */
const memory = z.strictObject({
  kind: z.literal('memory'),
  stretch: z.enum(['previous', 'present']),
  records: z.array(z.tuple([recordId, count])),
});

/** The last line, so that a snapshot that was cut off is known for one. */
const tail = z.strictObject({ kind: z.literal('end'), lines: count });

export const snapshotLine = z.discriminatedUnion('kind', [
  head,
  host,
  removedHost,
  pastLog,
  presentLog,
  nextLog,
  space,
  cursor,
  network,
  endpoint,
  memory,
  tail,
]);

export type SnapshotLine = z.infer<typeof snapshotLine>;
export type LineOf<K extends SnapshotLine['kind']> = Extract<SnapshotLine, { kind: K }>;

/** Any records that the schema takes, sensible or not, and ways to spoil their bytes. */
import fc from 'fast-check';
import { gatewayPriorityMax, gatewayPriorityMin } from '../../core/limits.ts';
import type { LogRecord } from '../../core/log/record.ts';
import { portProtocols } from '../../core/model/published-port.ts';

const id32 = fc.stringMatching(/^[0-9a-f]{32}$/);
const id64 = fc.stringMatching(/^[0-9a-f]{64}$/);
const text = fc.oneof(
  fc.constantFrom(
    'red',
    'Red',
    'blue',
    'h1',
    '10.0.1.0/24',
    '10.0.1.7/24',
    '10.0.1.9',
    'fd00:1::/64',
    'eth0',
    '',
  ),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const pairs = fc.array(fc.tuple(text, text), { maxLength: 2 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** Leaves out members that are undefined, as JSON does. */
function dense<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

const subnet = fc.record({ prefix: text, gateway: maybe(text), range: maybe(text), aux: pairs });
const portText = fc.constantFrom(
  '80',
  '8080:80',
  '[::1]:53:53/udp',
  '8000-8001:80',
  '9-8',
  '127.0.0.1::1-65535/sctp',
);
const listener = fc.record({
  protocol: fc.constantFrom(...portProtocols),
  address: fc.constantFrom('0.0.0.0', '::', 'nowhere'),
  port: fc.nat(65_535),
  process: maybe(fc.string({ maxLength: 9 })),
});
const bodies = {
  'host-join': fc.record({
    address: text,
    identity: id32,
    mtu: fc.nat(),
    version: fc.string({ maxLength: 8 }),
    gatewaySubnet: maybe(text),
    avoid: maybe(fc.array(text, { maxLength: 2 })),
  }),
  'host-remove': fc.record({ name: text }),
  'log-begin': fc.record({
    logId: id32,
    succeeds: fc.record({ logId: id32, ordinal: fc.nat(), recordHash: id64, stateHash: id64 }),
  }),
  'log-move': fc.record({ logId: id32, url: fc.string({ minLength: 1, maxLength: 20 }) }),
  'host-down': fc.record({ name: text, epoch: fc.nat(3) }),
  'host-expire': fc.record({ name: text, epoch: fc.nat(3) }),
  'network-create': fc.record({
    name: text,
    driver: fc.constantFrom('overlay', 'null', 'bridge'),
    subnets: fc.array(subnet, { maxLength: 3 }),
    ipv6: fc.boolean(),
    internal: fc.boolean(),
    space: text,
    options: pairs,
    labels: pairs,
    avoid: maybe(fc.array(text, { maxLength: 2 })),
  }),
  'network-remove': fc.record({ network: id64 }),
  'endpoint-create': fc.record({
    network: id64,
    name: maybe(text),
    aliases: fc.array(text, { maxLength: 2 }),
    ipv4: maybe(text),
    ipv6: maybe(text),
    mac: maybe(text),
    linkLocal: maybe(fc.array(text, { maxLength: 2 })),
    options: maybe(pairs),
    sandbox: fc.record({
      ref: fc.string({ minLength: 1, maxLength: 9 }),
      identity: fc.string({ minLength: 1, maxLength: 9 }),
    }),
    ifname: maybe(fc.string({ maxLength: 15 })),
    gatewayPriority: maybe(fc.integer({ min: gatewayPriorityMin, max: gatewayPriorityMax })),
    ports: maybe(fc.array(fc.oneof(portText, text), { maxLength: 3 })),
    listeners: maybe(fc.array(listener, { maxLength: 2 })),
    avoid: fc.array(fc.string({ maxLength: 15 }), { maxLength: 2 }),
  }),
  'endpoint-remove': fc.record({
    endpoint: id64,
    reason: fc.constantFrom('requested', 'sandbox-gone', 'attach-failed'),
    avoid: maybe(fc.array(fc.string({ maxLength: 15 }), { maxLength: 2 })),
  }),
};

/** Any record of the present version. */
export const anyRecord: fc.Arbitrary<LogRecord> = fc.oneof(
  ...Object.entries(bodies).map(([kind, body]) =>
    fc
      .record({
        v: fc.constant(1),
        kind: fc.constant(kind),
        id: id32,
        host: fc.oneof(fc.constantFrom('h1', 'h2'), text),
        epoch: fc.nat(3),
        base: fc.oneof(fc.constant(0), fc.maxSafeNat()),
        at: fc.maxSafeNat(),
        by: fc.string({ unit: 'grapheme', maxLength: 9 }),
        body: body as fc.Arbitrary<unknown>,
      })
      .map((record) => dense(record) as LogRecord),
  ),
);

/** The bytes with some of them replaced, left out or repeated. */
export function mutationOf(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(Math.max(bytes.length - 1, 0));
  const cut = fc.record({ at, length: fc.nat(8), insert: fc.uint8Array({ maxLength: 4 }) });
  return fc.array(cut, { minLength: 1, maxLength: 3 }).map((cuts) => {
    let mutated = [...bytes];
    for (const each of cuts) mutated = mutated.toSpliced(each.at, each.length, ...each.insert);
    return Uint8Array.from(mutated);
  });
}

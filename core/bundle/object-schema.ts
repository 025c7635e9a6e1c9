/** The shapes of kernel objects in a file that anybody may have made. What they mean is in `dataplane/object.ts`. */
import { z } from 'zod';
import { nftSetNames } from '../dataplane/firewall.ts';
import type { KernelObject } from '../dataplane/object.ts';

/** Printable ASCII without a blank: keys are made of these, and terminals are shown them. */
const word = z.string().regex(/^[\x21-\x7e]{1,255}$/);
const namespace = z.string().regex(/^(host|net:[\x21-\x7e]{1,255}|sandbox:[\x21-\x7e]{1,255})$/);
const count = z.int().min(0);
const on = { ns: namespace, link: word };

const place = z.strictObject({ ns: namespace, name: word });

const linkType = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('loopback') }),
  z.strictObject({ type: z.literal('bridge'), adopted: z.enum(['allowed', 'yes']).exactOptional() }),
  z.strictObject({ type: z.literal('vxlan'), vni: count, local: word, port: count }),
  z.strictObject({ type: z.literal('veth'), peer: place }),
  z.strictObject({ type: z.literal('dummy') }),
  z.strictObject({
    type: z.literal('macvlan'),
    parent: place,
    mode: z.enum(['bridge', 'private', 'vepa', 'passthru']),
  }),
  z.strictObject({
    type: z.literal('ipvlan'),
    parent: place,
    mode: z.enum(['l2', 'l3', 'l3s']),
    flag: z.enum(['bridge', 'private', 'vepa']),
  }),
  z.strictObject({ type: z.literal('vlan'), parent: place, id: count }),
]);

const link = z.strictObject({
  kind: z.literal('link'),
  ns: namespace,
  name: word,
  /** Empty for loopback. */
  owner: word.or(z.literal('')),
  up: z.boolean(),
  mtu: count.exactOptional(),
  mac: word.exactOptional(),
  master: word.exactOptional(),
  port: z
    .strictObject({
      learning: z.boolean(),
      flood: z.boolean(),
      isolated: z.literal(true).exactOptional(),
      hairpin: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  type: linkType,
});

const schema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('netns'), ns: namespace }),
  link,
  z.strictObject({ kind: z.literal('address'), ...on, address: word }),
  z.strictObject({
    kind: z.literal('route'),
    ...on,
    destination: word,
    via: word.exactOptional(),
    source: word.exactOptional(),
    metric: count.exactOptional(),
    protocol: z.enum(['kernel', 'weft']),
  }),
  z.strictObject({ kind: z.literal('neighbour'), ...on, address: word, mac: word }),
  z.strictObject({ kind: z.literal('fdb'), ...on, mac: word, remote: word.exactOptional() }),
  z.strictObject({ kind: z.literal('sysctl'), ns: namespace, name: word, value: z.string().max(255) }),
  z.strictObject({
    kind: z.literal('hosts'),
    ns: namespace,
    entries: z.array(z.strictObject({ address: word, names: z.array(word) })),
  }),
  z.strictObject({ kind: z.literal('nft-table'), ns: namespace, intact: z.boolean() }),
  z.strictObject({ kind: z.literal('nft-accepts'), ns: namespace, complete: z.boolean() }),
  z.strictObject({
    kind: z.literal('nft-element'),
    ns: namespace,
    set: z.enum(nftSetNames),
    key: z.array(word),
    value: z.array(word).exactOptional(),
  }),
]);

/** The branded texts in them are as the kernel gave them; they are compared and shown, and never parsed. */
export const kernelObjectSchema = schema as unknown as z.ZodType<KernelObject, KernelObject>;

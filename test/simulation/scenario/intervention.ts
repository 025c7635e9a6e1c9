/**
 * What is done to a simulated cluster from outside, as data: each is one line of a scenario, and can be left out.
 *
 * Vocabulary: a *doing* is what is done, a verb with named values. Clients, and hands on hosts, in kernels
 * and in the log, do theirs at a moment. A *fate* meets the first message of its kind from its moment on, or a later one where `after` says how
 * many are let by. The *kind* of a message is its sender and its verb.
 */
import { requestFaults } from '../world/plan.ts';
import { type Codec, oneOf, optional, part, whole, word } from './codec.ts';

/** Names that weft gives too are among them: automatic names must avoid them. */
export const ownLinks = ['docker0', 'tun7', 'eth0', 'eth1'] as const;

/** Of every request: the host that is asked, and after how long it is given up. */
const asked = { host: word, cancel: optional(whole) };

/** Clients; who is the name of the request. */
export const requestVerbs = {
  'create-network': {
    ...asked,
    name: word,
    driver: word,
    pool: optional(word),
    router: optional(word),
    ipv6: optional(oneOf(['yes'])),
    internal: optional(oneOf(['yes'])),
    space: word,
    vni: optional(word),
    parent: optional(word),
    mode: optional(word),
  },
  'remove-network': { ...asked, network: word },
  connect: {
    ...asked,
    network: word,
    sandbox: word,
    name: optional(word),
    alias: optional(word),
    ipv4: optional(word),
    mac: optional(word),
    ifname: optional(word),
    ports: optional(word),
    route: optional(word),
  },
  disconnect: { ...asked, network: word, ref: word },
  /** Which of those that there are, as a part of one. */
  'remove-endpoint': { ...asked, which: part },
  'remove-host': { ...asked, name: word },
} as const;

/** Who is the host; `outage` is of the store, whoever it is. */
export const hostVerbs = {
  start: {},
  crash: {},
  /** As soon as it is in the middle of writing to its kernel. */
  'crash-amid': {},
  stop: {},
  /** The operator starts a host anew that was removed. */
  revive: {},
  pause: { ms: whole },
  'wall-jump': { ms: whole },
  /** The machine gets another address, in one of two networks, and another MTU; the daemon's next life has them. */
  move: { network: oneOf(['2', '3']), mtu: whole },
  'cut-off': { fate: oneOf(requestFaults), ms: whole },
  'tail-stall': { ms: whole },
  /** An operator moves the cluster to its other store, by this host. */
  copy: {},
  outage: { how: oneOf(['refusing', 'silent']), ms: whole },
} as const;

/** Others on the host. */
export const foreignVerbs = {
  'lost-events': {},
  deaf: { ms: whole },
  'delete-by-hand': { which: part },
  'alter-by-hand': { which: part },
  'add-by-hand': { which: part },
  'foreign-link': { name: oneOf(ownLinks), sandbox: optional(word) },
  'foreign-unlink': { which: part },
  'sandbox-removed': { sandbox: word },
  'sandbox-remade': { sandbox: word },
} as const;

/** Somebody else writes to the log. Who is not said. */
export const logVerbs = { garbage: {}, altered: {}, repeated: {}, forged: {}, oversize: {} } as const;

const after = optional(whole);
const request = { fate: oneOf(requestFaults), after };
export const errnos = ['ENOBUFS', 'EBUSY', 'EPERM'] as const;
const call = { fate: oneOf(['call-fails']), reason: oneOf(errnos), after };

/** Messages of a host, to its store and to its kernel, and from it. */
export const messageVerbs = {
  open: request,
  append: request,
  put: request,
  write: request,
  resolve: request,
  head: request,
  read: request,
  namespaces: call,
  dump: call,
  apply: call,
  follow: call,
  inspect: call,
  operation: { fate: oneOf(['operation-fails', 'answer-lost', 'no-effect']), reason: oneOf(errnos), after },
  event: { fate: oneOf(['late-event']), ms: whole, after },
} as const;

type Table = Readonly<Record<string, Readonly<Record<string, Codec<unknown>>>>>;
type Values<F> = { readonly [K in keyof F]: F[K] extends Codec<infer T> ? T : never };
type DoingsOf<T extends Table> = { [V in keyof T]: { readonly verb: V } & Values<T[V]> }[keyof T];

export type RequestDoing = DoingsOf<typeof requestVerbs>;
export type HostDoing = DoingsOf<typeof hostVerbs>;
export type ForeignDoing = DoingsOf<typeof foreignVerbs>;
export type LogDoing = DoingsOf<typeof logVerbs>;
export type Fate = DoingsOf<typeof messageVerbs>;
export type FateOf<V extends Fate['verb']> = Extract<Fate, { verb: V }>;
export type Doing = RequestDoing | HostDoing | ForeignDoing | LogDoing | Fate;

export interface Intervention {
  /** Virtual time in whole milliseconds. */
  readonly atMs: number;
  readonly who: string;
  readonly doing: Doing;
}
export type InterventionOf<D extends Doing> = Intervention & { readonly doing: D };

/** All of them, with their values in the order in which they are written. */
export const verbs = { ...requestVerbs, ...hostVerbs, ...foreignVerbs, ...logVerbs, ...messageVerbs };

export function isRequest(intervention: Intervention): intervention is InterventionOf<RequestDoing> {
  return intervention.doing.verb in requestVerbs;
}

export function isOfHost(intervention: Intervention): intervention is InterventionOf<HostDoing> {
  return intervention.doing.verb in hostVerbs;
}

export function isForeign(intervention: Intervention): intervention is InterventionOf<ForeignDoing> {
  return intervention.doing.verb in foreignVerbs;
}

export function isOfLog(intervention: Intervention): intervention is InterventionOf<LogDoing> {
  return intervention.doing.verb in logVerbs;
}

export function isFate(intervention: Intervention): intervention is InterventionOf<Fate> {
  return intervention.doing.verb in messageVerbs;
}

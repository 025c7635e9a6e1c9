/**
 * Which ports of its host an endpoint is given. A port of a host is given once for every protocol and address; one that is
 * given at every address of a family is given at each.
 *
 * What else listens on the host is in the record, as its author found it: so every host decides alike.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { quote } from '../lib/quote.ts';
import { publishedPortsMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import {
  addressOf,
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  parseAddress,
} from '../model/address.ts';
import type { EndpointId } from '../model/ids.ts';
import type { Network } from '../model/network.ts';
import {
  addressesMeet,
  everyAddress,
  type PortProtocol,
  type PublishedPort,
  socketText,
} from '../model/published-port.ts';
import { bindingAddress, isRouted } from './bridge-options.ts';
import type { Draft } from './draft.ts';
import { driverTraits } from './driver-traits.ts';
import { publishersOf } from './lookup.ts';
import { automaticPorts, type PortRange, type PortSpec, parsePortSpec, rangeSize } from './port-spec.ts';
import { Refused, refuseUnless, type What } from './refused.ts';

export interface Publisher {
  readonly id: EndpointId;
  readonly host: string;
  readonly network: Network;
  readonly addresses: readonly InterfaceAddress[];
}

/** As their host reported them. */
type Listeners = NonNullable<BodyOf<'endpoint-create'>['listeners']>;

/**
 * @param what the beginning of every refusal
 * @throws Refused `bad-port`, `port-taken`, `ports-exhausted`
 */
export function publishPorts(
  what: What,
  draft: Draft,
  publisher: Publisher,
  { ports: texts = [], listeners = [] }: Pick<BodyOf<'endpoint-create'>, 'ports' | 'listeners'>,
): readonly PublishedPort[] {
  if (texts.length === 0) return [];
  requirePublishing(what, publisher.network);
  const choice = new PortChoice(what, draft, publisher, listeners);
  for (const text of texts) choice.add(text);
  return choice.published;
}

function requirePublishing(what: What, network: Network): void {
  refuseUnless(driverTraits(network.driver)?.publishesPorts === true, 'bad-port', () => {
    return `${what()}: networks of driver ${network.driver} publish no ports; leave out the ports`;
  });
  refuseUnless(!network.internal, 'bad-port', () => {
    return `${what()}: network ${quote(network.name)} is internal, so nothing outside reaches it; leave out the ports`;
  });
}

/** The ports of one endpoint, as they are chosen one after another. */
class PortChoice {
  readonly published: PublishedPort[] = [];
  readonly #what: What;
  readonly #draft: Draft;
  readonly #publisher: Publisher;
  /** Who has a port for reasons other than earlier records: listeners, and what this endpoint was given already. */
  readonly #others = new Map<string, { readonly address: IpAddress; readonly holder: string }[]>();
  /** Where the search of a range goes on, so that no record searches one twice. */
  readonly #searched = new Map<string, number>();

  constructor(what: What, draft: Draft, publisher: Publisher, listeners: Listeners) {
    this.#what = what;
    this.#draft = draft;
    this.#publisher = publisher;
    for (const { protocol, address: addressText, port, process } of listeners) {
      const address = parseAddress(addressText);
      if (address === undefined) continue;
      const who = process === undefined ? 'something else' : `process ${quote(process)}`;
      this.#note(protocol, port, address, `${who} listens at ${socketText(address, port)}`);
    }
  }

  /** @throws Refused */
  add(text: string): void {
    const spec = parsePortSpec(text);
    if ('fault' in spec)
      throw new Refused('bad-port', `${this.#what()}: ${quote(text)} cannot be published: ${spec.fault}`);
    const total = this.published.length + rangeSize(spec.port);
    refuseUnless(total <= publishedPortsMax, 'bad-port', () => {
      return `${this.#what()}: it would publish more than ${publishedPortsMax} ports; leave some out`;
    });
    const addresses = this.#addressesFor(text, spec);
    for (let port = spec.port.first; port <= spec.port.last; port += 1) {
      const hostPort = this.#hostPort(text, spec, port, addresses.bound);
      for (const address of addresses.bound) {
        this.#note(spec.protocol, hostPort, address, 'it is asked for twice');
        this.published.push({ protocol: spec.protocol, address, hostPort, port });
      }
      for (const address of addresses.own)
        this.published.push({ protocol: spec.protocol, address, hostPort: port, port });
    }
  }

  /** At which addresses: of the host (`bound`), or in a family that is routed the endpoint's own. */
  #addressesFor(text: string, { address }: PortSpec) {
    const { network, addresses } = this.#publisher;
    const has = addresses.map(addressOf);
    const meant = has.filter((each) => address === undefined || familyOf(each) === familyOf(address));
    refuseUnless(meant.length > 0, 'bad-port', () => {
      const family = address === undefined ? '' : `IPv${familyOf(address)} `;
      return `${this.#what()}: ${quote(text)} cannot be published: the endpoint has no ${family}address; leave it out`;
    });
    const own = meant.filter((each) => isRouted(network, familyOf(each)));
    const bound = meant
      .filter((each) => !own.includes(each))
      .flatMap((each) => address ?? defaultAddress(network, familyOf(each)) ?? []);
    refuseUnless(own.length + bound.length > 0, 'bad-port', () => {
      return `${this.#what()}: ${quote(text)} cannot be published: network ${quote(network.name)} publishes at ${bindingAddress(network)}, and the endpoint has no IPv4 address; name an IPv6 address of the host`;
    });
    return { own, bound };
  }

  #hostPort(text: string, { protocol, host, port }: PortSpec, own: number, at: readonly IpAddress[]): number {
    if (at.length === 0) return own;
    if (host === undefined) return this.#firstFree(text, protocol, automaticPorts, at);
    if (rangeSize(port) === 1 && rangeSize(host) > 1) return this.#firstFree(text, protocol, host, at);
    const wanted = host.first + own - port.first;
    const holder = this.#holderOf(protocol, wanted, at);
    if (holder === undefined) return wanted;
    throw new Refused(
      'port-taken',
      `${this.#what()}: port ${wanted}/${protocol} of host ${quote(this.#publisher.host)} is taken: ${holder}; choose another port, or leave it to weft`,
    );
  }

  /**
   * The first free one of a range; of the automatic ones the first behind a place that the endpoint's id gives, so that a
   * port that was let go rests for a while.
   */
  #firstFree(text: string, protocol: PortProtocol, range: PortRange, at: readonly IpAddress[]): number {
    const size = rangeSize(range);
    const key = `${protocol} ${range.first} ${range.last} ${at.join(' ')}`;
    const offset = range === automaticPorts ? this.#beginning(size) : 0;
    for (let step = this.#searched.get(key) ?? 0; step < size; step += 1) {
      const port = range.first + ((offset + step) % size);
      if (this.#holderOf(protocol, port, at) !== undefined) continue;
      this.#searched.set(key, step + 1);
      return port;
    }
    throw new Refused(
      'ports-exhausted',
      `${this.#what()}: ${quote(text)} cannot be published: no port of host ${quote(this.#publisher.host)} from ${range.first} to ${range.last} is free; choose others`,
    );
  }

  #beginning(size: number): number {
    const [a = 0, b = 0, c = 0] = sha256(utf8ToBytes(`weft port ${this.#publisher.id}`));
    return ((a << 16) | (b << 8) | c) % size;
  }

  /** Who has the port at one of the addresses; undefined: nobody. */
  #holderOf(protocol: PortProtocol, port: number, at: readonly IpAddress[]): string | undefined {
    for (const { address, endpoint } of publishersOf(this.#draft, this.#publisher.host, protocol, port)) {
      if (at.some((each) => addressesMeet(each, address))) return this.#describe(endpoint);
    }
    const others = this.#others.get(portKey(protocol, port)) ?? [];
    return others.find(({ address }) => at.some((each) => addressesMeet(each, address)))?.holder;
  }

  #describe(id: EndpointId): string {
    const endpoint = this.#draft.endpoints.get(id);
    const network = endpoint === undefined ? undefined : this.#draft.networks.get(endpoint.network);
    const named = endpoint?.name === undefined ? id.slice(0, 12) : quote(endpoint.name);
    return `endpoint ${named} of sandbox ${quote(endpoint?.sandbox.ref ?? '')} on network ${quote(network?.name ?? '')} publishes it`;
  }

  #note(protocol: PortProtocol, port: number, address: IpAddress, holder: string): void {
    const key = portKey(protocol, port);
    const others = this.#others.get(key);
    if (others === undefined) this.#others.set(key, [{ address, holder }]);
    else others.push({ address, holder });
  }
}

function portKey(protocol: PortProtocol, port: number): string {
  return `${protocol} ${port}`;
}

/** Where ports are published that name no address; undefined: not in this family. */
function defaultAddress(network: Network, family: Family): IpAddress | undefined {
  const chosen = bindingAddress(network);
  if (chosen === undefined) return everyAddress(family);
  return family === 4 ? chosen : undefined;
}

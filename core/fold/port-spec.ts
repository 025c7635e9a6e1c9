/**
 * What a user asks to be published, in Docker's notation: `[IP:][HOST[-END]:]PORT[-END][/tcp|udp|sctp]`. Parsed by itself:
 * nothing here depends on what else there is.
 */
import { quote } from '../lib/quote.ts';
import { automaticPortMax, automaticPortMin, portMax, portMin, publishedPortsMax } from '../limits.ts';
import type { IpAddress } from '../model/address.ts';
import { type PortProtocol, parseBoundAddress, portProtocols } from '../model/published-port.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where ports of the host come from that nobody chose. */
export const automaticPorts: PortRange = { first: automaticPortMin, last: automaticPortMax };

export interface PortSpec {
  readonly protocol: PortProtocol;
  /** Of the host. Absent: where the network says. */
  readonly address?: IpAddress;
  /** Of the host. Absent: chosen. For one port of the endpoint a longer one is what is chosen from. */
  readonly host?: PortRange;
  /** Of the endpoint. */
  readonly port: PortRange;
}

/** Thrown and caught within this file. */
class Fault extends Error {
  override readonly name = 'Fault';
}

/** @returns the wish, or what is wrong with it and what to do, as the end of a sentence */
export function parsePortSpec(text: string): PortSpec | { readonly fault: string } {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
}

export function rangeSize({ first, last }: PortRange): number {
  return last - first + 1;
}

/** @throws Fault */
function parse(text: string): PortSpec {
  const [ports = '', protocolText = 'tcp', ...rest] = text.split('/');
  const protocol = portProtocols.find((each) => each === protocolText.toLowerCase());
  if (protocol === undefined || rest.length > 0)
    throw new Fault(`${quote(protocolText)} is no protocol with ports; choose tcp, udp or sctp`);
  const { addressText, hostText, portText } = partsOf(ports);
  const address = addressText === '' ? undefined : parseHostAddress(addressText);
  const port = parseRange(portText);
  // As in Docker, port 0 of the host is any port of it.
  const host = hostText === '' || hostText === '0' ? undefined : parseRange(hostText);
  requireMatch(host, port);
  return {
    protocol,
    port,
    ...(address === undefined ? {} : { address }),
    ...(host === undefined ? {} : { host }),
  };
}

/** An IPv6 address has colons of its own, so it is in brackets. */
function partsOf(text: string) {
  const [, addressText = '', behind = text] = /^(\[[^\]]*\]):(.*)$/.exec(text) ?? [];
  const parts = behind.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1) return { addressText, hostText: '', portText: first };
  if (addressText !== '' && parts.length === 2) return { addressText, hostText: first, portText: second };
  if (addressText === '' && parts.length === 2) {
    // An address without a port of the host: no port has a dot.
    return first.includes('.')
      ? { addressText: first, hostText: '', portText: second }
      : { addressText: '', hostText: first, portText: second };
  }
  if (addressText === '' && parts.length === 3)
    return { addressText: first, hostText: second, portText: third };
  throw new Fault('it has too many colons; write an IPv6 address in brackets, as in [fd00::1]:8080:80');
}

function parseHostAddress(text: string): IpAddress {
  const address = parseBoundAddress(text);
  if (address === undefined)
    throw new Fault(
      `${quote(text)} is no address of a host; write one such as 192.0.2.1, or [fd00::1] in brackets`,
    );
  if (address === '::1')
    throw new Fault('the kernel lets nothing that comes from ::1 leave the host; publish at 127.0.0.1');
  return address;
}

function parseRange(text: string): PortRange {
  const [, firstText, lastText = firstText] = /^([0-9]{1,9})(?:-([0-9]{1,9}))?$/.exec(text) ?? [];
  if (firstText === undefined)
    throw new Fault(`${quote(text)} is no port; write a number or a range, such as 80 or 8000-8010`);
  const first = Number(firstText);
  const last = Number(lastText);
  const odd = [first, last].find((port) => port < portMin || port > portMax);
  if (odd !== undefined) throw new Fault(`port ${odd} is not from ${portMin} to ${portMax}; choose another`);
  if (last < first) throw new Fault(`range ${text} ends before it begins; write ${last}-${first}`);
  return { first, last };
}

function requireMatch(host: PortRange | undefined, port: PortRange): void {
  const count = rangeSize(port);
  if (count > publishedPortsMax)
    throw new Fault(`it is ${count} ports, and an endpoint publishes ${publishedPortsMax} at most`);
  if (host === undefined || count === 1 || rangeSize(host) === count) return;
  throw new Fault(
    `${rangeSize(host)} ports of the host are to lead to ${count} of the endpoint; make both ranges as long`,
  );
}

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type PortRange, type PortSpec, parsePortSpec } from './port-spec.ts';

function parsed(text: string): string {
  const spec = parsePortSpec(text);
  return 'fault' in spec ? spec.fault : shown(spec);
}

function shown({ address, host, port, protocol }: PortSpec): string {
  const range = (each: PortRange | undefined) =>
    each === undefined ? 'any' : each.first === each.last ? `${each.first}` : `${each.first}-${each.last}`;
  return `${address ?? 'anywhere'} ${range(host)} ${range(port)} ${protocol}`;
}

describe('a port to publish', () => {
  const readings: readonly (readonly [text: string, meaning: string])[] = [
    ['80', 'anywhere any 80 tcp'],
    ['53/UDP', 'anywhere any 53 udp'],
    ['8080:80', 'anywhere 8080 80 tcp'],
    ['0:80', 'anywhere any 80 tcp'],
    ['8080:80/sctp', 'anywhere 8080 80 sctp'],
    ['8000-8010:80', 'anywhere 8000-8010 80 tcp'],
    ['8000-8010:80-90', 'anywhere 8000-8010 80-90 tcp'],
    ['80-90', 'anywhere any 80-90 tcp'],
    ['127.0.0.1:8080:80', '127.0.0.1 8080 80 tcp'],
    ['127.0.0.1::80', '127.0.0.1 any 80 tcp'],
    ['127.0.0.1:80', '127.0.0.1 any 80 tcp'],
    ['0.0.0.0:8080:80', '0.0.0.0 8080 80 tcp'],
    ['[FD00::1]:8080:80/udp', 'fd00::1 8080 80 udp'],
    ['[::]::80', ':: any 80 tcp'],
    ['[::]:80', ':: any 80 tcp'],
    ['1:1', 'anywhere 1 1 tcp'],
    ['65535:65535', 'anywhere 65535 65535 tcp'],
  ];
  for (const [text, meaning] of readings) it(`${text} is read`, () => assert.equal(parsed(text), meaning));

  const faults: readonly (readonly [text: string, fault: RegExp])[] = [
    ['', /^'' is no port; write a number or a range/],
    ['http', /^'http' is no port/],
    ['-1:80', /^'-1' is no port/],
    ['80:', /^'' is no port/],
    ['0', /^port 0 is not from 1 to 65535/],
    ['65536:80', /^port 65536 is not from 1 to 65535/],
    ['8080:70000', /^port 70000 is not from 1 to 65535/],
    ['1234567890', /is no port/],
    ['90-80', /^range 90-80 ends before it begins; write 80-90$/],
    ['8000-8003:80-82', /^4 ports of the host are to lead to 3 of the endpoint; make both ranges as long$/],
    ['8080:80-81', /^1 ports of the host are to lead to 2/],
    ['1-65535:1-65535', /^it is 65535 ports, and an endpoint publishes 1024 at most$/],
    ['80/icmp', /^'icmp' is no protocol with ports; choose tcp, udp or sctp$/],
    ['80/', /^'' is no protocol/],
    ['80/tcp/udp', /is no protocol/],
    ['fd00::1:8080:80', /too many colons; write an IPv6 address in brackets/],
    ['::1:8080:80', /too many colons/],
    ['[10.0.0.1]:8080:80', /^'\[10\.0\.0\.1\]' is no address of a host/],
    ['300.0.0.1:8080:80', /^'300\.0\.0\.1' is no address of a host/],
    ['localhost:8080:80', /^'localhost' is no address of a host/],
    ['[::1]:8080:80', /nothing that comes from ::1 leave the host; publish at 127\.0\.0\.1/],
    ['8080:80; flush ruleset', /^'80; flush ruleset' is no port/],
  ];
  for (const [text, fault] of faults)
    it(`${JSON.stringify(text)} is refused with what is wrong`, () => assert.match(parsed(text), fault));
});

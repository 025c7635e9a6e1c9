import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import {
  accepted,
  type EndpointWishes,
  endpointOf,
  type Folded,
  Ledger,
  refused,
  subnet,
} from '../../test/support/ledger.ts';
import { automaticPortMax, automaticPortMin } from '../limits.ts';
import { socketText } from '../model/published-port.ts';

const docker = 'com.docker.network.bridge';

/** Two hosts, a network `red` of one family and `six` of both. */
function bridges(options: Readonly<Record<string, string>> = {}): Ledger {
  const ledger = new Ledger('h1', 'h2');
  const driver = { driver: 'bridge', space: 'local', options: Object.entries(options) };
  accepted(ledger.network('h1', 'red', { ...driver, subnets: [subnet('172.18.0.0/16')] }));
  const subnets = [subnet('172.19.0.0/16'), subnet('fd00:6::/64')];
  accepted(ledger.network('h1', 'six', { ...driver, subnets }));
  return ledger;
}

const publish = (ledger: Ledger, network: string, ports: readonly string[], rest: EndpointWishes = {}) =>
  ledger.attach('h1', network, { ports: [...ports], ...rest });

function shown(folded: Folded): string {
  return (endpointOf(folded).ports ?? [])
    .map(({ address, hostPort, port, protocol }) => `${socketText(address, hostPort)}->${port}/${protocol}`)
    .join(' ');
}

describe('published ports', () => {
  it('are at every address of each family that the endpoint has, ranges one to one', () => {
    const ledger = bridges();
    assert.equal(shown(publish(ledger, 'red', ['8080:80'])), '0.0.0.0:8080->80/tcp');
    assert.equal(shown(publish(ledger, 'six', ['81:80'])), '0.0.0.0:81->80/tcp [::]:81->80/tcp');
    assert.equal(
      shown(publish(ledger, 'red', ['10.9.0.1:7000-7001:70-71/udp'])),
      '10.9.0.1:7000->70/udp 10.9.0.1:7001->71/udp',
    );
    assert.equal(shown(publish(ledger, 'six', ['[fd00::9]:81:80/udp'])), '[fd00::9]:81->80/udp');
    ledger.check();
  });

  it('are where the network says, and of IPv4 alone where it says that', () => {
    const ledger = bridges({ [`${docker}.host_binding_ipv4`]: '127.0.0.1' });
    assert.equal(shown(publish(ledger, 'six', ['81:80'])), '127.0.0.1:81->80/tcp');
    assert.equal(shown(publish(ledger, 'six', ['[::]:81:80'])), '[::]:81->80/tcp');
    ledger.check();
  });

  it('are the own ones of an endpoint where its network is routed, and nobody is in the way', () => {
    const ledger = bridges({ [`${docker}.gateway_mode_ipv6`]: 'routed' });
    assert.equal(shown(publish(ledger, 'six', ['81:80'])), '0.0.0.0:81->80/tcp [fd00:6::2]:80->80/tcp');
    assert.equal(shown(publish(ledger, 'six', ['82:80'])), '0.0.0.0:82->80/tcp [fd00:6::3]:80->80/tcp');
    ledger.check();
  });

  it('are given once for every host, protocol and address, and again when they were let go', () => {
    const ledger = bridges();
    const first = endpointOf(publish(ledger, 'red', ['8080:80'], { name: 'web' }));
    refused(
      publish(ledger, 'six', ['8080:90']),
      'port-taken',
      /port 8080\/tcp of host 'h1' is taken: endpoint 'web' of sandbox 'c\d+' on network 'red' publishes it; choose another/,
    );
    refused(publish(ledger, 'red', ['10.9.0.1:8080:80']), 'port-taken');
    accepted(publish(ledger, 'red', ['8080:80/udp']));
    accepted(publish(ledger, 'six', ['[::]:8080:80']));
    accepted(ledger.attach('h2', 'red', { ports: ['8080:80'] }));
    accepted(publish(ledger, 'red', ['10.9.0.1:9000:80']));
    accepted(publish(ledger, 'red', ['10.9.0.2:9000:80']));
    refused(publish(ledger, 'red', ['0.0.0.0:9000:80']), 'port-taken');
    refused(publish(ledger, 'red', ['7000:80', '7000:81']), 'port-taken');
    ledger.check();
    accepted(ledger.detach('h1', first.id));
    accepted(publish(ledger, 'red', ['8080:80']));
    ledger.check();
    accepted(ledger.removeHost('h2', 'h1'));
    assert.deepEqual([...ledger.state.publishedPorts.keys()], ['h2 tcp 8080 0.0.0.0']);
    ledger.check();
  });

  it('that nobody chose are free ones of the automatic range, the same for both families', () => {
    const ledger = bridges();
    const ports = endpointOf(publish(ledger, 'six', ['80-82', '53/udp'])).ports ?? [];
    const tcp = ports.filter(({ protocol }) => protocol === 'tcp');
    assert.equal(tcp.length, 6);
    assert.equal(new Set(tcp.map(({ hostPort }) => hostPort)).size, 3);
    for (const { hostPort } of ports)
      assert.ok(hostPort >= automaticPortMin && hostPort <= automaticPortMax, String(hostPort));
    ledger.check();
  });

  it('of a range for one port are its first free one', () => {
    const ledger = bridges();
    accepted(publish(ledger, 'red', ['7001:80']));
    const listeners = [{ protocol: 'tcp' as const, address: '127.0.0.1', port: 7000 }];
    assert.equal(shown(publish(ledger, 'red', ['7000-7003:80'], { listeners })), '0.0.0.0:7002->80/tcp');
    assert.equal(
      shown(publish(ledger, 'red', ['10.9.0.1:7000-7003:80', '7000-7003:81'])),
      '10.9.0.1:7000->80/tcp 0.0.0.0:7003->81/tcp',
    );
    refused(
      publish(ledger, 'red', ['7000-7003:80']),
      'ports-exhausted',
      /no port of host 'h1' from 7000 to 7003 is free/,
    );
    ledger.check();
  });

  it('are not what something else on the host listens at, which is named', () => {
    const ledger = bridges();
    const listeners = [
      { protocol: 'tcp' as const, address: '0.0.0.0', port: 8080, process: 'nginx (812)' },
      { protocol: 'udp' as const, address: '127.0.0.53', port: 53 },
      { protocol: 'tcp' as const, address: 'no address', port: 81 },
    ];
    const tried = (...ports: string[]) => publish(ledger, 'red', ports, { listeners });
    refused(tried('8080:80'), 'port-taken', /is taken: process 'nginx \(812\)' listens at 0\.0\.0\.0:8080;/);
    refused(tried('53:53/udp'), 'port-taken', /something else listens at 127\.0\.0\.53:53/);
    accepted(tried('10.9.0.1:53:53/udp', '81:80', '53:53/tcp'));
  });

  it('of the automatic range stay clear of listeners there', () => {
    const ledger = bridges();
    const [first] = endpointOf(publish(bridges(), 'red', ['80'])).ports ?? [];
    assert.ok(first !== undefined);
    const { hostPort } = first;
    const listeners = [{ protocol: 'tcp' as const, address: '127.0.0.1', port: hostPort }];
    assert.equal(shown(publish(ledger, 'red', ['80'], { listeners })), `0.0.0.0:${hostPort + 1}->80/tcp`);
  });

  it('are refused where there can be none, with the reason', () => {
    const ledger = bridges();
    accepted(ledger.network('h1', 'segment', { driver: 'macvlan' }));
    accepted(ledger.network('h1', 'vault', { internal: true }));
    accepted(ledger.network('h1', 'inner', { driver: 'bridge', space: 'local', internal: true }));
    const why = (network: string, port: string, text: RegExp) =>
      refused(publish(ledger, network, port.split(' ')), 'bad-port', text);
    why('segment', '80', /networks of driver macvlan publish no ports; leave out the ports$/);
    why('vault', '80', /network 'vault' is internal, so nothing outside reaches it/);
    why('inner', '80', /network 'inner' is internal, so nothing outside reaches it/);
    why('red', '[::]:80:80', /'\[::\]:80:80' cannot be published: the endpoint has no IPv6 address/);
    why('red', '80/icmp', /'80\/icmp' cannot be published: 'icmp' is no protocol/);
    why('red', '1-1000:1-1000 2001-2100:1-100', /it would publish more than 1024 ports/);
    ledger.check();
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, refused, subnet } from '../../test/support/ledger.ts';

const docker = 'com.docker.network.endpoint';

function sysctls(...settings: string[]): { options: [string, string][] } {
  return { options: [[`${docker}.sysctls`, settings.join(',')]] };
}

/** A host and a network `red` with both families, and `blue` with IPv4 alone. */
function networks(): Ledger {
  const ledger = new Ledger('h1');
  const subnets = [subnet('10.0.1.0/24'), subnet('fd00:1::/64')];
  accepted(ledger.network('h1', 'red', { subnets }));
  accepted(ledger.network('h1', 'blue', { subnets: [subnet('10.0.2.0/24')] }));
  return ledger;
}

describe('options of an endpoint', () => {
  it('are settings of its interface, by the name that it has', () => {
    const ledger = networks();
    const asked = sysctls('net.ipv4.conf.IFNAME.log_martians=1', 'net.ipv6.neigh.IFNAME.ucast_solicit=-2');
    const { sysctls: settings } = endpointOf(ledger.attach('h1', 'red', { ...asked, ifname: 'lan.7' }));
    assert.deepEqual(settings, [
      { name: 'net/ipv4/conf/lan.7/log_martians', value: '1' },
      { name: 'net/ipv6/neigh/lan.7/ucast_solicit', value: '-2' },
    ]);
    ledger.check();
  });

  it('name the interface, unless it is named otherwise', () => {
    const ledger = networks();
    const options: [string, string][] = [[`${docker}.ifname`, 'lan0']];
    assert.equal(endpointOf(ledger.attach('h1', 'red', { options })).ifname, 'lan0');
    refused(ledger.attach('h1', 'blue', { options, ifname: 'lan1' }), 'bad-option', /named twice/);
    ledger.check();
  });

  it('that nobody knows are named, with the nearest known one', () => {
    const ledger = networks();
    for (const [key, meant] of [
      [`${docker}.sysctl`, `${docker}.sysctls`],
      [`${docker}.ifnme`, `${docker}.ifname`],
    ] as const) {
      const wishes = { options: [[key, '']] as [string, string][] };
      refused(ledger.attach('h1', 'red', wishes), 'unknown-option', new RegExp(`did you mean ${meant}\\?`));
    }
    ledger.check();
  });

  it('are of the interface alone, and have whole numbers for values', () => {
    const ledger = networks();
    for (const bad of [
      '',
      'net.ipv4.ip_forward=1',
      'net.ipv4.conf.all.log_martians=1',
      'net.ipv4.conf.eth0.log_martians=1',
      'net.ipv4.route.IFNAME.x=1',
      'net.core.conf.IFNAME.x=1',
      'kernel.conf.IFNAME.x=1',
      'net.ipv4.conf.IFNAME.log_martians',
      'net.ipv4.conf.IFNAME.log_martians=',
      'net.ipv4.conf.IFNAME.log_martians=01',
      'net.ipv4.conf.IFNAME.log_martians=1\n2',
      'net.ipv4.conf.IFNAME.log_martians=$(reboot)',
      'net.ipv4.conf.IFNAME.../../x=1',
      'net.ipv4.conf.IFNAME.a/b=1',
    ])
      refused(ledger.attach('h1', 'red', sysctls(bad)), 'bad-option', /endpoint\.sysctls has/);
    const one = 'net.ipv4.conf.IFNAME.log_martians=1';
    refused(ledger.attach('h1', 'red', sysctls(one, one)), 'bad-option', /twice/);
    const many = Array.from({ length: 33 }, (_, index) => `net.ipv4.conf.IFNAME.x${index}=1`);
    refused(ledger.attach('h1', 'red', sysctls(...many)), 'bad-option', /32 are the most/);
    ledger.check();
  });

  it('do not take away the IPv6 that it has an address of', () => {
    const ledger = networks();
    const off = sysctls('net.ipv6.conf.IFNAME.disable_ipv6=1');
    refused(ledger.attach('h1', 'red', off), 'bad-option', /has an IPv6 address/);
    assert.equal(endpointOf(ledger.attach('h1', 'blue', off)).sysctls?.length, 1);
    ledger.check();
  });

  it('are nothing where there is no interface', () => {
    const ledger = networks();
    const asked = sysctls('net.ipv4.conf.IFNAME.log_martians=1');
    refused(ledger.attach('h1', 'none', asked), 'bad-option', /makes no interface/);
    refused(ledger.attach('h1', 'none', { linkLocal: ['169.254.8.8'] }), 'bad-option', /makes no interface/);
    ledger.check();
  });
});

describe('link-local addresses of an endpoint', () => {
  it('are beside its others, IPv4 first, and in no pool', () => {
    const ledger = networks();
    const linkLocal = ['FE80:0::8', '169.254.8.8'];
    const { addresses, linkLocal: found } = endpointOf(ledger.attach('h1', 'red', { linkLocal }));
    assert.deepEqual(addresses, ['10.0.1.2/24', 'fd00:1::2/64']);
    assert.deepEqual(found, ['169.254.8.8/16', 'fe80::8/64']);
    ledger.check();
  });

  it('are link-local ones, one of a family', () => {
    const ledger = networks();
    for (const bad of ['10.0.1.9', '169.254.0.7', '169.254.255.1', 'fe80::', 'fe81::1', 'fd00:1::9', 'x', ''])
      refused(ledger.attach('h1', 'red', { linkLocal: [bad] }), 'bad-address', /no link-local address/);
    const two = ['169.254.8.8', '169.254.8.9'];
    refused(
      ledger.attach('h1', 'red', { linkLocal: two }),
      'bad-address',
      /two link-local addresses of IPv4/,
    );
    ledger.check();
  });
});

/** What the goldens do not show. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { diff } from '../../core/dataplane/diff.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import {
  compileCase,
  overlayCases,
  testEndpoint,
  testHost,
  testOverlay,
  viewOf,
} from '../../test/support/overlay-cases.ts';
import { drivers } from '../index.ts';
import { overlayDriver } from './driver.ts';

const self = testHost('etcdmaster', '192.168.2.15');
const view: HostView = viewOf({ hosts: [self] }, self);
const network = testOverlay(['10.0.1.0/24']);

function mtuOf(objects: readonly KernelObject[]): number | undefined {
  const link = objects.find((object) => object.kind === 'link' && object.name === 'vxlan0');
  return link?.kind === 'link' ? link.mtu : undefined;
}

describe('overlay driver', () => {
  it('is found by its name', () => {
    assert.equal(drivers.get('overlay'), overlayDriver);
  });

  it('makes nothing of an endpoint whose host is not known', () => {
    assert.deepEqual(
      overlayDriver.compileEndpoint(network, testEndpoint(2, 'removed', 'blue', '10.0.1.3/24'), view),
      [],
    );
  });

  it('takes the smallest underlay of all hosts for the MTU, and a given one before it', () => {
    const wide = viewOf({ hosts: [] }, testHost('wide', '192.168.2.15', 9000));
    assert.equal(mtuOf(overlayDriver.compileNetwork(network, wide)), 8950);
    assert.equal(mtuOf(overlayDriver.compileNetwork(network, { ...wide, underlayMtuMin: 1500 })), 1450);
    const given = testOverlay(['10.0.1.0/24'], { 'com.docker.network.driver.mtu': '4000' });
    assert.equal(mtuOf(overlayDriver.compileNetwork(given, { ...wide, underlayMtuMin: 1500 })), 4000);
    const zero = testOverlay(['10.0.1.0/24'], { 'com.docker.network.driver.mtu': '0' });
    assert.equal(mtuOf(overlayDriver.compileNetwork(zero, view)), 1450);
  });

  it('compiles each endpoint by itself: the parts share nothing but loopback', () => {
    for (const each of overlayCases) {
      for (const host of each.hosts) {
        const parts = [
          overlayDriver.compileNetwork(each.network, viewOf(each, host)),
          ...each.endpoints.map((endpoint) =>
            overlayDriver.compileEndpoint(each.network, endpoint, viewOf(each, host)),
          ),
        ];
        const seen = new Set<string>();
        for (const object of parts.flat()) {
          assert.ok(!seen.has(keyOf(object)), `${keyOf(object)} comes once`);
          if (!(object.kind === 'link' && object.name === 'lo')) seen.add(keyOf(object));
        }
      }
    }
  });

  it('is settled on a kernel after one round', async () => {
    for (const each of overlayCases) {
      for (const host of each.hosts) {
        const kernel = new FakeKernel();
        for (const ref of ['red', 'blue', 'green']) kernel.addSandbox(ref);
        const desired = compileCase(overlayDriver, each, viewOf(each, host));
        const results = await kernel.apply(diff(desired, []));
        assert.deepEqual(
          results.filter(({ ok }) => !ok),
          [],
          each.name,
        );
        const sysctls = desired.flatMap((object) => {
          if (object.kind !== 'sysctl') return [];
          return [{ ...object, value: kernel.sysctl(object.ns, object.name) ?? '' }];
        });
        assert.deepEqual(diff(desired, [...kernel.objects(), ...sysctls]), [], each.name);
      }
    }
  });
});

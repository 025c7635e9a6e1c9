import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { drivers } from '../../drivers/index.ts';
import { Cluster, type ClusterStep } from '../../test/support/cluster.ts';
import { happen, happenings, hostNames } from '../../test/support/cluster-history.ts';
import { runs } from '../../test/support/property-settings.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { keyOf } from '../dataplane/key.ts';
import { sandboxNamespace } from '../dataplane/namespace.ts';
import type { HostsFile, KernelObject } from '../dataplane/object.ts';
import { compareText } from '../dataplane/order.ts';
import { toCommands } from '../dataplane/text.ts';
import type { Driver } from '../driver/driver.ts';
import { DesiredState } from './desired-state.ts';
import { recompute } from './recompute.ts';

const options = { host: 'a', netnsPrefix: 'weft-' };

/** A driver that counts what it is asked to compile. */
function counting(driver: Driver): { readonly driver: Driver; readonly compiled: string[] } {
  const compiled: string[] = [];
  return {
    compiled,
    driver: {
      ...driver,
      compileNetwork(network, view) {
        compiled.push(network.name);
        return driver.compileNetwork(network, view);
      },
      compileEndpoint(network, endpoint, view) {
        compiled.push(endpoint.name ?? endpoint.id);
        return driver.compileEndpoint(network, endpoint, view);
      },
    },
  };
}

function feed(desired: DesiredState, step: ClusterStep): void {
  for (const change of step.changes) desired.apply(change, step.state);
}

function objectsOf(desired: DesiredState): Map<string, KernelObject> {
  const objects = new Map<string, KernelObject>();
  for (const ns of desired.namespaces())
    for (const [key, object] of desired.inNamespace(ns)) objects.set(key, object);
  return objects;
}

function inKeyOrder(objects: ReadonlyMap<string, KernelObject>): [string, KernelObject][] {
  return [...objects].sort(([a], [b]) => compareText(a, b));
}

function hostsFile(desired: DesiredState, sandbox: string): string[] | undefined {
  const file = desired.get(`hosts ${sandboxNamespace(sandbox)}`) as HostsFile | undefined;
  return file?.entries.map(({ address, names }) => [address, ...names].join(' '));
}

/** Hosts a and b, the overlay `n1`, and a compilation that has seen them. */
function scene(more: Partial<{ hostsEndpointsMax: number }> = {}) {
  const cluster = new Cluster();
  const overlay = counting(drivers.get('overlay')!);
  const desired = new DesiredState(new Map([...drivers, ['overlay', overlay.driver]]), {
    ...options,
    ...more,
  });
  const also = <T extends ClusterStep>(step: T): T => {
    feed(desired, step);
    return step;
  };
  also(cluster.setHost('a', '192.0.2.1'));
  also(cluster.setHost('b', '192.0.2.2'));
  const { network } = also(cluster.addNetwork('n1'));
  return { cluster, desired, also, network, compiled: overlay.compiled };
}

describe('core/desired', () => {
  it('compiles a network with all its endpoints at its first local endpoint, and drops all at its last', () => {
    const { cluster, desired, also, network, compiled } = scene();
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'red', name: 'far' }));
    assert.equal(desired.size, 0);
    assert.deepEqual(compiled, []);
    const { endpoint } = also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'near' }));
    const dirty = desired.takeDirty();
    assert.deepEqual([...compiled].sort(), ['far', 'n1', 'near']);
    assert.ok(desired.size > 10);
    assert.deepEqual([...dirty].sort(), [...objectsOf(desired).keys()].sort());
    also(cluster.removeEndpoint(endpoint.id));
    assert.equal(desired.size, 0);
    assert.deepEqual([...desired.namespaces()], []);
    assert.deepEqual([...desired.takeDirty()].sort(), [...dirty].sort());
  });

  it('compiles one more endpoint alone', () => {
    const { cluster, desired, also, network, compiled } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' }));
    for (let n = 0; n < 50; n += 1) also(cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}` }));
    desired.takeDirty();
    compiled.length = 0;
    const { endpoint } = also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'last' }));
    const keys = desired.keysOf(endpoint.id);
    assert.deepEqual(compiled, [endpoint.id]);
    assert.deepEqual([...desired.takeDirty()].sort(), [...keys].sort());
    assert.deepEqual(keys.map((key) => desired.get(key)?.kind).sort(), ['fdb', 'neighbour']);
  });

  it('compiles each part once however many changes come before the next look', () => {
    const { cluster, desired, also, network, compiled } = scene();
    const near = also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'near' }));
    desired.takeDirty();
    compiled.length = 0;
    for (let n = 0; n < 100; n += 1)
      also(cluster.addEndpoint(network.id, { host: 'b', sandbox: `s${n}`, name: `e${n}` }));
    also(cluster.setHost('b', '192.0.2.3'));
    const hosts = `hosts ${sandboxNamespace('red')}`;
    const before = desired.get(hosts);
    assert.equal(compiled.length, 100);
    assert.equal((before as HostsFile).entries.length, 101);
    assert.equal(desired.get(hosts), before);
    assert.ok(desired.keysOf(near.endpoint.id).includes(hosts));
  });

  it('compiles the endpoints of a host that re-joins elsewhere, and nothing when nothing moved', () => {
    const { cluster, desired, also, network, compiled } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'near' }));
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'red', name: 'far' }));
    desired.takeDirty();
    compiled.length = 0;
    also(cluster.setHost('b', '192.0.2.2'));
    assert.deepEqual([...desired.takeDirty()], []);
    assert.deepEqual(compiled, []);
    also(cluster.setHost('b', '192.0.2.9'));
    const dirty = [...desired.takeDirty()].map((key) => desired.get(key));
    assert.deepEqual(compiled, ['far']);
    assert.deepEqual(
      dirty.map((object) => (object === undefined ? 'gone' : toCommands(object).join('\n'))),
      [
        'gone',
        'bridge -n weft-85078c8832 fdb replace 02:42:0a:00:00:03 dev vxlan0 self permanent dst 192.0.2.9',
        "nft 'add element inet weft vteps4 { 192.0.2.9 }'",
      ],
    );
  });

  it('compiles everything when the smallest MTU of the cluster changes', () => {
    const { cluster, desired, also, network } = scene();
    const { endpoint } = also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' }));
    desired.takeDirty();
    also(cluster.setHost('c', '192.0.2.7', 1400));
    const mtus = desired.keysOf(endpoint.id).flatMap((key) => {
      const object = desired.get(key);
      return object?.kind === 'link' && object.mtu !== undefined ? [object.mtu] : [];
    });
    assert.deepEqual(new Set(mtus), new Set([1350]));
    assert.equal(mtus.length, 4);
    also(cluster.removeHost('c'));
    assert.deepEqual(inKeyOrder(objectsOf(desired)), inKeyOrder(recompute(drivers, options, cluster.state)));
  });

  it('wants nothing on a host that has not joined or was removed', () => {
    const { cluster, desired, also, network } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' }));
    assert.notEqual(desired.size, 0);
    also(cluster.removeHost('a'));
    assert.equal(desired.size, 0);
  });

  it('keeps what several endpoints share until the last of them goes', () => {
    const { cluster, desired, also, network } = scene();
    const other = also(cluster.addNetwork('n2')).network;
    const loopback = `link ${sandboxNamespace('red')} lo`;
    const first = also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' })).endpoint;
    const second = also(cluster.addEndpoint(other.id, { host: 'a', sandbox: 'red' })).endpoint;
    also(cluster.removeEndpoint(first.id));
    assert.ok(desired.get(loopback));
    also(cluster.removeEndpoint(second.id));
    assert.equal(desired.get(loopback), undefined);
  });

  it('compiles a network of a driver that it does not have to nothing, and says so once', () => {
    const cluster = new Cluster();
    const logger = new QuietLogger();
    const desired = new DesiredState(drivers, options, { logger });
    feed(desired, cluster.setHost('a', '192.0.2.1'));
    const { network, ...step } = cluster.addNetwork('n1', { driver: 'quantum' });
    feed(desired, step);
    feed(desired, cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'x' }));
    assert.equal(desired.size, 0);
    feed(desired, cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue', name: 'y' }));
    assert.equal(desired.size, 0);
    assert.deepEqual(
      logger.lines.map(({ level, values }) => [level, values['driver']]),
      [['error', 'quantum']],
    );
  });

  it('gives a sandbox that was made again to its new endpoints alone', () => {
    const { cluster, desired, also, network } = scene();
    const old = also(
      cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', identity: '1', name: 'old' }),
    ).endpoint;
    const fresh = also(
      cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', identity: '2', name: 'new' }),
    ).endpoint;
    assert.equal(old.ifname, fresh.ifname);
    const link = desired.get(`link ${sandboxNamespace('red')} eth0`);
    assert.equal(link?.kind === 'link' && link.owner, `endpoint:${fresh.id}`);
    assert.deepEqual(
      desired.keysOf(old.id).filter((key) => key.includes(old.id.slice(0, 8))),
      [],
    );
    also(cluster.removeEndpoint(fresh.id));
    const again = desired.get(`link ${sandboxNamespace('red')} eth0`);
    assert.equal(again?.kind === 'link' && again.owner, `endpoint:${old.id}`);
  });

  it('lets frames in from the other hosts while an overlay is here, whether they are down or not', () => {
    const { cluster, desired, also, network } = scene();
    const members = () =>
      [...objectsOf(desired).values()].flatMap((object) =>
        object.kind === 'nft-element' && /^v(nis|teps)/.test(object.set)
          ? [`${object.set} ${object.key.join(' ')}`]
          : [],
      );
    assert.deepEqual(members(), []);
    const { endpoint } = also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' }));
    const vni = `vnis ${network.vni}`;
    assert.deepEqual(members().sort(), [vni, 'vteps4 192.0.2.2']);
    also(cluster.setHost('c', 'fd00::7'));
    assert.deepEqual(members().sort(), [vni, 'vteps4 192.0.2.2', 'vteps6 fd00::7']);
    also(cluster.setHost('b', '192.0.2.9'));
    also(cluster.removeHost('c'));
    assert.deepEqual(members().sort(), [vni, 'vteps4 192.0.2.9']);
    also(cluster.removeEndpoint(endpoint.id));
    assert.deepEqual(members(), []);
    also(cluster.setHost('c', '192.0.2.7'));
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' }));
    assert.deepEqual(members().sort(), [vni, 'vteps4 192.0.2.7', 'vteps4 192.0.2.9']);
  });

  it('lets frames in from anywhere where the operator says so', () => {
    const { cluster, network } = scene();
    cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red' });
    const open = new DesiredState(drivers, { ...options, acceptForeignVteps: true });
    open.load(cluster.state);
    assert.deepEqual(
      [...objectsOf(open).keys()].filter((key) => /^nft-element \S+ v(nis|teps)/.test(key)),
      [],
    );
  });

  it('begins with a whole state as if it had seen it come about', () => {
    const { cluster, desired, also, network } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'near' }));
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'red', name: 'far' }));
    const loaded = new DesiredState(drivers, options);
    loaded.load(cluster.state);
    assert.deepEqual(inKeyOrder(objectsOf(loaded)), inKeyOrder(objectsOf(desired)));
  });

  it('equals a compilation from nothing after every step of any history', () => {
    let compared = 0;
    fc.assert(
      fc.property(happenings(100), fc.boolean(), (history, lookEveryTime) => {
        const cluster = new Cluster();
        const tight = { ...options, hostsEndpointsMax: 3 };
        const desired = new DesiredState(drivers, tight);
        let shown = new Map<string, KernelObject>();
        for (const name of hostNames) feed(desired, cluster.setHost(name, `192.0.2.${name.charCodeAt(0)}`));
        history.forEach((happening, index) => {
          const step = happen(cluster, happening);
          if (step === undefined) return;
          feed(desired, step);
          // Looking at times only tries what comes of several changes that are compiled as one.
          if (!lookEveryTime && index % 4 !== 3) return;
          const now = objectsOf(desired);
          assert.deepEqual(inKeyOrder(now), inKeyOrder(recompute(drivers, tight, step.state)));
          assert.equal(desired.size, now.size);
          assert.deepEqual([...desired.takeDirty()].sort(), differing(shown, now));
          shown = now;
          compared += now.size;
        });
      }),
      { numRuns: runs(150) },
    );
    assert.ok(compared > 10_000, `only ${compared} objects were compared: the histories are too tame`);
  });
});

describe('core/desired hosts files', () => {
  it('lists every named endpoint of the networks of a sandbox in a fixed order', () => {
    const { cluster, desired, also, network } = scene();
    const other = also(cluster.addNetwork('a-net')).network;
    const apart = also(cluster.addNetwork('apart')).network;
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x', name: 'web', aliases: ['www', 'w'] }));
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'db' }));
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'y' }));
    also(cluster.addEndpoint(other.id, { host: 'a', sandbox: 'red' }));
    also(cluster.addEndpoint(other.id, { host: 'a', sandbox: 'blue', name: 'cache' }));
    also(cluster.addEndpoint(apart.id, { host: 'a', sandbox: 'blue', name: 'hidden' }));
    assert.deepEqual(hostsFile(desired, 'red'), [
      '10.0.0.6 cache cache.a-net',
      '10.0.0.3 db db.n1',
      '10.0.0.2 web www w web.n1 www.n1 w.n1',
    ]);
    assert.deepEqual(hostsFile(desired, 'blue'), [
      '10.0.0.6 cache cache.a-net',
      '10.0.0.7 hidden hidden.apart',
    ]);
    assert.equal(hostsFile(desired, 'x'), undefined);
  });

  it('follows removals and marks only the files that changed', () => {
    const { cluster, desired, also, network } = scene();
    const other = also(cluster.addNetwork('n2')).network;
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'db' }));
    also(cluster.addEndpoint(other.id, { host: 'a', sandbox: 'blue', name: 'db' }));
    const { endpoint } = also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x', name: 'web' }));
    desired.takeDirty();
    also(cluster.removeEndpoint(endpoint.id));
    const files = [...desired.takeDirty()].filter((key) => key.startsWith('hosts '));
    assert.deepEqual(files, [`hosts ${sandboxNamespace('red')}`]);
    assert.deepEqual(hostsFile(desired, 'red'), ['10.0.0.2 db db.n1']);
  });

  it('leaves out the names of a host that is down, and nothing else, until it is up again', () => {
    const { desired, also, network, cluster, compiled } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'db' }));
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'x', name: 'web' }));
    const before = objectsOf(desired);
    desired.takeDirty();
    compiled.length = 0;
    also(cluster.takeDown('b'));
    assert.deepEqual([...desired.takeDirty()], [`hosts ${sandboxNamespace('red')}`]);
    assert.deepEqual(hostsFile(desired, 'red'), ['10.0.0.2 db db.n1']);
    const late = also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'y', name: 'late' })).endpoint;
    assert.deepEqual(hostsFile(desired, 'red'), ['10.0.0.2 db db.n1']);
    also(cluster.removeEndpoint(late.id));
    also(cluster.setHost('b', '192.0.2.2'));
    assert.deepEqual(objectsOf(desired), before);
  });

  it('has the names of its own host also while that is down', () => {
    const { desired, also, network, cluster } = scene();
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'db' }));
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue', name: 'web' }));
    desired.takeDirty();
    also(cluster.takeDown('a'));
    assert.deepEqual([...desired.takeDirty()], []);
    assert.deepEqual(hostsFile(desired, 'red'), ['10.0.0.2 db db.n1', '10.0.0.3 web web.n1']);
  });

  it('has none for sandboxes that are not of `ip netns`, or without an interface', () => {
    const { cluster, desired, also, network } = scene();
    const lonely = also(cluster.addNetwork('lonely', { driver: 'null' })).network;
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: '/run/x/y', name: 'path' }));
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'pid:7', name: 'pid' }));
    also(cluster.addEndpoint(lonely.id, { host: 'a', sandbox: 'red', name: 'alone', ifname: undefined }));
    assert.deepEqual(
      [...objectsOf(desired).values()].filter(({ kind }) => kind === 'hosts'),
      [],
    );
  });

  it('lists the oldest of a network that has too many, and the own ones of the sandbox always', () => {
    const { cluster, desired, also, network } = scene({ hostsEndpointsMax: 3 });
    const ids = ['d', 'c', 'b'].map(
      (name) => also(cluster.addEndpoint(network.id, { host: 'b', sandbox: name, name })).endpoint.id,
    );
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'red', name: 'own' }));
    also(cluster.addEndpoint(network.id, { host: 'a', sandbox: 'blue', name: 'blue' }));
    const names = (sandbox: string) => hostsFile(desired, sandbox)?.map((line) => line.split(' ')[1]);
    assert.deepEqual(names('red'), ['b', 'c', 'd', 'own']);
    assert.deepEqual(names('blue'), ['b', 'blue', 'c', 'd']);
    desired.takeDirty();
    also(cluster.addEndpoint(network.id, { host: 'b', sandbox: 'z', name: 'a' }));
    assert.deepEqual(
      [...desired.takeDirty()].filter((key) => key.startsWith('hosts ')),
      [],
    );
    also(cluster.removeEndpoint(ids[1]!));
    assert.deepEqual(names('red'), ['b', 'd', 'own']);
    assert.deepEqual(names('blue'), ['b', 'blue', 'd', 'own']);
  });
});

function differing(
  before: ReadonlyMap<string, KernelObject>,
  now: ReadonlyMap<string, KernelObject>,
): string[] {
  const keys = new Set([...before.keys(), ...now.keys()]);
  const text = (object: KernelObject | undefined): string => JSON.stringify(object) ?? '';
  return [...keys].filter((key) => text(before.get(key)) !== text(now.get(key))).sort();
}

// The keys that the specs above spell out.
assert.equal(keyOf({ kind: 'hosts', ns: sandboxNamespace('red'), entries: [] }), 'hosts sandbox:red');

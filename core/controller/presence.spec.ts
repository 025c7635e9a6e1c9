/** Hosts that fall silent, and what the others make of it: whole controllers over a virtual clock. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { isWeftError } from '../errors.ts';
import { apply } from '../fold/apply.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { encodeUtf8 } from '../lib/utf8.ts';
import type { BootId } from '../model/ids.ts';
import type { RequestContext } from './control.ts';

const context: RequestContext = { by: 'spec', signal: cancelScope().signal };
const graceMs = 6_000;
const retentionMs = 40_000;

/** The names of remote endpoints in the hosts files of a host. */
function namesOn(host: VirtualHost): string[] {
  const files = host.kernel.objects().filter((object) => object.kind === 'hosts');
  return files.flatMap(({ entries }) => entries.flatMap(({ names }) => names)).sort();
}

function kernelOf(host: VirtualHost): string[] {
  return host.kernel
    .objects()
    .filter(({ kind }) => kind !== 'hosts')
    .map((object) => JSON.stringify(object))
    .sort();
}

describe('Controller and presence', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let h2: VirtualHost;
  let h3: VirtualHost;

  beforeEach(async () => {
    cluster = new VirtualCluster(1, { graceMs, retentionMs });
    [h1, h2, h3] = [await cluster.start('h1'), await cluster.start('h2'), await cluster.start('h3')];
    const subnets = [{ prefix: '10.0.1.0/24', aux: {} }];
    const rest = { ipv6: false, internal: false, space: 'default', options: {}, labels: {} };
    const request = { name: 'red', driver: 'overlay', subnets, ...rest };
    await cluster.drive(h1.controller.createNetwork(request, context));
    await attach(h1, 'near');
    await attach(h3, 'far');
    await cluster.settle();
  });

  afterEach(() => cluster.dispose());

  async function attach(host: VirtualHost, name: string): Promise<void> {
    host.kernel.addSandbox(name);
    await cluster.drive(host.controller.connect('red', { sandbox: name, name, aliases: [] }, context));
  }

  function isDown(name: string, on = h1): boolean | undefined {
    return on.controller.state.hosts.get(name)?.isDown;
  }

  /** What the log says from here on, by kind. */
  function records(kind: string): number {
    return said.filter((each) => each === kind).length;
  }
  let said: string[];
  beforeEach(() => {
    said = [];
    h1.controller.steps$.subscribe(({ record, outcome }) => {
      said.push(`${record?.kind} ${outcome.accepted ? 'accepted' : outcome.code}`);
    });
  });

  it('takes a host down that died, by one record, and changes nothing but names', async () => {
    const before = kernelOf(h1);
    assert.deepEqual(namesOn(h1), ['far', 'far.red', 'near', 'near.red']);
    await cluster.stop(h3);
    await cluster.until(() => isDown('h3') === true);
    await cluster.clock.advance(5 * graceMs);
    assert.deepEqual(namesOn(h1), ['near', 'near.red']);
    assert.deepEqual(kernelOf(h1), before);
    assert.deepEqual(said, ['host-down accepted']);
    const status = await cluster.drive(h1.controller.status(context.signal));
    assert.deepEqual([status.hosts, status.hostsDown], [3, ['h3']]);
  });

  it('takes nobody down who lives, however long', async () => {
    await cluster.clock.advance(20 * graceMs);
    assert.deepEqual(said, []);
    for (const host of h1.controller.state.hosts.values()) {
      const { seenAgoMs, isSilent, account, daemons } = h2.controller.sightOf(host);
      assert.ok(seenAgoMs !== undefined && seenAgoMs < graceMs / 2, `${host.name}: ${seenAgoMs}`);
      assert.deepEqual([isSilent, daemons], [false, 1]);
      assert.equal(account?.ordinal, h1.controller.state.ordinal);
    }
  });

  it('has a host back as it was when its daemon starts again', async () => {
    await cluster.stop(h3);
    await cluster.until(() => isDown('h3') === true);
    h3 = await cluster.start('h3', { kernel: h3.kernel, address: '192.168.2.13' });
    await cluster.settle();
    assert.equal(isDown('h3'), false);
    assert.deepEqual(namesOn(h1), ['far', 'far.red', 'near', 'near.red']);
    assert.equal(h3.kernel.operations, 0);
  });

  it('lets a host that was cut off join again by itself, without touching its kernel', async () => {
    const operations = h3.kernel.operations;
    const restore = h3.log.sever();
    await cluster.until(() => isDown('h3') === true);
    await cluster.clock.advance(graceMs);
    restore();
    await cluster.until(() => isDown('h3') === false);
    await cluster.settle();
    assert.equal(await cluster.phaseOf(h3), 'running');
    assert.equal(h3.kernel.operations, operations);
    assert.deepEqual(namesOn(h1), ['far', 'far.red', 'near', 'near.red']);
    assert.deepEqual(
      [h1, h3].map((host) => host.controller.state.hosts.get('h3')?.epoch),
      [2, 2],
    );
    await attach(h3, 'more');
  });

  it('judges nobody while the store takes no beats, and nobody for having written none', async () => {
    const stop = cluster.store.interrupt((operation) => (operation === 'keep' ? 'refuse' : undefined));
    await cluster.clock.advance(10 * graceMs);
    stop();
    await cluster.clock.advance(10 * graceMs);
    assert.deepEqual(said, []);
  });

  it('judges nobody after the store was lost, however long, before a whole grace time is over', async () => {
    const restores = [h1, h2, h3].map(({ log }) => log.sever());
    await cluster.clock.advance(10 * graceMs);
    for (const restore of restores) restore();
    await cluster.clock.advance(10 * graceMs);
    assert.deepEqual(said, []);
  });

  it('gives a host that comes back last all of a grace time', async () => {
    const restores = [h1, h2, h3].map(({ log }) => log.sever());
    await cluster.clock.advance(10 * graceMs);
    restores[0]?.();
    restores[1]?.();
    await cluster.clock.advance(graceMs * 0.9);
    assert.equal(isDown('h3'), false);
    await cluster.until(() => isDown('h3') === true);
    restores[2]?.();
    await cluster.until(() => isDown('h3') === false);
  });

  it('does not take down more than half', async () => {
    await cluster.stop(h3);
    await cluster.stop(h2);
    await cluster.clock.advance(4 * graceMs);
    const down = ['h2', 'h3'].filter((name) => isDown(name));
    assert.equal(down.length, 1);
    assert.deepEqual(said, ['host-down accepted']);
    const other = down[0] === 'h2' ? 'h3' : 'h2';
    const host = h1.controller.state.hosts.get(other);
    assert.ok(host !== undefined);
    assert.equal(h1.controller.sightOf(host).isSilent, true);
    await cluster.drive(h1.controller.removeHost(down[0] ?? '', context));
    await cluster.until(() => isDown(other) === true);
  });

  it('expires a host that stays away, and lets it join again without what it had', async () => {
    const restore = h3.log.sever();
    await cluster.until(() => isDown('h3') === true);
    await cluster.clock.advance(retentionMs * 0.9);
    assert.equal(records('host-expire accepted'), 0);
    await cluster.until(() => isDown('h3') === undefined);
    assert.equal(records('host-expire accepted'), 1);
    assert.deepEqual(
      [...h1.controller.state.endpoints.values()].map(({ host }) => host),
      ['h1'],
    );
    restore();
    await cluster.until(() => isDown('h3') === false);
    await cluster.settle();
    assert.equal(await cluster.phaseOf(h3), 'running');
    assert.equal(h3.controller.state.hosts.get('h3')?.epoch, 2);
    assert.deepEqual(
      h3.kernel.objects().filter(({ kind }) => kind !== 'link'),
      [],
    );
  });

  it('says that it joins again where something is asked of it meanwhile', async () => {
    const restore = h3.log.sever();
    await cluster.until(() => isDown('h3') === true);
    let asked: Promise<unknown> | undefined;
    h3.controller.steps$.subscribe(({ record }) => {
      if (record?.kind === 'host-down') asked = h3.controller.removeEndpoint('far', context);
    });
    restore();
    await cluster.until(() => asked !== undefined);
    await assert.rejects(cluster.drive(asked ?? Promise.resolve()), (error) =>
      isWeftError(error, 'host-down'),
    );
    await cluster.until(async () => (await cluster.phaseOf(h3)) === 'running');
  });

  it('is not misled by what others write where beats are', async () => {
    const { presence } = h1.log;
    for (const [index, text] of ['', 'x', '{}', '{"v":1,"host":"h3"}', 'null', '[]'].entries()) {
      await presence.put(`${index}`.padStart(32, '0') as BootId, encodeUtf8(text), context.signal);
    }
    await cluster.stop(h3);
    await cluster.until(() => isDown('h3') === true);
  });

  it('sees two daemons of one identity, of which the later lives on', async () => {
    const twin = await cluster.start('h3', { address: '192.168.2.13' });
    await cluster.clock.advance(10 * graceMs);
    assert.equal(await cluster.phaseOf(h3), 'halted');
    assert.equal(await cluster.phaseOf(twin), 'running');
    assert.deepEqual(
      said.filter((each) => each.startsWith('host')),
      ['host-join accepted'],
    );
    assert.match(
      (await cluster.drive(h3.controller.status(context.signal))).phaseReason ?? '',
      /another daemon/,
    );
  });

  it('removes the beats of daemons that are no more', async () => {
    h3.scope.cancel();
    await cluster.drive(h3.running);
    await cluster.until(() => isDown('h3') === true);
    const count = async () => (await h1.log.presence.list(context.signal)).length;
    assert.equal(await count(), 3);
    await cluster.clock.advance(25 * graceMs);
    assert.equal(await count(), 2);
  });
});

describe('Controller and hosts that part', () => {
  const wrong: typeof apply = (state, line) => {
    const applied = apply(state, line);
    if (applied.halted || applied.state.ordinal < 5) return applied;
    return { ...applied, state: { ...applied.state, stateHash: 'f'.repeat(64) } };
  };

  it('stops the one that differs from all others, and says where', async () => {
    const cluster = new VirtualCluster(1, { graceMs, retentionMs });
    const hosts = [
      await cluster.start('h1'),
      await cluster.start('h2'),
      await cluster.start('h3', { fold: wrong }),
    ] as const;
    await cluster.clock.advance(2 * graceMs);
    const network = { name: 'red', driver: 'overlay', subnets: [], options: {}, labels: {} };
    const rest = { ipv6: false, internal: false, space: 'default' };
    for (const name of ['a', 'b'])
      await cluster.drive(hosts[0].controller.createNetwork({ ...network, ...rest, name }, context));
    await cluster.until(async () => (await cluster.phaseOf(hosts[2])) === 'halted');
    const { phaseReason } = await cluster.drive(hosts[2].controller.status(context.signal));
    assert.match(
      phaseReason ?? '',
      /other state at record 5 than 'h1', 'h2', and had the same at 3.*weft bundle/,
    );
    const asked = hosts[2].controller.removeNetwork('a', context);
    await assert.rejects(cluster.drive(asked), (error) => isWeftError(error, 'host-astray'));
    await cluster.clock.advance(2 * graceMs);
    for (const host of hosts.slice(0, 2)) assert.equal(await cluster.phaseOf(host), 'running');
    assert.equal(hosts[0].controller.state.hosts.get('h3')?.isDown, false, 'it lives, if for nothing');
    await cluster.dispose();
  });

  it('stops both of two, because neither knows which', async () => {
    const cluster = new VirtualCluster(1, { graceMs, retentionMs });
    const hosts = [await cluster.start('h1'), await cluster.start('h2', { fold: wrong })] as const;
    const rest = { subnets: [], options: {}, labels: {}, ipv6: false, internal: false, space: 'default' };
    for (const name of ['a', 'b', 'c'])
      await cluster.drive(hosts[0].controller.createNetwork({ name, driver: 'overlay', ...rest }, context));
    for (const host of hosts) await cluster.until(async () => (await cluster.phaseOf(host)) === 'halted');
    await cluster.dispose();
  });
});

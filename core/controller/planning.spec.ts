import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { VirtualCluster, type VirtualHost } from '../../test/support/virtual-cluster.ts';
import { type ErrorCode, isWeftError } from '../errors.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { NetworkRequest, PlanRequest, RequestContext } from './control.ts';

describe('a plan', () => {
  let cluster: VirtualCluster;
  let h1: VirtualHost;
  let h2: VirtualHost;
  const context: RequestContext = { by: 'uid:0', signal: cancelScope().signal };

  beforeEach(async () => {
    cluster = new VirtualCluster();
    h1 = await cluster.start('h1');
    h2 = await cluster.start('h2');
    await cluster.drive(h1.controller.createNetwork(network('red'), context));
    await attach(h2, 'far');
    h1.kernel.addSandbox('web');
    await cluster.settle();
  });

  afterEach(() => cluster.dispose());

  const addressOf = (host: string): string => h1.controller.state.hosts.get(host)?.address ?? '';

  /** The commands by host. */
  async function planned(request: PlanRequest): Promise<Record<string, readonly string[]>> {
    const { hosts } = await cluster.drive(h1.controller.plan(request, context));
    return Object.fromEntries(hosts.map(({ host, commands }) => [host, commands]));
  }

  async function attach(host: VirtualHost, sandbox: string) {
    host.kernel.addSandbox(sandbox);
    return cluster.drive(host.controller.connect('red', { sandbox, name: sandbox, aliases: [] }, context));
  }

  const connecting: PlanRequest = {
    change: 'connect',
    ref: 'red',
    body: { sandbox: 'web', name: 'web', aliases: [] },
  };

  it('tells for each host what a connection would do to it', async () => {
    const commands = await planned(connecting);
    assert.deepEqual(Object.keys(commands), ['h1', 'h2']);
    const [near = [], far = []] = [commands['h1'], commands['h2']];
    assert.ok(
      near.some((line) => line.startsWith('ip netns add weft-')),
      near.join('\n'),
    );
    assert.ok(
      near.some((line) => / type veth peer name eth0 netns web/.test(line)),
      near.join('\n'),
    );
    assert.ok(near.some((line) => /^ip -n web address replace 10\.0\.1\.3\/24 dev eth0$/.test(line)));
    assert.ok(
      near.some((line) => line.endsWith(`dst ${addressOf('h2')}`)),
      'the way to the other host',
    );
    assert.deepEqual(
      far.filter((line) => !line.startsWith('#')).map((line) => line.replace(/-n weft-\w+/, '-n NS')),
      [
        'ip -n NS neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:03 dev vxlan0 nud permanent',
        `bridge -n NS fdb replace 02:42:0a:00:01:03 dev vxlan0 self permanent dst ${addressOf('h1')}`,
      ],
    );
  });

  it('appends no record and writes no kernel, whatever is planned', async () => {
    const count = () => [
      cluster.store.length,
      h1.controller.state.ordinal,
      h1.kernel.operations,
      h2.kernel.operations,
    ];
    const before = count();
    const requests: readonly PlanRequest[] = [
      connecting,
      { change: 'createNetwork', body: network('blue') },
      { change: 'disconnect', ref: 'red', body: { ref: 'far' } },
      { change: 'removeEndpoint', ref: 'red/far' },
      { change: 'removeHost', ref: 'h2' },
    ];
    for (const request of requests) await planned(request);
    await cluster.settle();
    assert.deepEqual(count(), before);
    assert.equal((await cluster.drive(h1.controller.status(context.signal))).networks, 5);
  });

  it('tells what the operator of the host that is asked allows there', async () => {
    await cluster.stop(h1);
    const allowed = { acceptInForeignChains: true, acceptForeignVteps: true };
    h1 = await cluster.start('h1', { kernel: h1.kernel, allowed, address: addressOf('h1') });
    const body = { sandbox: 'web', name: 'web', aliases: [] };
    const accepts =
      /^# in each chain of others that drops what is forwarded: meta mark .* accept comment "weft"$/;
    const { h1: onBridge = [] } = await planned({ change: 'connect', ref: 'bridge', body });
    assert.equal(onBridge.filter((line) => accepts.test(line)).length, 1, onBridge.join('\n'));
    const { h1: near = [], h2: far = [] } = await planned(connecting);
    assert.equal(near.filter((line) => accepts.test(line)).length, 1, near.join('\n'));
    assert.deepEqual(
      near.filter((line) => line.includes(' vnis ')),
      [],
    );
    assert.deepEqual(
      far.filter((line) => accepts.test(line)),
      [],
      'it is not known there',
    );
  });

  const refusals: readonly (readonly [string, PlanRequest, ErrorCode])[] = [
    ['a name that is taken', { change: 'createNetwork', body: network('red') }, 'name-taken'],
    ['a network in use', { change: 'removeNetwork', ref: 'red' }, 'network-in-use'],
    ['a predefined network', { change: 'removeNetwork', ref: 'host' }, 'predefined-network'],
    [
      'a sandbox that is not there',
      { ...connecting, body: { sandbox: 'nobody', aliases: [] } },
      'no-such-sandbox',
    ],
    ['a host that is not there', { change: 'removeHost', ref: 'h9' }, 'no-such-host'],
  ];
  for (const [what, request, code] of refusals) {
    it(`is refused as the change would be: ${what}`, async () => {
      await assert.rejects(planned(request), (error) => isWeftError(error, code));
    });
  }

  it('says which networks have nothing to do anywhere', async () => {
    assert.deepEqual(await planned({ change: 'createNetwork', body: network('blue') }), { h1: [], h2: [] });
  });
});

function network(name: string): NetworkRequest {
  const subnets = name === 'red' ? [{ prefix: '10.0.1.0/24', aux: {} }] : [];
  return {
    name,
    driver: 'overlay',
    subnets,
    ipv6: false,
    internal: false,
    space: 'default',
    options: {},
    labels: {},
  };
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Container } from 'inversify';
import { after, before, describe, it } from 'mocha';
import { SystemRandom } from '../adapters/system/random.ts';
import { Controller } from '../core/controller/controller.ts';
import { isWeftError } from '../core/errors.ts';
import { type IpAddress, parseAddress } from '../core/model/address.ts';
import type { Configuration } from './configuration/configuration.ts';
import { completeContainer, createContainer } from './container.ts';
import { MachineClaim } from './machine-claim.ts';
import { kernelModule } from './modules/kernel.module.ts';
import { tokens } from './tokens.ts';

/** Any address that a link of this machine has: resolving the underlay asks the real kernel. */
function someAddress(): IpAddress {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = parseAddress(all.find(({ family }) => family === 'IPv4')?.address ?? '');
  assert.ok(address !== undefined, 'the machine has an IPv4 address');
  return address;
}

describe('the container', () => {
  let folder: string;
  let claim: MachineClaim;
  const made: Container[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-container-'));
    const ours = { dataDir: join(folder, 'data'), netnsPrefix: 'wt-' };
    claim = await MachineClaim.take(ours, new SystemRandom(), folder);
  });

  after(async () => {
    for (const container of made) {
      await (await container.getAsync(tokens.kernelService)).stop();
      await (await container.getAsync(tokens.logService)).stop();
    }
    await claim?.release();
    await rm(folder, { recursive: true, force: true });
  });

  const configuration = (more: Partial<Configuration> = {}): Configuration => ({
    store: 'memory:container-spec',
    host: 'h1',
    advertise: someAddress(),
    dataDir: join(folder, 'data'),
    socket: join(folder, 'weft.sock'),
    netnsPrefix: 'wt-',
    acceptInForeignChains: false,
    acceptForeignVteps: false,
    hasDefaultBridge: true,
    archiveMib: 64,
    hostGraceMs: 30_000,
    hostRetentionMs: 86_400_000,
    logLevel: 'silent',
    secrets: {},
    stores: [],
    ...more,
  });

  const complete = (more: Partial<Configuration> = {}): Container => {
    const container = createContainer(configuration(more));
    completeContainer(container, claim);
    made.push(container);
    return container;
  };

  for (const store of [
    'memory:container-spec',
    'file:FOLDER/log',
    'etcd://127.0.0.1:2379/weft-container-spec',
    'zookeeper://127.0.0.1:2181/weft-container-spec',
  ]) {
    it(`resolves every token on ${store}, each to one object`, async () => {
      const container = complete({ store: store.replace('FOLDER', folder) });
      for (const [name, token] of Object.entries(tokens)) {
        const value = await container.getAsync<unknown>(token);
        assert.ok(value !== undefined && value !== null, name);
        assert.equal(await container.getAsync<unknown>(token), value, name);
      }
      assert.ok((await container.getAsync(tokens.controller)) instanceof Controller);
    });
  }

  it('knows the drivers of the command line', async () => {
    const drivers = await complete().getAsync(tokens.drivers);
    assert.deepEqual([...drivers.keys()].toSorted(), [
      'bridge',
      'host',
      'ipvlan',
      'macvlan',
      'null',
      'overlay',
    ]);
  });

  it('refuses an address that no link has, and a store that there is none of', async () => {
    const noLink = complete({ advertise: '198.51.100.77' as IpAddress });
    await assert.rejects(
      async () => noLink.getAsync(tokens.controller),
      (error) => isWeftError(error, 'bad-configuration'),
    );
    const container = createContainer(configuration({ store: 'smoke://signals' }));
    completeContainer(container, claim);
    await assert.rejects(
      async () => container.getAsync(tokens.log),
      (error) => isWeftError(error, 'bad-store-url'),
    );
  });

  it('names a binding that is missing', async () => {
    const container = new Container();
    container.bind(tokens.configuration).toConstantValue(configuration());
    container.load(kernelModule);
    await assert.rejects(async () => container.getAsync(tokens.kernel), /logger/);
  });
});

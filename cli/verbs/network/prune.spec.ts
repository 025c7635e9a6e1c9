/** `weft network prune` as users run it, against a daemon's API over a fake control. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { WeftError } from '../../../core/errors.ts';
import { ApiFixture } from '../../../test/support/api-fixture.ts';
import { runWeft } from '../../../test/support/run-weft.ts';

describe('a prune on the command line', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await ApiFixture.start();
  });

  afterEach(() => api.stop());

  const weft = (...args: string[]) => runWeft(args, { WEFT_SOCKET: api.socket });
  /** Runs a command that must succeed in silence on standard error. */
  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await weft(...args);
    assert.deepEqual({ code, err }, { code: 0, err: '' }, args.join(' '));
    return out;
  };

  it('prunes what nothing is on, after asking, with the words of Docker', async () => {
    await ok('network', 'create', '--subnet', '10.0.1.0/24', 'overlayred');
    await ok('network', 'connect', 'overlayred', 'c1');
    await ok('network', 'create', '--label', 'keep', 'kept');
    await ok('network', 'create', 'idle');
    await ok('network', 'create', 'idle2');
    const prune = (args: readonly string[], input: string) =>
      runWeft(['network', 'prune', ...args], { WEFT_SOCKET: api.socket }, input);
    const left = async () =>
      (await ok('network', 'ls', '-q', '--filter', 'type=custom')).split('\n').length - 1;
    for (const answer of ['', 'n\n', 'yes please\n', '\n']) {
      const { code, out, err } = await prune([], answer);
      assert.deepEqual([code, out], [0, '']);
      assert.equal(
        err,
        'WARNING! This will remove all custom networks not used by at least one container.\n' +
          'Are you sure you want to continue? [y/N] ',
      );
    }
    assert.equal(await left(), 4);
    const old = await prune(['--force', '--filter', 'until=2015-11-23T12:00:00Z'], '');
    assert.deepEqual(old, { code: 0, out: '', err: '' });
    const some = await prune(['--filter', 'label!=keep'], 'Y\n');
    assert.equal(some.out, 'Deleted Networks:\nidle\nidle2\n\n');
    assert.match(some.err, /Items to be pruned will be filtered with:\n {2}- label!=keep\n/);
    const rest = await prune(['-f', '--format', 'json'], '');
    assert.deepEqual(JSON.parse(rest.out), { NetworksDeleted: ['kept'] });
    assert.equal(await left(), 1);
  });

  it('leaves a network that somebody connects to while it prunes', async () => {
    await ok('network', 'create', 'idle');
    await ok('network', 'create', 'busy');
    api.control.before = async (method) => {
      if (method !== 'removeNetwork') return;
      api.control.before = undefined;
      await api.client.call('connect', { params: { ref: 'busy' }, body: { sandbox: 'c1' } });
    };
    assert.equal(await ok('network', 'prune', '-f'), 'Deleted Networks:\nidle\n\n');
    assert.equal(await ok('network', 'prune', '-f'), '');
  });

  it('names what it pruned before something failed, and what that was', async () => {
    for (const name of ['a', 'b', 'c']) await ok('network', 'create', name);
    let removals = 0;
    api.control.before = async (method) => {
      if (method !== 'removeNetwork' || ++removals !== 2) return;
      throw new WeftError('store-unreachable', 'The store is gone: wait');
    };
    const { code, out, err } = await weft('network', 'prune', '-f');
    assert.deepEqual([code, out], [1, 'Deleted Networks:\na\n\n']);
    assert.equal(
      err,
      "weft: Stopped before network 'b', which is there still or is not known to be gone: " +
        'The store is gone: wait (store-unreachable)\n',
    );
    assert.equal(await ok('network', 'prune', '-f'), 'Deleted Networks:\nb\nc\n\n');
  });
});

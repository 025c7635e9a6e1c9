import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'mocha';
import { peerUid } from '../../kernel/peer-credentials.ts';
import { ApiFixture } from '../../test/support/api-fixture.ts';
import { requireRoot } from '../../test/support/requirements.ts';

const weft = fileURLToPath(new URL('../../../bin/weft', import.meta.url));
const nobody = 65_534;

interface Result {
  readonly code: number;
  readonly stderr: string;
}

describe('the socket of the API and other users', () => {
  let api: ApiFixture;

  before(async function () {
    requireRoot(this);
    api = await ApiFixture.start(peerUid);
    await chmod(api.folder, 0o755);
  });

  after(() => api?.stop());

  const runAs = (uid: number, args: readonly string[]): Promise<Result> => {
    const env = { ...process.env, WEFT_SOCKET: api.socket };
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [weft, ...args],
        { uid, gid: uid, env },
        (_error, _out, stderr) => {
          resolve({ code: child.exitCode ?? -1, stderr });
        },
      );
    });
  };

  it('tells root by its uid', async () => {
    assert.equal((await runAs(0, ['network', 'create', 'red'])).code, 0);
    assert.deepEqual(api.control.askedBy, ['uid:0']);
  });

  it('refuses a user outside of its group, who hears what to do', async () => {
    const { code, stderr } = await runAs(nobody, ['network', 'ls']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^weft: Cannot use the socket .*permission denied: become root or join the group .*\(permission-denied\)\n$/,
    );
  });

  it('tells a user who was let in by the uid', async () => {
    await chmod(api.socket, 0o666);
    assert.equal((await runAs(nobody, ['network', 'create', 'blue'])).code, 0);
    assert.equal(api.control.askedBy.at(-1), `uid:${nobody}`);
  });
});

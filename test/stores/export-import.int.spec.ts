/** A cluster's state taken from each kind of store to each other one, as a file, and lived on with there. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { skipBecause } from '../support/requirements.ts';
import { StoreHost } from '../support/store-host.ts';
import { type StoreKind, type StoreServer, storeKinds } from '../support/store-kinds.ts';
import { weft } from '../support/weft-program.ts';

const endpoints = 5;

describe('a cluster that is exported and imported', function suite() {
  this.timeout(120_000);
  const servers = new Map<string, StoreServer>();
  const exported = new Map<string, { readonly file: string; readonly stateHash: string }>();
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), `wt${process.pid}-export-`));
    for (const kind of storeKinds)
      if (kind.unavailable === undefined) servers.set(kind.name, await kind.start());
  });
  after(async () => {
    for (const server of servers.values()) await server.stop();
    await rm(folder, { recursive: true });
  });

  const json = (text: string) => JSON.parse(text);
  const urlOn = (kind: StoreKind): string => servers.get(kind.name)?.newUrl() ?? '';

  /** A host with endpoints on a new store of the kind, exported and gone. */
  async function exportFrom(kind: StoreKind) {
    const known = exported.get(kind.name);
    if (known !== undefined) return known;
    const host = await StoreHost.start(urlOn(kind));
    try {
      await host.populate('red', endpoints);
      await host.grow(200);
      const file = join(folder, `${kind.name}.gz`);
      const { code, out, err } = await weft(['--format', 'json', 'store', 'export', file], host.socket);
      assert.deepEqual([code, err], [0, '']);
      assert.equal(json(out).stateHash, host.controller.state.stateHash);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const again = await weft(['store', 'export', file], host.socket);
      assert.deepEqual([again.code, again.out], [1, '']);
      assert.match(again.err, /^weft: Cannot write .*: there is one already; .* \(file-failed\)\n$/);
      const made = { file, stateHash: host.controller.state.stateHash };
      exported.set(kind.name, made);
      return made;
    } finally {
      await host.stop();
    }
  }

  for (const from of storeKinds) {
    for (const to of storeKinds) {
      it(`from ${from.name} to ${to.name} has every endpoint there, and goes on`, async function move() {
        for (const { unavailable } of [from, to])
          if (unavailable !== undefined) skipBecause(this, unavailable);
        const { file, stateHash } = await exportFrom(from);
        const url = urlOn(to);
        const { code, out, err } = await weft(['--format', 'json', 'store', 'import', file, '--store', url]);
        assert.deepEqual([code, err], [0, '']);
        assert.equal(json(out).stateHash, stateHash);
        const host = await StoreHost.start(url);
        try {
          const { state } = host.controller;
          assert.equal(state.endpoints.size, endpoints);
          assert.equal(state.ordinal, json(out).ordinal + 2, 'the log has begun, and it has joined');
          await host.populate('blue', 1);
          const addresses = [...host.controller.state.endpoints.values()].flatMap(
            (endpoint) => endpoint.addresses,
          );
          assert.equal(new Set(addresses).size, endpoints + 1);
        } finally {
          await host.stop();
        }
      });
    }
  }

  it('is refused where the store has a log, and nothing is changed there', async () => {
    const [kind] = storeKinds;
    assert.ok(kind !== undefined);
    const { file } = await exportFrom(kind);
    const url = urlOn(kind);
    assert.equal((await weft(['store', 'import', file, '--store', url])).code, 0);
    const again = await weft(['store', 'import', file, '--store', url]);
    assert.deepEqual([again.code, again.out], [1, '']);
    assert.match(
      again.err,
      /^weft: Cannot begin a log at file:.*: there is one already; .* \(log-exists\)\n$/,
    );
    const host = await StoreHost.start(url);
    assert.equal(host.controller.state.endpoints.size, endpoints);
    await host.stop();
  });

  it('is refused in one line where the file is not what it was, and the store is left alone', async () => {
    const [kind] = storeKinds;
    assert.ok(kind !== undefined);
    const { file } = await exportFrom(kind);
    const url = urlOn(kind);
    const bytes = await readFile(file);
    const torn = join(folder, 'torn.gz');
    for (const [contents, message] of [
      [
        bytes.subarray(0, bytes.length / 2),
        /^weft: Cannot read the export: it was cut short; take it anew \(bad-export\)\n$/,
      ],
      [Buffer.from(bytes).fill(0, 200, 210), /^weft: Cannot read the export: .* \(bad-export\)\n$/],
      [
        Buffer.from('no export at all'),
        /^weft: Cannot read the export: it is not compressed as one.* \(bad-export\)\n$/,
      ],
    ] as const) {
      await writeFile(torn, contents);
      const { code, out, err } = await weft(['store', 'import', torn, '--store', url]);
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, message);
      await assert.rejects(stat(url.slice('file:'.length)), { code: 'ENOENT' });
    }
    const none = await weft(['store', 'import', file]);
    assert.match(none.err, /^weft: .*no store is named.* \(bad-configuration\)\n$/);
  });

  it('can be exported while the store is down', async function down() {
    const etcd = storeKinds.find(({ name }) => name === 'etcd');
    if (etcd?.unavailable !== undefined) skipBecause(this, etcd.unavailable);
    const server = await etcd?.start();
    assert.ok(server !== undefined);
    const host = await StoreHost.start(server.newUrl());
    try {
      await host.populate('red', 2);
      await server.stop();
      const file = join(folder, 'down.gz');
      const { code, err } = await weft(['store', 'export', file], host.socket);
      assert.deepEqual([code, err], [0, '']);
      const [kind] = storeKinds;
      assert.ok(kind !== undefined);
      const { out } = await weft(['--format', 'json', 'store', 'import', file, '--store', urlOn(kind)]);
      assert.equal(json(out).stateHash, host.controller.state.stateHash);
    } finally {
      await host.stop();
    }
  });
});

/** TLS with client certificates, the same for every store that servers keep. */
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import type { ClusterTls } from '../../adapters/cluster-url.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import type { ClusterServer } from '../../lab/store-cluster.ts';
import { makeAuthority, makeCertificate } from '../support/certificates.ts';
import { draft, never } from '../support/log-drafts.ts';
import type { LogHandles } from '../support/log-handles.ts';
import { codeOf, eventually, RunningTail } from '../support/log-trials.ts';
import { requireCommand, skipBecause } from '../support/requirements.ts';

/** PEM. A server that asks its clients for certificates takes them from these. */
export interface ServerTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Both in one. */
  readonly keyAndCertFile: string;
  readonly clientCaFile: string;
}

export interface TlsStore {
  readonly name: 'etcd' | 'consul' | 'zookeeper';
  /** Why no server can be started here, one line; undefined where one can. */
  unavailable(): string | undefined;
  start(tls: ServerTlsFiles): Promise<ClusterServer & { stop(): Promise<void> }>;
  newLogs(): LogHandles<EventLog, { readonly tls: ClusterTls }>;
}

export function describeServerTls(store: TlsStore): void {
  describe(`${store.name}: TLS`, function tls() {
    this.timeout(60_000);
    const logs = store.newLogs();
    let folder: string;
    let server: Awaited<ReturnType<TlsStore['start']>>;
    let url: string;

    before(async function start() {
      const unavailable = store.unavailable();
      if (unavailable !== undefined) skipBecause(this, unavailable);
      requireCommand(this, 'openssl');
      folder = await mkdtemp(join(tmpdir(), `weft-${store.name}-tls-`));
      await makeAuthority(folder, 'ca');
      await makeAuthority(folder, 'strange');
      await makeCertificate(folder, 'server');
      await makeCertificate(folder, 'client');
      const [certFile, keyFile, keyAndCertFile] = [at('server.crt'), at('server.key'), at('server.pem')];
      await writeFile(keyAndCertFile, Buffer.concat([await readFile(keyFile), await readFile(certFile)]));
      server = await store.start({ certFile, keyFile, keyAndCertFile, clientCaFile: at('ca.crt') });
      url = `${store.name}://${server.host}:${server.securePort}`;
    });
    afterEach(() => logs.closeAll());
    after(async () => {
      await server?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const at = (name: string) => join(folder, name);
    const own = () => ({ certFile: at('client.crt'), keyFile: at('client.key') });

    it('appends and tails by mutual TLS, small entries and large', async () => {
      const log = await logs.open(url, { tls: { caFile: at('ca.crt'), ...own() } });
      const tail = new RunningTail(log);
      const [made, large] = [draft('sealed'), draft(Buffer.alloc(200_000, 7))];
      await log.append(made, never());
      await log.append(large, never());
      await tail.until(2);
      assert.deepEqual(tail.ids, [made.id, large.id]);
      await tail.stop();
    });

    it('does not talk to a server that it cannot check, nor without its own certificate, nor in the clear', async () => {
      const ways = [
        { tls: { caFile: at('strange.crt'), ...own() } },
        { tls: { ...own() } },
        { tls: { caFile: at('ca.crt') } },
        { tls: { caFile: at('missing.crt') } },
        { tls: { caFile: at('ca.crt'), certFile: at('client.crt') } },
        {},
      ];
      for (const way of ways)
        assert.equal(await codeOf(logs.open(url, way)), 'store-unreachable', JSON.stringify(way));
    });

    it('reads its files again for every connection: one that could not be made, and one that was lost', async () => {
      const [known, certFile, keyFile] = [at('known.crt'), at('own.crt'), at('own.key')];
      await copyFile(at('strange.crt'), known);
      await copyFile(at('client.crt'), certFile);
      await copyFile(at('client.key'), keyFile);
      const log = logs.connect(url, { tls: { caFile: known, certFile, keyFile } });
      assert.equal(await codeOf(log.open(never())), 'store-unreachable');
      await copyFile(at('ca.crt'), known);
      await eventually(() => log.open(never()));
      await copyFile(at('server.crt'), certFile);
      await copyFile(at('server.key'), keyFile);
      await server.restart();
      await eventually(() => log.append(draft(), never()));
    });
  });
}

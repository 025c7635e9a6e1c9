import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Relay } from '../../../lab/relay.ts';
import { makeAuthority, makeCertificate } from '../../support/certificates.ts';
import { draft, never } from '../../support/log-drafts.ts';
import type { Fault } from '../fault.ts';
import { RealDaemon } from '../real-daemon.ts';
import { clusterStores, type ServerOptions } from '../stores.ts';
import type { Trial } from '../trial.ts';

const watchedMs = 5_000;
/**
 * A daemon that cannot reach its store opens it anew after 250 ms, 500 ms and so on, and tries each of the three servers up
 * to three times whenever it does. Who tried without a pause would make hundreds of connections.
 */
const connectionsMax = 70;

export const wrongCa: Fault = {
  name: 'wrong-ca',
  what: 'servers whose certificates an authority has signed that the daemon does not know: it says so and why, tries on at a growing pace, and sends nothing; with the right one it is at work',
  stores: clusterStores,
  servers: makeServers,
  needsNetwork: true,
  async run(trial) {
    const at = (name: string) => join(trial.sharedFolder, name);
    const own = { certFile: at('client.crt'), keyFile: at('client.key') };
    const secure = trial.cluster.servers.map(({ host, securePort }) => ({ host, clientPort: securePort }));
    // The certificates are for loopback, where the relays are.
    const relays = await trial.relays(secure);
    const log = await trial.open(trial.urlThrough(relays), { tls: { caFile: at('ca.crt'), ...own } });
    await log.append(draft(), never());
    await log.close();
    const before = connectionsOf(relays);
    const files = `tls-cert-file: ${own.certFile}\ntls-key-file: ${own.keyFile}\n`;
    const known = join(trial.folder, 'known.crt');
    await copyFile(at('strange.crt'), known);
    const daemon = await RealDaemon.start(trial, trial.urlThrough(relays), `tls-ca-file: ${known}\n${files}`);
    await daemon.untilSaid(/certificate|self.signed|issuer/i);
    await sleep(watchedMs / 2);
    const early = connectionsOf(relays) - before;
    await sleep(watchedMs / 2);
    const late = connectionsOf(relays) - before - early;
    assert.ok(early > 0 && early + late <= connectionsMax, `${early + late} connections`);
    assert.ok(late < early, `${early} connections, and then ${late} in as much time`);
    await assertOpening(daemon, trial);
    await copyFile(at('ca.crt'), known);
    await daemon.untilRunning();
    return undefined;
  },
};

function connectionsOf(relays: readonly Relay[]): number {
  return relays.reduce((sum, relay) => sum + relay.connectionsTaken, 0);
}

/** It answers people meanwhile, and tells them why it does not go on. */
async function assertOpening(daemon: RealDaemon, trial: Trial): Promise<void> {
  const { phase, store } = await daemon.client.call('status');
  assert.equal(phase, 'opening', trial.store);
  assert.equal(store.reachable, false);
  assert.match(store.reason ?? '', /certificate|self.signed|issuer/i);
}

async function makeServers(folder: string): Promise<ServerOptions> {
  const at = (name: string) => join(folder, name);
  await makeAuthority(folder, 'ca');
  await makeAuthority(folder, 'strange');
  await makeCertificate(folder, 'server');
  await makeCertificate(folder, 'client');
  await writeFile(
    at('server.pem'),
    `${await readFile(at('server.key'), 'utf8')}${await readFile(at('server.crt'), 'utf8')}`,
  );
  const tls = { certFile: at('server.crt'), keyFile: at('server.key'), clientCaFile: at('ca.crt') };
  const zookeeper = { tls: { keyAndCertFile: at('server.pem'), clientCaFile: at('ca.crt') } };
  return { etcd: { tls }, consul: { tls }, zookeeper };
}

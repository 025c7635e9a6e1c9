/**
 * A host on a real store: the production controller over the real log, clock, archive and API, with a kernel in memory. For
 * what a host does to its store, and without root.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryArchive } from '../../adapters/archive/directory-archive.ts';
import { nodeFileSystem } from '../../adapters/file/node-file-system.ts';
import { openLog } from '../../adapters/open-log.ts';
import { SystemClock } from '../../adapters/system/clock.ts';
import { GzipCompression } from '../../adapters/system/compression.ts';
import { SystemRandom } from '../../adapters/system/random.ts';
import { Client } from '../../api/client.ts';
import { Controller } from '../../core/controller/controller.ts';
import { isWeftError } from '../../core/errors.ts';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { EventLog } from '../../core/log/event-log.ts';
import { parseAddress } from '../../core/model/address.ts';
import { snapshotsKept } from '../../core/snapshot/defaults.ts';
import { CurrentLog } from '../../core/succession/current-log.ts';
import { ApiServer } from '../../daemon/server/api-server.ts';
import { drivers } from '../../drivers/index.ts';
import { FakeKernel } from '../../kernel/fake/fake-kernel.ts';
import { QuietLogger } from './quiet-logger.ts';

export interface StoreHostOptions {
  readonly name?: string;
  /** Of the last digit of its underlay address. */
  readonly number?: number;
  readonly snapshotOrdinals?: number;
  /** Of its former life; made anew where absent, and left to the test where not. */
  readonly folder?: string;
}

const by = 'uid:0';
/** Attempts of a request that a busy machine let run out of time. */
const attemptsMax = 10;

export class StoreHost {
  readonly controller: Controller;
  readonly kernel = new FakeKernel();
  readonly logger: QuietLogger;
  readonly folder: string;
  readonly client: Client;
  readonly socket: string;
  readonly #api: ApiServer;
  readonly #isOwnFolder: boolean;
  readonly #scope = cancelScope();
  readonly #running: Promise<void>;

  private constructor(log: EventLog, folder: string, options: StoreHostOptions) {
    const { name = 'h1', number = 1, snapshotOrdinals } = options;
    this.folder = folder;
    this.#isOwnFolder = options.folder === undefined;
    this.logger = new QuietLogger({ host: name });
    const { kernel, logger } = this;
    const address = parseAddress(`192.168.7.${number}`);
    if (address === undefined) throw new Error(`${number} makes no address`);
    kernel.addUnderlay(address);
    const archive = new DirectoryArchive(
      { directory: join(folder, 'archive'), bytesMax: 2 ** 30 },
      nodeFileSystem,
    );
    const [clock, random, compression] = [new SystemClock(), new SystemRandom(), new GzipCompression()];
    const identity = Buffer.from(name.padEnd(16, '.')).toString('hex');
    const connect = (url: string): Promise<EventLog> => openLog(url, { clock, random, logger });
    this.controller = new Controller(
      { log: new CurrentLog(log), connect, kernel, clock, random, logger, compression, archive, drivers },
      {
        host: name,
        address,
        identity,
        mtu: 1500,
        version: '0.1.0',
        netnsPrefix: 'weft-',
        ...(snapshotOrdinals !== undefined && { snapshotOrdinals }),
      },
    );
    this.socket = join(folder, 'weft.sock');
    const self = { configuration: {}, system: {}, logLines: () => [] };
    this.#api = new ApiServer(
      { control: this.controller, log, peerUid: () => 0, logger, self },
      { socket: this.socket, host: name, version: '0.1.0', graceMs: 500 },
    );
    this.client = new Client({ socket: this.socket });
    this.#running = this.controller.run(this.#scope.signal);
  }

  /** Begins a life on a store; resolves when the host is at work. */
  static async start(url: string, options: StoreHostOptions = {}): Promise<StoreHost> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), `wt${process.pid}-host-`)));
    const ports = { clock: new SystemClock(), random: new SystemRandom(), logger: new QuietLogger() };
    const host = new StoreHost(await openLog(url, ports), folder, options);
    await host.#api.start();
    await Promise.race([host.until(async () => (await host.phase()) === 'running'), host.#running]);
    return host;
  }

  async phase(): Promise<string> {
    return (await this.controller.status(this.#scope.signal)).phase;
  }

  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Makes networks and removes them, so many at once, until as many records more are in the log. */
  async grow(records: number, atOnce = 64): Promise<void> {
    let left = records / 2;
    const worker = async (number: number): Promise<void> => {
      for (let count = 0; left-- > 0; count += 1) {
        const name = `grow-${number}-${count}`;
        await this.insist(
          () => this.controller.createNetwork(networkRequest(name), this.#context),
          ['name-taken'],
        );
        await this.insist(() => this.controller.removeNetwork(name, this.#context), ['no-such-network']);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, (_, number) => worker(number)));
  }

  /** An overlay with so many endpoints on this host. */
  async populate(network: string, endpoints: number): Promise<void> {
    const request = { ...networkRequest(network), driver: 'overlay' };
    await this.controller.createNetwork(request, this.#context);
    for (let count = 0; count < endpoints; count += 1) {
      const sandbox = `${network}-${count}`;
      this.kernel.addSandbox(sandbox);
      const wish = { sandbox, name: sandbox, aliases: [] };
      await this.controller.connect(network, wish, this.#context);
    }
  }

  /** The snapshots once nothing is being made or dropped: those that are kept, all of which can be read; newest first. */
  async snapshotsAtRest(): Promise<readonly { readonly ordinal: number; readonly bytes?: number }[]> {
    for (;;) {
      const { snapshots = [], ownTurn } = await this.client.call('storeStatus', { query: { check: 'true' } });
      const isWhole =
        snapshots.length === snapshotsKept && snapshots.every(({ fault }) => fault === undefined);
      if (isWhole && ownTurn > this.controller.state.ordinal) return snapshots;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Repeats a request of unknown outcome, of which one of these codes then says that it was carried out. */
  async insist(request: () => Promise<unknown>, done: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await request();
        return;
      } catch (error) {
        if (!isWeftError(error)) throw error;
        if (attempt > 1 && done.includes(error.code)) return;
        if (attempt === attemptsMax || !errorsOfTime.has(error.code)) throw error;
      }
    }
  }

  /** Ends its life in good order. */
  async stop(): Promise<void> {
    await this.#api.stop();
    this.#scope.cancel();
    await this.#running;
    await this.controller.stop();
    if (this.#isOwnFolder) await rm(this.folder, { recursive: true });
  }

  get #context() {
    return { by, signal: this.#scope.signal };
  }
}

const errorsOfTime: ReadonlySet<string> = new Set(['store-unreachable', 'outcome-unknown', 'too-old']);

function networkRequest(name: string) {
  const request = { name, driver: 'overlay', subnets: [], ipv6: false, internal: false };
  return { ...request, space: 'default', options: {}, labels: {} };
}

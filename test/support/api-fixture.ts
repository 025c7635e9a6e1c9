/** An API server over a fake control, on a socket of its own in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../../api/client.ts';
import { ApiServer } from '../../daemon/server/api-server.ts';
import type { PeerUid } from '../../daemon/server/caller.ts';
import { FakeControl } from './fake-control.ts';
import { QuietLogger } from './quiet-logger.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export class ApiFixture {
  readonly control = new FakeControl();
  readonly logger = new QuietLogger();
  readonly self = {
    configuration: { host: 'h1', 'netns-prefix': 'weft-' },
    system: { node: 'v0' },
    logLines: () => ['{"level":30,"message":"The daemon runs"}'],
  };
  readonly folder: string;
  readonly socket: string;
  readonly server: ApiServer;
  readonly client: Client;

  private constructor(folder: string, peerUid: PeerUid) {
    this.folder = folder;
    this.socket = join(folder, 'weft.sock');
    const options = { socket: this.socket, host: 'h1', version: '0.1.0', graceMs: 500 };
    const { control, logger } = this;
    const log = {
      get health() {
        return control.health;
      },
    };
    const { self } = this;
    this.server = new ApiServer({ control, log, peerUid, logger, self }, options);
    this.client = new Client({ socket: this.socket, validate: true });
  }

  static async start(peerUid: PeerUid = () => 1000): Promise<ApiFixture> {
    const fixture = new ApiFixture(await mkdtemp(join(tmpdir(), 'weft-api-')), peerUid);
    await fixture.server.start();
    return fixture;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Any request, also a wrong one. */
  request(path: string, { method = 'GET', headers = {}, body }: Request = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.socket, path, method, headers, agent: false as const };
      const outgoing = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
        response.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** A POST of JSON text. */
  post(path: string, json: unknown): Promise<Reply> {
    const body = typeof json === 'string' ? json : JSON.stringify(json);
    return this.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }
}

/** The API as a service of the daemon: the HTTP server with its handlers, on its unix socket. */
import type { Control } from '../../core/controller/control.ts';
import type { Logger } from '../../core/ports/logger.ts';
import type { Service } from '../lifecycle.ts';
import type { PeerUid } from './caller.ts';
import type { HealthSource, SelfAccount } from './handlers/handler.ts';
import { createHandlers } from './handlers/handlers.ts';
import { HttpServer } from './http-server.ts';
import { UnixSocket } from './unix-socket.ts';

export interface ApiServerPorts {
  readonly control: Control;
  readonly log: HealthSource;
  readonly peerUid: PeerUid;
  readonly logger: Logger;
  readonly self: SelfAccount;
}

export interface ApiServerOptions {
  /** Where to listen. */
  readonly socket: string;
  /** Name of this host. */
  readonly host: string;
  readonly version: string;
  /** How long requests under way may still answer when the server stops, milliseconds. */
  readonly graceMs: number;
}

export class ApiServer implements Service {
  readonly name = 'API';
  readonly #options: ApiServerOptions;
  readonly #logger: Logger;
  readonly #http: HttpServer;
  #socket: UnixSocket | undefined;

  constructor(ports: ApiServerPorts, options: ApiServerOptions) {
    const { control, log, peerUid, logger, self } = ports;
    this.#options = options;
    this.#logger = logger;
    this.#http = new HttpServer({
      handlers: createHandlers({ control, log, self, host: options.host, version: options.version }),
      standing: () => {
        return {
          version: options.version,
          ordinal: control.state.ordinal,
          storeReachable: log.health.reachable,
        };
      },
      peerUid,
      logger,
    });
  }

  /** @throws WeftError `already-running`, `bad-configuration`, `permission-denied` */
  async start(): Promise<void> {
    await this.#http.start(async (server) => {
      this.#socket = await UnixSocket.listen(server, this.#options.socket, this.#logger);
    });
    this.#logger.info('The API listens', { socket: this.#options.socket });
  }

  async stop(): Promise<void> {
    await this.#http.stop(this.#options.graceMs);
    await this.#socket?.remove();
  }
}

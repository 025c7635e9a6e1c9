/**
 * A TCP relay in user space, to break a connection in chosen ways: cut it (both sides see a reset), freeze it (half-open:
 * bytes vanish from sight and nobody is told), refuse new ones, or cut after so many bytes in the middle of an answer.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface RelayTarget {
  readonly host: string;
  readonly port: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  frozen: boolean;
}

export class Relay {
  readonly host = '127.0.0.1';
  #target: RelayTarget;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #port = 0;
  #frozen = false;
  #answerBytesLeft = Number.POSITIVE_INFINITY;
  #connectionsTaken = 0;
  #bytesAsked = 0;

  static async start(target: RelayTarget): Promise<Relay> {
    const relay = new Relay(target);
    await relay.#listen(0);
    return relay;
  }

  private constructor(target: RelayTarget) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that it has taken since it began. */
  get connectionsTaken(): number {
    return this.#connectionsTaken;
  }

  /** Bytes of clients that have passed since it began. */
  get bytesAsked(): number {
    return this.#bytesAsked;
  }

  /** Sends new connections elsewhere; those that exist are reset. */
  redirect(target: RelayTarget): void {
    this.#target = target;
    this.cut();
  }

  /** Connections that pass through now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Resets every connection; new ones are taken. */
  cut(): void {
    for (const pair of this.#pairs) end(pair);
  }

  /** Resets every connection as soon as so many more bytes of answers have passed, counted over all connections. */
  cutAfterAnswerBytes(bytes: number): void {
    this.#answerBytesLeft = bytes;
  }

  /** Nothing passes any more, in connections that exist or come; nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) freezePair(pair);
  }

  /** Connections that were frozen stay dead (half-open); new ones pass. */
  thawNew(): void {
    this.#frozen = false;
  }

  /** Everything passes again, also what was held back. */
  thaw(): void {
    this.#frozen = false;
    for (const pair of this.#pairs) {
      pair.frozen = false;
      pair.client.resume();
      pair.server.resume();
    }
  }

  /** Resets every connection and lets new ones be refused, as a server that is gone. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Takes connections again, on the same port. */
  async accept(): Promise<void> {
    if (!this.#server.listening) await this.#listen(this.#port);
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, this.host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    const server = connect(this.#target.port, this.#target.host);
    const pair: Pair = { client, server, frozen: false };
    this.#pairs.add(pair);
    this.#connectionsTaken += 1;
    const done = () => {
      this.#pairs.delete(pair);
      end(pair);
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // The relay passes trouble on by resetting both sides.
      socket.on('error', done);
      socket.on('close', done);
    }
    client.on('data', (bytes) => {
      this.#bytesAsked += bytes.length;
      pass(pair, client, server, bytes);
    });
    server.on('data', (bytes) => this.#answer(pair, bytes));
    if (this.#frozen) freezePair(pair);
  }

  #answer(pair: Pair, bytes: Buffer): void {
    this.#answerBytesLeft -= bytes.length;
    if (this.#answerBytesLeft < 0) {
      this.#answerBytesLeft = Number.POSITIVE_INFINITY;
      this.cut();
      return;
    }
    pass(pair, pair.server, pair.client, bytes);
  }
}

function pass(pair: Pair, from: Socket, to: Socket, bytes: Buffer): void {
  if (to.write(bytes)) return;
  from.pause();
  to.once('drain', () => {
    if (!pair.frozen) from.resume();
  });
}

function freezePair(pair: Pair): void {
  pair.frozen = true;
  pair.client.pause();
  pair.server.pause();
}

function end(pair: Pair): void {
  for (const socket of [pair.client, pair.server]) {
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  }
}

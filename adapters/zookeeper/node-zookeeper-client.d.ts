/**
 * The parts of `node-zookeeper-client` 1.1 that `channel.ts` uses. The package has no types of its own, and those of
 * DefinitelyTyped stop at its public face, behind which lie the connection and the wire format.
 */
declare module 'node-zookeeper-client/lib/jute/index.js' {
  /** Something that can be written to the wire. */
  export interface Payload {
    byteLength(): number;
  }

  /** 64 bits are eight bytes in big-endian order. */
  export interface Stat {
    readonly czxid: Buffer;
    readonly version: number;
    readonly cversion: number;
    readonly numChildren: number;
  }

  export interface ResponsePayload {
    readonly data?: Buffer;
    readonly stat?: Stat;
    readonly children?: readonly string[];
    readonly path?: string;
    /** Of a multi, one an operation; `err` where the type says error. */
    readonly results?: readonly { readonly type: number; readonly path?: string; readonly err?: number }[];
  }

  export interface Header extends Payload {
    type: number;
  }

  type Record = new (...fields: readonly unknown[]) => Payload;

  interface Jute {
    readonly OP_CODES: Readonly<
      globalThis.Record<
        | 'CREATE'
        | 'DELETE'
        | 'EXISTS'
        | 'GET_DATA'
        | 'SET_DATA'
        | 'GET_CHILDREN2'
        | 'CHECK'
        | 'MULTI'
        | 'ERROR',
        number
      >
    >;
    readonly Request: new (header: Header, payload: Payload) => object;
    readonly TransactionRequest: new (ops: readonly object[]) => Payload;
    readonly protocol: {
      readonly RequestHeader: new () => Header;
      readonly CreateRequest: Record;
      readonly ExistsRequest: Record;
      readonly GetDataRequest: Record;
      readonly GetChildren2Request: Record;
    };
  }

  const jute: Jute;
  export default jute;
}

declare module 'node-zookeeper-client/lib/ConnectionManager.js' {
  import type { Socket } from 'node:net';
  import type { ResponsePayload } from 'node-zookeeper-client/lib/jute/index.js';

  interface WatcherEvent {
    readonly path: string;
  }

  /** Its own `connect`, watchers and reconnecting are not declared, because they are not to be used. */
  class ConnectionManager {
    static readonly STATES: {
      readonly CONNECTING: number;
      readonly CONNECTED: number;
      readonly CLOSED: number;
      readonly SESSION_EXPIRED: number;
      readonly AUTHENTICATION_FAILED: number;
    };
    socket: Socket;
    watcherManager: { emit(event: WatcherEvent): void; isEmpty(): boolean };
    state: number;
    constructor(servers: string, options: object, onState: (state: number) => void);
    addAuthInfo(scheme: string, auth: Buffer): void;
    setState(state: number): void;
    queue(
      request: object,
      done: (error: Error | null, response?: { readonly payload: ResponsePayload | null }) => void,
    ): void;
    onSocketConnected(): void;
    onSocketData(frame: Buffer): void;
    onSocketDrain(): void;
    close(): void;
  }

  export default ConnectionManager;
}

declare module 'node-zookeeper-client/lib/ACL.js' {
  interface Acl {
    toRecord(): object;
  }

  const acls: { readonly OPEN_ACL_UNSAFE: readonly Acl[]; readonly CREATOR_ALL_ACL: readonly Acl[] };
  export default acls;
}

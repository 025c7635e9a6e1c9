/**
 * What listens on the host: sockets of its namespace that take what comes to a port, as `ss -ltun` shows them, and the
 * processes that have them. Asked over netlink, where the answer is of the namespace that the socket was opened in.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { addressFromBytes, type IpAddress } from '../core/model/address.ts';
import {
  everyAddress,
  type Listener,
  type PortProtocol,
  portProtocols,
} from '../core/model/published-port.ts';
import { errno } from './native/constants.ts';
import { KernelError } from './netlink/kernel-error.ts';
import { decode, type Message, request } from './netlink/message.ts';
import { RequestSocket } from './netlink/request.ts';
import { NetlinkSocket, netlinkSocketDiagnosis } from './netlink/socket.ts';
import { family } from './netlink/tables/common.ts';
import {
  socketMessage,
  socketPlace,
  socketQuestion,
  socketRecord,
  socketState,
} from './netlink/tables/socket-diagnosis.ts';
import type { NamespaceRegistry } from './netns/registry.ts';
import { protocolNumbers } from './protocols.ts';

interface Socket {
  readonly protocol: PortProtocol;
  readonly port: number;
  /** More than one where a socket of IPv6 takes IPv4 too. */
  readonly addresses: readonly IpAddress[];
  /** 0: the kernel's own. */
  readonly inode: number;
}

export class Listeners {
  readonly #requests: RequestSocket;

  constructor(registry: NamespaceRegistry) {
    this.#requests = new RequestSocket((receiveBufferBytes) =>
      registry.home.inside(
        registry.host.fd,
        () => new NetlinkSocket({ receiveBufferBytes, protocol: netlinkSocketDiagnosis }),
      ),
    );
  }

  /**
   * @param isNamed of which the process is wanted: that takes a look at every process of the machine
   * @throws KernelError
   */
  async list(isNamed: (listener: Listener) => boolean): Promise<readonly Listener[]> {
    const all = portProtocols.flatMap((protocol) =>
      [family.ipv4, family.ipv6].flatMap((each) => this.#sockets(protocol, each)),
    );
    const listeners = all.flatMap((socket) => socket.addresses.map((address) => ({ socket, address })));
    const named = listeners.filter(({ socket, address }) => isNamed({ ...socket, address }));
    const processes = await processesOf(new Set(named.map(({ socket }) => socket.inode)));
    return listeners.map(({ socket: { protocol, port, inode }, address }) => {
      const process = processes.get(inode);
      return { protocol, address, port, ...(process === undefined ? {} : { process }) };
    });
  }

  close(): void {
    this.#requests.close();
  }

  #sockets(protocol: PortProtocol, of: number): Socket[] {
    const states = protocol === 'udp' ? socketState.closed : socketState.listening;
    const question = { family: of, protocol: protocolNumbers[protocol], states };
    try {
      return this.#requests
        .dump(request(socketQuestion, socketMessage.get, 0, question, {}))
        .filter(({ type }) => type === socketMessage.get)
        .map((message) => socketOf(protocol, message));
    } catch (error) {
      // A kernel without the protocol has no sockets of it.
      if (protocol === 'sctp' && error instanceof KernelError && error.errno === errno.ENOENT) return [];
      throw error;
    }
  }
}

function socketOf(protocol: PortProtocol, message: Message): Socket {
  const { header, attributes } = decode(socketRecord, message);
  const { payload } = message;
  const port = payload.getUint16(socketPlace.port, false);
  const length = header.family === family.ipv6 ? 16 : 4;
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset + socketPlace.address, length);
  const address = addressFromBytes([...bytes]);
  const takesBoth = address === everyAddress(6) && attributes.ipv6Only !== 1;
  const addresses = takesBoth ? [address, everyAddress(4)] : [address];
  return { protocol, port, addresses, inode: header.inode };
}

/** `NAME (PID)` by the inode of a socket, as far as `/proc` tells. */
async function processesOf(inodes: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  const wanted = new Map(
    [...inodes].filter((inode) => inode !== 0).map((each) => [`socket:[${each}]`, each]),
  );
  if (wanted.size === 0) return found;
  for (const pid of (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name))) {
    for (const link of await linksOf(`/proc/${pid}/fd`)) {
      const inode = wanted.get(link);
      if (inode !== undefined && !found.has(inode)) found.set(inode, `${await nameOf(pid)} (${pid})`);
    }
    if (found.size === wanted.size) break;
  }
  return found;
}

/** Processes end, and some may not be looked at. */
async function linksOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(unlessGone<string[]>([]));
  return await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(unlessGone(''))));
}

async function nameOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(unlessGone('?'))).trim();
}

function unlessGone<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code ?? '')) return otherwise;
    throw error;
  };
}

/** The transport to one server: TCP or TLS, with a deadline, and the files that it needs read afresh each time. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isWeftError, WeftError } from '../../core/errors.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { formatHost } from '../cluster-url.ts';
import { readSecret, readTlsFiles } from '../credentials.ts';
import { ZookeeperCallError } from './errors.ts';
import { connectDeadlineMs } from './limits.ts';
import type { ZookeeperHost, ZookeeperOptions } from './options.ts';

/** A connection that stands. @throws ZookeeperCallError of stage `not-sent` */
export async function openSocket(
  host: ZookeeperHost,
  options: ZookeeperOptions,
  clock: Clock,
  signal: CancelSignal,
): Promise<Socket> {
  const socket = dial(host, options);
  const settled = new AbortController();
  const giveUp = (reason: string) => socket.destroy(new Error(reason));
  const onAbort = () => giveUp('it was given up');
  signal.addEventListener('abort', onAbort, { once: true });
  void clock.sleep(connectDeadlineMs, settled.signal).then(() => {
    if (!settled.signal.aborted) giveUp(`no connection within ${connectDeadlineMs} ms`);
  });
  let onClose = (): void => undefined;
  let reason: unknown;
  // Stays: without a listener an error would end the process. What it means is seen in the `close` that follows.
  socket.on('error', (error) => {
    reason = error;
  });
  try {
    await new Promise<void>((resolve, reject) => {
      onClose = () => reject(new Error(reason === undefined ? 'the server ended it' : reasonOf(reason)));
      socket.once(options.tls === undefined ? 'connect' : 'secureConnect', resolve);
      socket.once('close', onClose);
      if (signal.aborted) onAbort();
    });
    return socket.setNoDelay();
  } catch (error) {
    socket.destroy();
    throw new ZookeeperCallError('not-sent', `no connection to ${formatHost(host)}: ${reasonOf(error)}`);
  } finally {
    settled.abort();
    signal.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
  }
}

/** `user:password` as the digest scheme takes it. @throws ZookeeperCallError of stage `not-sent` */
export function readDigest(options: ZookeeperOptions): Buffer | undefined {
  const { auth } = options;
  if (auth === undefined) return undefined;
  return asCallError(() => {
    if (auth.user === '' || auth.user.includes(':')) {
      throw new WeftError(
        'bad-configuration',
        'Cannot use the user for ZooKeeper: it is empty or has a colon, which ends a user in its digest scheme; give another.',
      );
    }
    return Buffer.from(`${auth.user}:${readSecret('ZooKeeper', auth.passwordFile)}`);
  });
}

function dial(host: ZookeeperHost, options: ZookeeperOptions): Socket {
  const { tls } = options;
  if (tls === undefined) return connectTcp({ host: host.host, port: host.port });
  return asCallError(() =>
    connectTls({
      host: host.host,
      port: host.port,
      minVersion: 'TLSv1.2',
      // Names only: an address is not allowed there (RFC 6066), and is checked against the certificate all the same.
      ...(isIP(host.host) === 0 ? { servername: host.host } : {}),
      ...readTlsFiles('ZooKeeper', tls),
    }),
  );
}

/** A file that cannot be read while its replacement is put in place is trouble with the connection, not a defect. */
function asCallError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = isWeftError(error) ? error.message.replace(/\.$/, '') : `TLS: ${reasonOf(error)}`;
    throw new ZookeeperCallError('not-sent', reason);
  }
}

/** Of an error of the system; one that stands for several tries (`localhost` by IPv4 and IPv6) has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

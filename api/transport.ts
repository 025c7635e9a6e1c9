/**
 * One HTTP exchange over a unix socket, with the failures of the way there told apart: no daemon, no right to the
 * socket, and a connection lost in the middle, which for a change means that its outcome is unknown.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { WeftError } from '../core/errors.ts';
import { answerBytesMax } from './limits.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query, encoded. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * @throws WeftError `daemon-unreachable`, `permission-denied`; `outcome-unknown` when a change was sent and no whole
 *   answer came back, also because `signal` aborted
 */
export async function exchange(socketPath: string, options: Exchange): Promise<RawAnswer> {
  let sent = false;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, path, body, signal } = options;
      // Without an agent there is one connection per request and none kept: nothing to close, no stale connection.
      const outgoing = request({ socketPath, method, path, signal, agent: false, headers: headersOf(body) });
      outgoing.on('socket', (socket) => socket.once('connect', () => (sent = true)));
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    const chunks = await readBounded(response);
    return { status: response.statusCode ?? 0, headers: response.headers, body: chunks };
  } catch (cause) {
    throw explainFailure(socketPath, options.method !== 'GET' && sent, cause);
  }
}

function headersOf(body: string | undefined): Record<string, string> {
  const accept = { host: 'weft', accept: 'application/json' };
  return body === undefined
    ? accept
    : { ...accept, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
}

async function readBounded(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function explainFailure(socketPath: string, changeSent: boolean, cause: unknown): WeftError {
  const reason = reasonOf(cause);
  if (changeSent) {
    const message =
      `The daemon at ${socketPath} gave no answer (${reason}); the request may have been carried out: ` +
      'look before you repeat it';
    return new WeftError('outcome-unknown', message, { cause });
  }
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `Cannot use the socket ${socketPath}: permission denied: become root or join the group of the socket`;
    return new WeftError('permission-denied', message, { cause });
  }
  const message =
    `Cannot reach the daemon at ${socketPath}: ${reason}: is it running? ` +
    "start it with 'weft daemon', or name its socket with --socket or WEFT_SOCKET";
  return new WeftError('daemon-unreachable', message, { cause });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such socket',
  ECONNREFUSED: 'nothing listens there',
  ENOTDIR: 'no such socket',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  EAGAIN: 'too many connections wait there',
  EINVAL: 'the path is too long for a socket',
  ENAMETOOLONG: 'the path is too long for a socket',
};

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'AbortError') return 'gave up waiting';
  return reasons[codeOf(cause) ?? ''] ?? cause.message;
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

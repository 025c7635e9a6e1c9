/** The files that prove to a store who is there, read afresh for every connection: what they hold is never kept, shown or logged. */
import { readFileSync } from 'node:fs';
import { WeftError } from '../core/errors.ts';
import type { ClusterTls } from './cluster-url.ts';

/** PEM, as `node:tls` takes it. */
export interface TlsFiles {
  /** Without it the system's certificates are used. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * @param store its name, for messages
 * @throws WeftError `bad-configuration` when a file cannot be read, or a certificate has no key or a key no certificate
 */
export function readTlsFiles(store: string, { caFile, certFile, keyFile }: ClusterTls): TlsFiles {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new WeftError(
      'bad-configuration',
      `Cannot use TLS to ${store}: a client certificate and its key go together; give both files or neither.`,
    );
  }
  return {
    ...(caFile === undefined ? {} : { ca: readFile(store, caFile) }),
    ...(certFile === undefined ? {} : { cert: readFile(store, certFile) }),
    ...(keyFile === undefined ? {} : { key: readFile(store, keyFile) }),
  };
}

/**
 * A password or token: the first line of its file.
 *
 * @param store its name, for messages
 * @throws WeftError `bad-configuration` when the file cannot be read
 */
export function readSecret(store: string, file: string): string {
  return readFile(store, file).toString('utf8').split(/\r?\n/, 1)[0] ?? '';
}

function readFile(store: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new WeftError(
      'bad-configuration',
      `Cannot read ${file} for the connection to ${store}: ${reason}; give the right path and let the daemon read it.`,
      { cause: error },
    );
  }
}

/** Authorities and certificates for servers on loopback, made by the `openssl` command and good for two days. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lab/command.ts';

/** `NAME.crt` and `NAME.key` in that folder, signed by itself. */
export async function makeAuthority(folder: string, name: string): Promise<void> {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
  await run('openssl', ['req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', ...files]);
}

/** `NAME.crt` and `NAME.key`, for 127.0.0.1, signed by the authority `ca`. */
export async function makeCertificate(folder: string, name: string): Promise<void> {
  const [key, csr, crt, extensions] = ['key', 'csr', 'crt', 'ext'].map((end) =>
    join(folder, `${name}.${end}`),
  );
  await writeFile(extensions ?? '', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  await run('openssl', ['req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key ?? '', '-out', csr ?? '']);
  const signer = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-CAcreateserial'];
  const files = ['-in', csr ?? '', '-out', crt ?? '', '-extfile', extensions ?? ''];
  await run('openssl', ['x509', '-req', ...files, ...signer, '-days', '2']);
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Where a file log may lie: on file systems whose locks and notifications all processes of this machine share. */
import { WeftError } from '../../core/errors.ts';
import type { FileSystem } from './file-system.ts';

/** Magic numbers of statfs(2), <linux/magic.h> and the file systems' own sources. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x0bd00bd0, 'Lustre'],
]);

/** @throws WeftError `bad-configuration` */
export async function checkFileSystem(fileSystem: FileSystem, directory: string): Promise<void> {
  // Node gives the number as the kernel's signed long has it.
  const name = networkFileSystems.get((await fileSystem.typeOf(directory)) >>> 0);
  if (name === undefined) return;
  throw new WeftError(
    'bad-configuration',
    `${directory} is on ${name}, where locks do not dependably keep other machines out: use a local directory, or etcd, ` +
      'Consul or ZooKeeper for a log that several machines share',
  );
}

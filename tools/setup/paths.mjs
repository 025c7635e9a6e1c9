/** Where things are in a checkout, for the tools. */
import { fileURLToPath } from 'node:url';

/** The checkout's top folder, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Folders with TypeScript sources, each a project of the build. */
export const sourceFolders = [
  'adapters',
  'api',
  'benchmarks',
  'cli',
  'core',
  'daemon',
  'demo',
  'drivers',
  'kernel',
  'lab',
  'plugins',
  'test',
];

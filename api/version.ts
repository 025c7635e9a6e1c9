/** The version of this build, from its package.json. */
import { readFileSync } from 'node:fs';

interface Manifest {
  readonly version: string;
}

// Two folders up both from dist/api and from api.
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;

export const version: string = manifest.version;

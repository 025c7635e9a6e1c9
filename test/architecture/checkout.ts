/**
 * The rules of the house as tests: which folder may import what, how code is written, what the folders say of
 * themselves. Each gate has two specs: that its known-bad files are refused, and that it sees the whole tree; a gate
 * that looks at nothing succeeds always.
 *
 * This file: the checkout as the gates should see it, and trees made of known-bad files.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top folder; this file runs from `dist/test/architecture`. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url));

const fixtures = join(checkout, 'test/architecture/fixtures');
const notSources = new Set(['node_modules', 'dist', 'coverage', 'fixtures']);

export interface ToolResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a tool of the project's own in a folder. Both outputs come as one text. */
export function runTool(cwd: string, tool: string, args: readonly string[]): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const path = join(checkout, 'node_modules/.bin', tool);
    execFile(path, [...args], { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
  });
}

/** Paths of all files of the checkout with that ending, relative to it, sorted; fixtures and built files left out. */
export function filesOf(ending: string, folder = ''): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(checkout, folder), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || notSources.has(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesOf(ending, path));
    else if (entry.name.endsWith(ending)) found.push(path);
  }
  return found.toSorted();
}

/** Top-level folders that are projects of the build. */
export function projectFolders(): string[] {
  const folders = readdirSync(checkout, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => name).filter((name) => existsSync(join(checkout, name, 'tsconfig.json')));
}

/** A tree of the known-bad files of one gate under the project's real configuration. Removed by `dispose`. */
export function knownBadTree(gate: string): { readonly path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), `weft-known-bad-${gate}-`));
  cpSync(join(fixtures, gate), path, { recursive: true });
  for (const file of ['package.json', 'tsconfig.base.json', '.oxlintrc.json', 'biome.json', 'knip.json']) {
    cpSync(join(checkout, file), join(path, file));
  }
  for (const folder of projectFolders()) {
    cpSync(join(checkout, folder, 'tsconfig.json'), join(path, folder, 'tsconfig.json'));
  }
  symlinkSync(join(checkout, 'node_modules'), join(path, 'node_modules'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { checkout, filesOf, knownBadTree, projectFolders, runTool } from './checkout.ts';

/** Every known-bad file and the compiler's code that refuses it. */
const expected: Readonly<Record<string, string>> = {
  // Nothing of the platform exists for core and drivers.
  'core/console.ts': 'TS2584',
  'core/fetch.ts': 'TS2304',
  'core/node-library.ts': 'TS2591',
  'core/process.ts': 'TS2591',
  'core/timer.ts': 'TS2304',
  'drivers/timer.ts': 'TS2304',
  'replay/timer.ts': 'TS2304',
  // A project that is not referenced cannot be imported.
  'cli/imports-daemon.ts': 'TS6307',
  'core/imports-driver.ts': 'TS6307',
  'drivers/imports-daemon.ts': 'TS6307',
  // The strict flags are on.
  'core/enumeration.ts': 'TS1294',
  'core/unchecked-index.ts': 'TS2322',
};

/** The table of who may import whom, as the projects' references must say it. */
const references: Readonly<Record<string, readonly string[]>> = {
  core: [],
  drivers: ['core'],
  adapters: ['core'],
  kernel: ['core'],
  api: ['core'],
  cli: ['core', 'api', 'replay'],
  replay: ['core', 'drivers', 'kernel'],
  daemon: ['core', 'drivers', 'adapters', 'kernel', 'api'],
  lab: [],
};

interface Project {
  readonly references?: readonly { readonly path: string }[];
  readonly compilerOptions?: { readonly types?: readonly string[] };
}

describe('the projects of the build', () => {
  const tree = { path: '', dispose: (): void => {} };
  let output = '';

  before(async () => {
    Object.assign(tree, knownBadTree('types'));
    // Projects that the known-bad ones refer to must exist, whatever is in them.
    for (const folder of ['adapters', 'api', 'kernel', 'replay'])
      writeFileSync(join(tree.path, folder, 'empty.ts'), 'export {};\n');
    cpSync(join(checkout, 'tsconfig.base.json'), join(tree.path, 'tsconfig.base.json'));
    ({ output } = await runTool(tree.path, 'tsc', ['-b', 'core', 'drivers', 'cli', '--pretty', 'false']));
  });

  after(() => tree.dispose());

  for (const [file, code] of Object.entries(expected)) {
    it(`refuse ${file} by ${code}`, () => {
      const lines = output.split('\n').filter((line) => line.startsWith(`${file}(`));
      assert.ok(
        lines.some((line) => line.includes(`error ${code}:`)),
        lines.join('\n') || 'no error at all',
      );
    });
  }

  for (const [folder, allowed] of Object.entries(references)) {
    it(`let ${folder} import ${allowed.join(', ') || 'nothing'}`, () => {
      const paths = readProject(folder).references?.map(({ path }) => path.replace('../', '')) ?? [];
      assert.deepEqual(paths.toSorted(), allowed.toSorted());
    });
  }

  it('give core, drivers and replay no types of the platform', () => {
    for (const folder of ['core', 'drivers', 'replay'])
      assert.deepEqual(readProject(folder).compilerOptions?.types, []);
  });

  it('compile every source file of the checkout', async () => {
    const lists = await Promise.all(
      projectFolders().map((folder) => runTool(checkout, 'tsc', ['-p', folder, '--listFilesOnly'])),
    );
    const compiled = new Set(
      lists.flatMap(({ output: list }) => list.split('\n').map((path) => path.trim())),
    );
    const missing = filesOf('.ts').filter((file) => !compiled.has(join(checkout, file)));
    assert.deepEqual(missing, []);
  });
});

function readProject(folder: string): Project {
  return JSON.parse(readFileSync(join(checkout, folder, 'tsconfig.json'), 'utf8')) as Project;
}

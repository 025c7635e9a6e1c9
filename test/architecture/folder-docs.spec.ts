import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout, filesOf, projectFolders } from './checkout.ts';

/** The file of each top-level folder that says what the folder is. A new folder is added here, with its own. */
const chiefFiles: Readonly<Record<string, string>> = {
  adapters: 'README.md',
  api: 'index.ts',
  benchmarks: 'README.md',
  cli: 'program.ts',
  core: 'index.ts',
  daemon: 'index.ts',
  demo: 'walkthrough.ts',
  drivers: 'index.ts',
  kernel: 'linux-kernel.ts',
  lab: 'hosts.ts',
  replay: 'index.ts',
  test: 'README.md',
  tools: 'setup.mjs',
};

/** A doc comment that says something: this many characters at least, before any code. */
const docLengthMin = 120;
/** Of a folder further down, whose files say most of it by their names. */
const innerDocLengthMin = 40;

describe('the folders', () => {
  it('each name the file that says what they are', () => {
    assert.deepEqual(projectFolders().toSorted(), Object.keys(chiefFiles).toSorted());
  });

  for (const [folder, file] of Object.entries(chiefFiles)) {
    it(`${folder} says what it is in ${file}`, () => {
      const path = join(checkout, folder, file);
      assert.ok(existsSync(path), `${folder}/${file} does not exist`);
      const text = readFileSync(path, 'utf8');
      assert.ok((file.endsWith('.md') ? text : packageDoc(text)).length >= docLengthMin);
    });
  }

  it('with sources have a file each that begins with what they are', () => {
    const folders = groupByFolder(sources());
    assert.ok(folders.size > 20);
    const silent = [...folders].filter(([, files]) => files.every((file) => !saysMore(file)));
    assert.deepEqual(
      silent.map(([folder]) => folder),
      [],
    );
  });

  it('a file without a comment at its top says nothing', () => {
    assert.equal(packageDoc("import { x } from './x.ts';\n/** Later. */\n"), '');
  });

  it('have no barrels but index.ts at their top', () => {
    const nested = filesOf('index.ts').filter((file) => file.split('/').length > 2);
    assert.deepEqual(
      nested.filter((file) => isBarrel(readFileSync(join(checkout, file), 'utf8'))),
      [],
    );
  });
});

function saysMore(file: string): boolean {
  return packageDoc(readFileSync(join(checkout, file), 'utf8')).length >= innerDocLengthMin;
}

function groupByFolder(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) groups.set(dirname(file), [...(groups.get(dirname(file)) ?? []), file]);
  return groups;
}

/** Sources in folders of several, but for the CLI's verbs, one a file, of which `cli/program.ts` tells. */
function sources(): string[] {
  const files = filesOf('.ts').filter(
    (file) => !file.endsWith('.spec.ts') && file.includes('/') && !file.startsWith('cli/verbs/'),
  );
  return files.filter((file) => files.filter((other) => dirname(other) === dirname(file)).length > 2);
}

/** The doc comment that a file begins with, or nothing. */
function packageDoc(text: string): string {
  return /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
}

/** Nothing but comments and exports from elsewhere. */
function isBarrel(text: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').trim();
  const statements = code
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  return statements.length > 0 && statements.every((statement) => /^export\b[\s\S]*\bfrom\s/.test(statement));
}

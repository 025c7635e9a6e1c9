import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'mocha';
import { errorTraits } from '../../core/errors.ts';
import { checkout, filesOf } from './checkout.ts';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

describe('the documents', () => {
  it('name only files and folders that exist', () => {
    const missing = filesOf('.md').flatMap((document) =>
      pathsIn(read(document))
        .filter((path) => !existsSync(join(checkout, path)))
        .map((path) => `${document}: ${path}`),
    );
    assert.deepEqual(missing, []);
    assert.ok(pathsIn(read('ARCHITECTURE.md')).length > 30, 'and are looked at');
  });

  it('name only commands of npm that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = filesOf('.md').flatMap((document) => [
      ...read(document).matchAll(/(?:`|^)npm (?:run )?([a-z:]+)/gm),
    ]);
    const names = new Set(named.map((match) => match[1] ?? ''));
    assert.ok(names.has('demo') && names.has('test'));
    assert.deepEqual(
      [...names].filter((name) => scripts[name] === undefined && name !== 'install'),
      [],
    );
  });

  it('have the page of error codes as it would be made now', async () => {
    const generator = pathToFileURL(join(checkout, 'tools/gen-error-docs.mjs')).href;
    const { errorPage } = (await import(generator)) as { errorPage: (table: typeof errorTraits) => string };
    assert.equal(read('docs/reference/errors.md'), errorPage(errorTraits), 'run npm run docs');
    assert.ok(Object.keys(errorTraits).every((code) => errorPage(errorTraits).includes(`| \`${code}\` |`)));
  });
});

describe('the package', () => {
  for (const [name, member] of [
    ['weft', 'Controller'],
    ['weft/adapters', 'openLog'],
    ['weft/api', 'Client'],
    ['weft/drivers', 'drivers'],
    ['weft/kernel', 'LinuxKernel'],
  ] as const) {
    it(`offers ${member} to who imports ${name}`, async () => {
      const exports = (await import(name)) as Readonly<Record<string, unknown>>;
      assert.ok(exports[member] !== undefined);
    });
  }
});

describe('package-lock.json', () => {
  it('names every build of every tool, as npm ci demands', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as Lock;
    const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`node_modules/${name}`] === undefined &&
          packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    assert.deepEqual(wanted, [], 'run node tools/complete-lock.mjs');
  });
});

function read(path: string): string {
  return readFileSync(join(checkout, path), 'utf8');
}

/** What stands in backquotes or a link and looks like a path of the checkout. */
function pathsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([A-Za-z.][\w.-]*(?:\/[\w.-]+)+\/?)`/g)].map((match) => match[1] ?? '');
  const linked = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map((match) => match[1] ?? '');
  return [...quoted, ...linked].filter((path) => !path.startsWith('dist/'));
}

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout, filesOf, projectFolders } from './checkout.ts';

/** The file of each top-level folder that says what the folder is. A new folder is added here, with its own. */
const chiefFiles: Readonly<Record<string, string>> = {};

/** A doc comment that says something: this many characters at least, before any code. */
const docLengthMin = 120;

describe('the folders', () => {
  it('each name the file that says what they are', () => {
    assert.deepEqual(projectFolders().toSorted(), Object.keys(chiefFiles).toSorted());
  });

  for (const [folder, file] of Object.entries(chiefFiles)) {
    it(`${folder} says what it is in ${file}`, () => {
      const path = join(checkout, folder, file);
      assert.ok(existsSync(path), `${folder}/${file} does not exist`);
      assert.ok(packageDoc(readFileSync(path, 'utf8')).length >= docLengthMin);
    });
  }

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

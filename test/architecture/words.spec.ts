import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout, filesOf } from './checkout.ts';
import { findWords } from './words.ts';

describe('the words of the house', () => {
  const bad: readonly string[] = [
    '// TO' + 'DO: later',
    "const path = '/wo" + "rk/main';",
    ' * As session 12 found.',
    '// see iss' + 'ue #4',
    "throw new Error('not im" + "plemented');",
    '  @injectable()',
    'const x = y as a' + 'ny;',
    '// @ts-ig' + 'nore',
    'describe.on' + "ly('x', () => {});",
    'child.exec(`ip link ${name}`)',
  ];

  for (const line of bad) {
    it(`refuse: ${line.trim()}`, () => {
      assert.equal(findWords(`fine\n${line}\n`, 'code').map((found) => found.line)[0], 2);
    });
  }

  it('let ordinary lines pass', () => {
    const text = [
      ' * @throws WeftError',
      "execFile('ip', ['link'])",
      'const { exec } = host;',
      '/etc/netns/NAME/hosts',
    ];
    assert.deepEqual(findWords(text.join('\n'), 'code'), []);
  });

  it('hold in every source and document of the checkout', () => {
    const sources = ['.ts', '.mjs', '.cjs', '.sh'].flatMap((ending) => filesOf(ending));
    const documents = filesOf('.md');
    assert.ok(sources.length > 100 && documents.length > 5);
    assert.deepEqual([...complaints(sources, 'code'), ...complaints(documents, 'prose')], []);
  });
});

function complaints(files: readonly string[], kind: 'code' | 'prose'): string[] {
  const judged = files.filter((file) => !file.endsWith('words.spec.ts'));
  return judged.flatMap((file) =>
    findWords(readFileSync(join(checkout, file), 'utf8'), kind).map(
      ({ line, advice }) => `${file}:${line}: ${advice}`,
    ),
  );
}

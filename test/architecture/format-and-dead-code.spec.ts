import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { checkout, filesOf, knownBadTree, runTool } from './checkout.ts';

describe('the format', () => {
  it('refuses a file that is not as the formatter writes it', async () => {
    const { code, output } = await inKnownBadTree('format', 'biome', ['check']);
    assert.notEqual(code, 0);
    assert.match(output, /core\/untidy\.ts/);
  });

  it('sees every source file of the checkout', async () => {
    const { output } = await runTool(checkout, 'biome', ['check']);
    const checked = Number(/Checked (\d+) files/.exec(output)?.[1]);
    assert.ok(checked >= filesOf('.ts').length, `${checked} files were checked`);
  });
});

describe('the search for dead code', () => {
  it('finds a file and an export that nobody imports, and no others', async () => {
    const { code, output } = await inKnownBadTree('dead', 'knip', [
      '--no-progress',
      '--include',
      'files,exports',
    ]);
    assert.equal(code, 1);
    assert.match(output, /core\/unused\.ts/);
    assert.match(output, /neverImported/);
    assert.doesNotMatch(output, /core\/index\.ts/);
  });
});

async function inKnownBadTree(
  gate: string,
  tool: string,
  args: readonly string[],
): ReturnType<typeof runTool> {
  const tree = knownBadTree(gate);
  try {
    return await runTool(tree.path, tool, args);
  } finally {
    tree.dispose();
  }
}

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { checkout, filesOf, knownBadTree, runTool } from './checkout.ts';

const imports = 'eslint(no-restricted-imports)';
const globals = 'eslint(no-restricted-globals)';

/** Every known-bad file and the rule that refuses it. */
const expected: Readonly<Record<string, string>> = {
  'adapters/etcd/imports-file.ts': imports,
  'adapters/file/foreign-client.ts': imports,
  'adapters/zookeeper/imports-file.ts': imports,
  'api/server.ts': imports,
  'benchmarks/package.ts': imports,
  'cli/imports-adapter.ts': imports,
  'cli/imports-daemon.ts': imports,
  'core/a/imports-daemon.ts': imports,
  'core/clock.ts': globals,
  'core/etcd.ts': imports,
  'core/imports-adapter.ts': imports,
  'core/inversify.ts': imports,
  'core/locale.ts': 'eslint(no-restricted-properties)',
  'core/node-library.ts': imports,
  'core/package.ts': imports,
  'core/random.ts': 'eslint(no-restricted-properties)',
  'daemon/any.ts': 'typescript(no-explicit-any)',
  'daemon/comment.ts': 'typescript(ban-ts-comment)',
  'daemon/console.ts': 'eslint(no-console)',
  'daemon/cycle-a.ts': 'import(no-cycle)',
  'daemon/cycle-b.ts': 'import(no-cycle)',
  'daemon/default-export.ts': 'import(no-default-export)',
  'daemon/floating.ts': 'typescript(no-floating-promises)',
  'daemon/imports-cli.ts': imports,
  'daemon/long-function.ts': 'eslint(max-lines-per-function)',
  'daemon/misused.ts': 'typescript(no-misused-promises)',
  'daemon/non-null.ts': 'typescript(no-non-null-assertion)',
  'daemon/open-switch.ts': 'typescript(switch-exhaustiveness-check)',
  'daemon/swallow.ts': 'eslint(no-empty)',
  'drivers/clock.ts': globals,
  'drivers/imports-kernel.ts': imports,
  'drivers/package.ts': imports,
  'kernel/binding.ts': imports,
  'kernel/inversify.ts': imports,
  'kernel/native/imports-daemon.ts': imports,
  'lab/imports-core.ts': imports,
  'plugins/imports-kernel.ts': imports,
  'replay/clock.ts': globals,
  'replay/imports-daemon.ts': imports,
  'replay/real-kernel.ts': imports,
  'test/package.ts': imports,
};

describe('the lint', () => {
  const tree = { path: '', dispose: (): void => {} };
  const found = new Map<string, string[]>();

  before(async () => {
    Object.assign(tree, knownBadTree('lint'));
    const { output } = await runTool(tree.path, 'oxlint', ['--type-aware', '--format=json']);
    const report = JSON.parse(output) as { diagnostics: { filename: string; code: string }[] };
    for (const { filename, code } of report.diagnostics) {
      found.set(filename, [...(found.get(filename) ?? []), code]);
    }
  });

  after(() => tree.dispose());

  for (const [file, rule] of Object.entries(expected)) {
    it(`refuses ${file} by ${rule}`, () => {
      assert.ok(found.get(file)?.includes(rule), `found: ${found.get(file)?.join(', ') ?? 'nothing'}`);
    });
  }

  it('refuses each of its known-bad files', () => {
    assert.deepEqual([...found.keys()].toSorted(), Object.keys(expected).toSorted());
  });

  it('sees every source file of the checkout', async () => {
    const { output } = await runTool(checkout, 'oxlint', ['--debug=files']);
    const seen = output.split('\n').map((line) => line.trim().replace(checkout, '').replace(/^\.\//, ''));
    const sources = filesOf('.ts');
    assert.ok(sources.length > 100);
    assert.deepEqual(
      sources.filter((file) => !seen.includes(file)),
      [],
    );
  });
});

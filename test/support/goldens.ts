/**
 * Cases of a driver as commands, compared with the goldens in its `testdata`. After a wanted change,
 * `WEFT_REWRITE_GOLDEN=1` writes them anew; review the difference as you would review the commands.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { it } from 'mocha';
import { toCommands } from '../../core/dataplane/text.ts';
import type { Driver } from '../../core/driver/driver.ts';
import { compileCase, type OverlayCase, viewOf } from './overlay-cases.ts';

/** @param cases all of the driver's */
export function describeGoldens(driver: Driver, cases: readonly OverlayCase[]): void {
  /** Beside the sources, seen from `dist`. */
  const folder = fileURLToPath(new URL(`../../../drivers/${driver.name}/testdata/`, import.meta.url));
  const isRewriting = process.env['WEFT_REWRITE_GOLDEN'] === '1';

  for (const each of cases) {
    it(`${each.name}: ${each.title}`, () => {
      const path = `${folder}${each.name}.txt`;
      const text = goldenOf(driver, each);
      if (isRewriting) mkdirSync(folder, { recursive: true });
      if (isRewriting) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'), `${path} differs; WEFT_REWRITE_GOLDEN=1 writes it anew`);
    });
  }

  it('are all in use', () => {
    assert.deepEqual(readdirSync(folder).sort(), cases.map(({ name }) => `${name}.txt`).sort());
  });
}

function goldenOf(driver: Driver, given: OverlayCase): string {
  const lines = [`# ${given.title}`, '#'];
  for (const { host, sandbox, addresses } of given.endpoints) {
    lines.push(
      `# ${sandbox.ref} on ${host}: ${addresses.length === 0 ? 'no address' : addresses.join(', ')}`,
    );
  }
  for (const host of given.hosts) {
    lines.push('', `# On ${host.name}, ${host.address}`, '');
    lines.push(...compileCase(driver, given, viewOf(given, host)).flatMap(toCommands));
  }
  return `${lines.join('\n')}\n`;
}

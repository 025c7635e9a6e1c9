/**
 * The overlays of `test/support/overlay-cases.ts` as commands, compared with the goldens in `testdata`. After a wanted
 * change, `WEFT_REWRITE_GOLDEN=1` writes them anew; review the difference as you would review the commands.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'mocha';
import { toCommands } from '../../core/dataplane/text.ts';
import { compileCase, type OverlayCase, overlayCases, viewOf } from '../../test/support/overlay-cases.ts';
import { overlayDriver } from './driver.ts';

/** Beside the sources, seen from `dist`. */
const folder = fileURLToPath(new URL('../../../drivers/overlay/testdata/', import.meta.url));

describe('overlay goldens', () => {
  for (const each of overlayCases) {
    it(`${each.name}: ${each.title}`, () => {
      const path = `${folder}${each.name}.txt`;
      const text = goldenOf(each);
      if (process.env['WEFT_REWRITE_GOLDEN'] === '1') writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'), `${path} differs; WEFT_REWRITE_GOLDEN=1 writes it anew`);
    });
  }

  it('are all in use', () => {
    assert.deepEqual(readdirSync(folder).sort(), overlayCases.map(({ name }) => `${name}.txt`).sort());
  });
});

function goldenOf(given: OverlayCase): string {
  const lines = [`# ${given.title}`, '#'];
  for (const { host, sandbox, addresses } of given.endpoints) {
    lines.push(`# ${sandbox.ref} on ${host}: ${addresses.join(', ')}`);
  }
  for (const host of given.hosts) {
    lines.push('', `# On ${host.name}, ${host.address}`, '');
    lines.push(...compileCase(overlayDriver, given, viewOf(given, host)).flatMap(toCommands));
  }
  return `${lines.join('\n')}\n`;
}

/** `npm run demo`: the set-up, then the walk-through. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup/paths.mjs';
import { setUp } from './setup.mjs';

try {
  setUp();
  const { runDemo } = await import(pathToFileURL(join(root, 'dist/demo/walkthrough.js')).href);
  process.exitCode = await runDemo(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/**
 * Writes docs/reference/errors.md from the table in core/errors.ts (as built). `npm run docs` runs it; a spec fails
 * while the page is not what this would write.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { root } from './setup/paths.mjs';

/** @typedef {{ status: number, retryable: boolean, summary: string }} Traits */

/** The page. @param {Record<string, Traits>} table */
export function errorPage(table) {
  const rows = Object.entries(table)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { status, retryable, summary }]) =>
        `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${summary} |`,
    );
  return `# Error codes

Made by \`npm run docs\` from \`core/errors.ts\`; do not edit.

Every failure has one of these codes: in the API as \`code\` of the problem document, in the CLI after the message, and in
the log for records that the fold rejected (\`weft log\`). A code names the condition and never changes its meaning. *Retry*
says whether the same request may succeed later with nothing changed by the caller.

| code | HTTP status | retry | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

async function main() {
  const { errorTraits } = await import(pathToFileURL(join(root, 'dist/core/errors.js')).href);
  const path = join(root, 'docs/reference/errors.md');
  writeFileSync(path, errorPage(errorTraits));
  process.stdout.write(`docs/reference/errors.md: ${Object.keys(errorTraits).length} codes\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

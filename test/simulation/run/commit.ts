/** Which code a run is of: a seed means the same life there alone. */
import { execFileSync } from 'node:child_process';
import { checkout } from '../../architecture/checkout.ts';

/** The commit of this checkout, with `-dirty` where files other than documents differ from it; says so where there is no repository. */
export function commitOfCheckout(): string {
  try {
    const commit = git('rev-parse', 'HEAD');
    return git('status', '--porcelain', '--', ':!docs') === '' ? commit : `${commit}-dirty`;
  } catch (error) {
    return `of no known commit (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`;
  }
}

function git(...words: readonly string[]): string {
  return execFileSync('git', words, {
    cwd: checkout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

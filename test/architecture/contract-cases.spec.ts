import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout, filesOf } from './checkout.ts';

const caseCount = 56;

/** A place of the table, with the titles that are said to be there. */
interface Claim {
  readonly number: number;
  readonly place: string;
  readonly title: string;
}

describe('the table of what a log must do', () => {
  const text = readFileSync(join(checkout, 'test/contract/README.md'), 'utf8');
  const places = new Map(
    [...text.matchAll(/^\| ([a-z]+) \| `([^`]+)` \|/gm)].map(([, name = '', path = '']) => [name, path]),
  );
  const claims = [...text.matchAll(/^\| (\d+) \| [^|]+ \| (.+) \|$/gm)].flatMap(([, number, shown = '']) =>
    claimsOf(Number(number), shown),
  );

  it('has every case once, with what shows it', () => {
    const rows = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
    const all = Array.from({ length: caseCount }, (_, index) => index + 1);
    assert.deepEqual(rows, all);
    const shown = new Set(claims.map(({ number }) => number));
    assert.deepEqual(
      all.filter((number) => !shown.has(number)),
      [],
    );
  });

  it('names titles that are where it says', () => {
    const sources = new Map([...places].map(([name, path]) => [name, sourcesIn(path)]));
    const missing = claims.filter(({ place, title }) => !isIn(sources.get(place) ?? '', title));
    assert.deepEqual(missing, []);
  });

  it('would miss a title that is not there', () => {
    assert.deepEqual(claimsOf(1, 'a: "one", "two" and more; b: "three"'), [
      { number: 1, place: 'a', title: 'one' },
      { number: 1, place: 'a', title: 'two' },
      { number: 1, place: 'b', title: 'three' },
    ]);
    assert.equal(isIn("it('is there, whole', () => {})", 'is there'), false);
    assert.equal(isIn("it('is there', () => {})", 'is there'), true);
  });
});

function claimsOf(number: number, shown: string): Claim[] {
  return shown.split('; ').flatMap((part) => {
    const [, place = ''] = /^([a-z]+): /.exec(part) ?? [];
    return [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ number, place, title }));
  });
}

function sourcesIn(path: string): string {
  return filesOf('.ts')
    .filter((file) => file === path || file.startsWith(`${path}/`))
    .map((file) => readFileSync(join(checkout, file), 'utf8'))
    .join('\n');
}

/** As a whole text of the source. */
function isIn(source: string, title: string): boolean {
  return ["'", '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

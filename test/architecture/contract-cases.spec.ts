/** Pages that say of every clause what shows it: the titles that they name are there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { checkout, filesOf } from './checkout.ts';

const pages = [
  { page: 'test/contract/README.md', about: 'what a log must do', cases: 56 },
  { page: 'test/multihost/README.md', about: 'what there is of the outside world', cases: 74 },
] as const;

/** A title that is said to be at a place. */
interface Claim {
  readonly number: number;
  readonly place: string;
  readonly title: string;
}

for (const { page, about, cases } of pages) {
  describe(`the table of ${about}`, () => {
    const text = readFileSync(join(checkout, page), 'utf8');
    const claims = claimsIn(text);

    it('has every case once, in order, with what shows it', () => {
      const rows = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
      const all = Array.from({ length: cases }, (_, index) => index + 1);
      assert.deepEqual(rows, all);
      assert.deepEqual([...new Set(claims.map(({ number }) => number))], all);
    });

    it('names titles that are where it says', () => {
      const sources = new Map([...placesIn(text)].map(([name, path]) => [name, sourcesIn(path)]));
      const missing = claims.filter(({ place, title }) => !isIn(sources.get(place) ?? '', title));
      assert.deepEqual(missing, []);
    });
  });
}

describe('a table of cases', () => {
  it('would miss a title that is not there', () => {
    assert.deepEqual(
      claimsIn('| 1 | a thing | a: "one", "two" and more; b: "three" |\n| 2 | none | by hand |\n'),
      [
        { number: 1, place: 'a', title: 'one' },
        { number: 1, place: 'a', title: 'two' },
        { number: 1, place: 'b', title: 'three' },
      ],
    );
    assert.equal(isIn("it('is there, whole', () => {})", 'is there'), false);
    assert.equal(isIn("it('is there', () => {})", 'is there'), true);
    assert.equal(isIn('it("is weft\'s", () => {})', "is weft's"), true);
  });
});

/** Paths by the names of places. */
function placesIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^\| ([a-z]+) \| `([^`]+)` \|/gm)].map(([, name = '', path = '']) => [name, path]),
  );
}

/** Of the rows whose first column is a number; a bar within a column is written with a backslash. */
function claimsIn(text: string): Claim[] {
  return [...text.matchAll(/^\| (\d+) \| (?:[^|\\]|\\.)+ \| (.+) \|$/gm)].flatMap(([, number, shown = '']) =>
    shown.split('; ').flatMap((part) => {
      const [, place = ''] = /^([a-z]+): /.exec(part) ?? [];
      return [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({
        number: Number(number),
        place,
        title,
      }));
    }),
  );
}

function sourcesIn(path: string): string {
  return filesOf('.ts')
    .filter((file) => file === path || file.startsWith(`${path}/`))
    .map((file) => readFileSync(join(checkout, file), 'utf8'))
    .join('\n');
}

/** As a whole text of the source. */
function isIn(source: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

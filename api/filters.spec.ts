import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { isWeftError } from '../core/errors.ts';
import { exactly, type FilterKeys, labelled, notLabelled, oneOf, parseFilters, partOf } from './filters.ts';

interface Item {
  readonly name: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
}

const keys: FilterKeys<Item> = {
  name: partOf(({ name }) => name),
  kind: exactly(({ kind }) => kind),
  label: labelled(({ labels }) => labels),
  'label!': notLabelled(({ labels }) => labels),
  long: oneOf('long', { true: ({ name }) => name.length > 3, false: ({ name }) => name.length <= 3 }),
};

const items: readonly Item[] = [
  { name: 'red', kind: 'a', labels: { team: 'x' } },
  { name: 'blue', kind: 'b', labels: { team: 'y', old: '' } },
  { name: 'reddish', kind: 'b', labels: {} },
];

describe('filters', () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], ['red', 'blue', 'reddish']],
    [['name=red'], ['red', 'reddish']],
    [['kind=b'], ['blue', 'reddish']],
    [
      ['kind=a', 'kind=b'],
      ['red', 'blue', 'reddish'],
    ],
    [['name=red', 'kind=b'], ['reddish']],
    [['label=team'], ['red', 'blue']],
    [['label=team=y'], ['blue']],
    [['label=team', 'label=old'], ['blue']],
    [['label=team=x', 'label=team=y'], []],
    [['label!=team'], ['reddish']],
    [['label!=team=x', 'label!=old'], ['reddish']],
    [['label=toString'], []],
    [['long=true'], ['blue', 'reddish']],
  ];
  for (const [texts, names] of cases) {
    it(`${texts.join(' ') || 'none'}: ${names.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(
        items.filter(parseFilters(keys, texts)).map(({ name }) => name),
        names,
      );
    });
  }

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['nmae=red', /no filter "nmae": did you mean name\? There are name, kind, label/],
    ['constructor=x', /no filter "constructor"/],
    ['name', /"name" has no key and value: write key=value/],
    ['=x', /has no key and value/],
    ['label==x', /label needs a key/],
    ['long=maybe', /long="maybe" is none of true, false/],
  ];
  for (const [text, message] of mistakes) {
    it(`${text} is a mistake`, () => {
      assert.throws(
        () => parseFilters(keys, [text]),
        (error) =>
          isWeftError(error, 'malformed') && message.test(error.message) && !error.message.includes('\n'),
      );
    });
  }
});

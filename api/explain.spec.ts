import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { contract } from './contract.ts';
import { explainIssues } from './explain.ts';

describe('what a schema has against a value', () => {
  const explain = (value: unknown): string => {
    const result = contract.createNetwork.body.safeParse(value);
    return result.success ? 'nothing' : explainIssues(result.error, 'body');
  };

  it('says where and what', () => {
    assert.equal(
      explain({ name: 'red', subnets: [{ prefix: 1 }] }),
      'body.subnets[0].prefix: expected string, received number',
    );
    assert.equal(explain({ name: 'red', a: 1, b: 2 }), 'body: unknown members "a", "b"');
    assert.equal(
      explain({ name: 'red', labels: { 'a b': 1 } }),
      'body.labels["a b"]: expected string, received number',
    );
    assert.equal(
      explain({ name: 'red', labels: { ['k'.repeat(129)]: '' } }).slice(0, 20),
      'body.labels.kkkkkkkk',
    );
  });

  it('is one short printable line, whatever the value', () => {
    const hostile = fc.object({
      maxDepth: 2,
      key: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('name', 'subnets', 'labels')),
    });
    fc.assert(
      fc.property(hostile, (value) => {
        const line = explain(value);
        assert.ok(line.length < 4_000);
        assert.doesNotMatch(line, /[\n\r\0\u001b]/);
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'mocha';
import { checkout } from './checkout.ts';

interface Row {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: Readonly<Record<string, number>>;
}
interface Table {
  addRows(rows: Record<string, Row>, more: Record<string, Row>): void;
  missingStores(rows: Record<string, Row>): string[];
  contractTable(rows: Record<string, Row>): string;
}

const load = async (): Promise<Table> =>
  (await import(pathToFileURL(join(checkout, 'tools/contract-table.mjs')).href)) as Table;

/** A spec of two stores: one case each of passed, failed and skipped, and one store whose server is not there. */
const spec = `
const assert = require('node:assert/strict');
describe('etcd: event log contract', () => {
  describe('open', () => {
    it('passes', () => {});
    it('fails', () => assert.fail('as planted'));
    it('cannot be (skipped: the harness cannot do that to its store)', function () { this.skip(); });
  });
});
describe('consul: event log contract', () => {
  it('skipped: no consul in PATH (npm run setup)', function () { this.skip(); });
});
describe('something else', () => {
  it('passes too', () => {});
});
`;

describe('the table of passes per store', () => {
  it('has a row for every store, with what was skipped and why', async () => {
    const { addRows, contractTable } = await load();
    const rows: Record<string, Row> = {};
    addRows(rows, { memory: { passed: 60, failed: 0, skipped: { 'nothing to cut': 4 } } });
    addRows(rows, {
      etcd: { passed: 3, failed: 1, skipped: {} },
      'model of etcd': { passed: 64, failed: 0, skipped: {} },
    });
    addRows(rows, {
      etcd: { passed: 2, failed: 0, skipped: {} },
      consul: { passed: 0, failed: 0, skipped: { 'no consul': 1 } },
    });
    assert.deepEqual(contractTable(rows).split('\n').slice(1), [
      'store         | passed | failed | skipped (why)',
      'memory        |     60 |      0 | 4 (nothing to cut)',
      'file          |      - |      - | did not run',
      'etcd          |      5 |      1 | 0',
      'consul        |      0 |      0 | 1 (no consul)',
      'zookeeper     |      - |      - | did not run',
      'model of etcd |     64 |      0 | 0',
    ]);
  });

  it('knows which stores were left out', async () => {
    const { missingStores } = await load();
    const row = { passed: 1, failed: 0, skipped: {} };
    assert.deepEqual(missingStores({ memory: row, etcd: row, 'model of file': row }), [
      'file',
      'consul',
      'zookeeper',
    ]);
    assert.deepEqual(missingStores({ memory: row, file: row, etcd: row, consul: row, zookeeper: row }), []);
  });

  it('is counted from the suites that bear the name of the contract', function counted() {
    this.timeout(30_000);
    const folder = mkdtempSync(join(tmpdir(), `wt${process.pid}-table-`));
    try {
      const [specPath, countsPath] = [join(folder, 'some.spec.cjs'), join(folder, 'counts.json')];
      writeFileSync(specPath, spec);
      const args = [
        join(checkout, 'node_modules/mocha/bin/mocha.js'),
        '--reporter',
        join(checkout, 'tools/reporter.cjs'),
      ];
      spawnSync(process.execPath, [...args, specPath], {
        env: { ...process.env, WEFT_TEST_COUNTS: countsPath },
      });
      assert.deepEqual(JSON.parse(readFileSync(countsPath, 'utf8')), {
        passed: 2,
        failed: 1,
        skipped: 2,
        contract: {
          etcd: { passed: 1, failed: 1, skipped: { 'the harness cannot do that to its store': 1 } },
          consul: { passed: 0, failed: 0, skipped: { 'no consul in PATH (npm run setup)': 1 } },
        },
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

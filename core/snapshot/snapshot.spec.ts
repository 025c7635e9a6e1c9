import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { accepted, endpointOf, Ledger, subnet } from '../../test/support/ledger.ts';
import { isWeftError } from '../errors.ts';
import { checkState } from '../fold/check.ts';
import type { State } from '../fold/state.ts';
import { dedupeWindowOrdinals } from '../limits.ts';
import { SnapshotReader } from './read-snapshot.ts';
import { snapshotLines } from './write-snapshot.ts';

function read(lines: Iterable<string>): State {
  const reader = new SnapshotReader();
  for (const line of lines) reader.take(line);
  return reader.finish();
}

/** A bit of everything: two spaces, both families, auxiliary addresses, a removed host, one that expired, one that is down, refusals. */
function ledger(): Ledger {
  const ledger = new Ledger('h1', 'h2', 'h3', 'h4');
  accepted(
    ledger.network('h1', 'red', {
      subnets: [subnet('10.0.1.0/24', { aux: [['router', '10.0.1.9']], range: '10.0.1.64/26' })],
      labels: [
        ['__proto__', 'kept'],
        ['team', 'a'],
      ],
    }),
  );
  accepted(ledger.network('h2', 'blue', { ipv6: true, space: 'tenant', subnets: [subnet('10.0.1.0/24')] }));
  accepted(ledger.network('h2', 'plain'));
  accepted(ledger.attach('h1', 'red', { name: 'web', aliases: ['www'] }));
  const gone = endpointOf(ledger.attach('h2', 'red'));
  const options: [string, string][] = [
    ['com.docker.network.endpoint.sysctls', 'net.ipv4.conf.IFNAME.log_martians=1'],
  ];
  accepted(ledger.attach('h2', 'blue', { name: 'db', linkLocal: ['169.254.8.8'], options }));
  accepted(ledger.detach('h1', gone.id));
  ledger.network('h1', 'red');
  accepted(ledger.takeDown('h1', 'h4'));
  accepted(ledger.expire('h2', 'h4'));
  accepted(ledger.removeHost('h1', 'h3'));
  accepted(ledger.takeDown('h1', 'h2'));
  ledger.pass(2);
  return ledger;
}

describe('a snapshot', () => {
  it('gives back the state, with everything that is derived from it', () => {
    const { state } = ledger();
    const again = read(snapshotLines(state));
    assert.deepEqual(checkState(again), []);
    assert.equal(again.stateHash, state.stateHash);
    assert.equal(again.recordHash, state.recordHash);
    assert.deepEqual([...snapshotLines(again)], [...snapshotLines(state)]);
    assert.deepEqual([...again.networks.values()], [...state.networks.values()]);
    assert.deepEqual([...again.endpoints.values()], [...state.endpoints.values()]);
  });

  it('keeps a label whose key is a member of every object', () => {
    const again = read(snapshotLines(ledger().state));
    const red = [...again.networks.values()].find(({ name }) => name === 'red');
    assert.deepEqual(Object.entries(red?.labels ?? {}), [
      ['__proto__', 'kept'],
      ['team', 'a'],
    ]);
  });

  it('remembers records over the end of a stretch of the memory', () => {
    const long = ledger();
    long.pass(dedupeWindowOrdinals - long.state.ordinal - 1);
    accepted(long.attach('h1', 'red', { name: 'last' }));
    accepted(long.attach('h1', 'red', { name: 'first' }));
    const again = read(snapshotLines(long.state));
    assert.equal(again.memory.previousHash, long.state.memory.previousHash);
    assert.equal(again.memory.presentHash, long.state.memory.presentHash);
    assert.deepEqual([...again.memory.previous.entries()], [...long.state.memory.previous.entries()]);
    assert.deepEqual(checkState(again), []);
  });

  it('is refused wherever it is cut off', () => {
    const lines = [...snapshotLines(ledger().state)];
    for (let length = 0; length < lines.length; length += 1) {
      assert.throws(() => read(lines.slice(0, length)), refusal, `cut after ${length} lines`);
    }
  });

  it('is refused with a line left out, repeated, moved or altered', () => {
    const lines = [...snapshotLines(ledger().state)];
    lines.forEach((line, at) => {
      assert.throws(() => read(lines.toSpliced(at, 1)), refusal, `without line ${at}`);
      assert.throws(() => read(lines.toSpliced(at, 0, line)), refusal, `with line ${at} twice`);
      for (const altered of alterations(line)) {
        assert.throws(() => read(lines.with(at, altered)), refusal, `line ${at} is ${altered}`);
      }
    });
    assert.throws(() => read(lines.with(0, lines[1] ?? '').with(1, lines[0] ?? '')), refusal);
  });

  it('of a newer version says so', () => {
    const [head = ''] = snapshotLines(ledger().state);
    assert.throws(
      () => new SnapshotReader().take(head.replace('"v":1', '"v":2')),
      (error) => isWeftError(error, 'unknown-version') && /upgrade weft/.test(error.message),
    );
  });
});

/** The line with one of its numbers, and one of its texts, another. */
function alterations(line: string): string[] {
  const number = line.replace(/:(\d+)/, (_, digits: string) => `:${Number(digits) + 1}`);
  const text = line.replace(/:"([^"]+)"/, ':"x$1"');
  const last = line.replace(/"([^"]+)"(?=[^"]*$)/, '"x$1"');
  return [...new Set([number, text, last])].filter((each) => each !== line);
}

function refusal(error: unknown): boolean {
  assert.ok(isWeftError(error, 'bad-snapshot'), String(error));
  assert.match(error.message, /^Cannot use the snapshot: [\x20-\x7e]+$/);
  return true;
}

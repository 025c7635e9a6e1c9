import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeControl } from '../../test/support/fake-control.ts';
import type { LogRecord } from '../log/record.ts';
import { encodeRecord } from '../log/record-codec.ts';
import type { RecordId } from '../model/ids.ts';
import { SnapshotReader } from '../snapshot/read-snapshot.ts';
import { snapshotLines } from '../snapshot/write-snapshot.ts';
import { apply } from './apply.ts';
import { checkState } from './check.ts';
import { pastLogsMax } from './course.ts';
import type { State } from './state.ts';

const { state: first } = new FakeControl();
let ids = 0;

function record(
  state: State,
  kind: 'log-begin' | 'log-move',
  body: LogRecord['body'],
  epoch = 1,
): Uint8Array {
  const id = String(++ids).padStart(32, '0') as RecordId;
  const envelope = { v: 1, id, host: 'h1', epoch, base: state.ordinal, at: 0, by: 'uid:0' };
  return encodeRecord({ ...envelope, kind, body } as LogRecord);
}

const nameOf = (digit: number): string => digit.toString(16).padStart(32, '0');

function begin(state: State, from = state, logId = nameOf(7)) {
  const { ordinal, recordHash, stateHash } = from;
  const body = { logId, succeeds: { logId: nameOf(6), ordinal, recordHash, stateHash } };
  const applied = apply(state, record(state, 'log-begin', body, 0));
  assert.ok(!applied.halted);
  return applied;
}

function move(state: State, logId = nameOf(8)) {
  const applied = apply(state, record(state, 'log-move', { logId, url: 'etcd://10.9.0.1:2379/weft' }));
  assert.ok(!applied.halted);
  return applied;
}

describe('the course of logs', () => {
  it('goes on in a log that says just where it begins', () => {
    const { outcome, state } = begin(first);
    assert.ok(outcome.accepted);
    assert.deepEqual(state.course, {
      past: [{ logId: nameOf(6), ordinal: first.ordinal, recordHash: first.recordHash }],
      present: nameOf(7),
    });
    assert.deepEqual(checkState(state), []);
  });

  it('has one beginning of each log', () => {
    const { state } = begin(first);
    const again = begin(state, first);
    assert.ok(!again.outcome.accepted && again.outcome.code === 'log-exists');
    assert.equal(again.state.course, state.course);
    for (const other of [{ recordHash: 'e'.repeat(64) }, { stateHash: 'e'.repeat(64) }, { ordinal: 9 }]) {
      assert.ok(!begin(first, { ...first, ...other }).outcome.accepted);
    }
  });

  it('is led on by a seal, once, and only by a host of the cluster', () => {
    const { outcome, state } = move(first);
    assert.ok(outcome.accepted);
    assert.deepEqual(state.course.next, { logId: nameOf(8), url: 'etcd://10.9.0.1:2379/weft' });
    assert.deepEqual(checkState(state), []);
    const second = move(state, nameOf(9));
    assert.ok(!second.outcome.accepted && second.outcome.code === 'log-moved');
    assert.equal(begin(state).state.course.next, undefined, 'the next log is not sealed');
    const stranger = apply(first, record(first, 'log-move', { logId: nameOf(8), url: 'x' }, 2));
    assert.ok(!stranger.halted && !stranger.outcome.accepted);
  });

  it('leads to no log where the cluster is or was, as where two operators move it at once', () => {
    const sealed = move(first, nameOf(7)).state;
    const { state } = begin(sealed);
    for (const logId of [nameOf(7), nameOf(6)]) {
      const again = move(state, logId);
      assert.ok(!again.outcome.accepted && again.outcome.code === 'log-moved');
      assert.equal(again.state.course, state.course);
    }
    assert.ok(move(state, nameOf(8)).outcome.accepted);
  });

  it('remembers a bounded number of logs, also in snapshots', () => {
    let state = first;
    for (let number = 0; number < pastLogsMax + 3; number += 1) {
      const logId = nameOf(16 + number);
      state = begin(move(state, logId).state, undefined, logId).state;
    }
    state = move(state).state;
    assert.equal(state.course.past.length, pastLogsMax);
    const reader = new SnapshotReader();
    for (const line of snapshotLines(state)) reader.take(line);
    const read = reader.finish();
    assert.deepEqual(read.course, state.course);
    assert.equal(read.stateHash, state.stateHash);
  });
});

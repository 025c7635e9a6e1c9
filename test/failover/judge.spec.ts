import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { LogEntry, Position } from '../../core/log/event-log.ts';
import type { EntryId } from '../../core/model/ids.ts';
import {
  type Evidence,
  type Fate,
  type Judgement,
  judge,
  type RecordName,
  recordLine,
  type Submission,
} from './judge.ts';

/** An entry of one record, named and placed by it. */
function entry(record: RecordName): LogEntry {
  return {
    id: `id ${record}` as EntryId,
    position: `at ${record}` as Position,
    bytes: recordLine(record, ''),
  };
}

function told(record: RecordName, fate: Fate, startMs = 0, endMs = 100): Submission {
  return { record, fate, startMs, endMs };
}

function evidence(more: Partial<Evidence>): Evidence {
  const history = more.history ?? [entry('1:1'), entry('2:1'), entry('1:2')];
  const submissions = [told('1:1', 'acked'), told('2:1', 'acked'), told('1:2', 'acked')];
  return { submissions, tails: [history, history], answers: [], findings: [], ...more, history };
}

function wrongs({ lost, doubled, reordered, untrue }: Judgement) {
  return { lost, doubled, reordered, untrue };
}

const none = { lost: 0, doubled: 0, reordered: 0, untrue: 0 };

describe('the judge of a failover', () => {
  it('has nothing to say of a log that kept its promises', () => {
    const judgement = judge(evidence({}));
    assert.deepEqual(wrongs(judgement), none);
    assert.deepEqual([judgement.acked, judgement.complaints], [3, []]);
  });

  it('counts what was acked and is not there', () => {
    assert.equal(judge(evidence({ history: [entry('1:1'), entry('1:2')] })).lost, 1);
  });

  it('counts what a tail did not deliver, delivered twice, or in another order', () => {
    const [a, b, c] = [entry('1:1'), entry('2:1'), entry('1:2')];
    const whole = [a, b, c];
    assert.deepEqual(wrongs(judge(evidence({ tails: [whole, [a, c]] }))), { ...none, lost: 1 });
    assert.deepEqual(wrongs(judge(evidence({ tails: [whole, [a, b, b, c]] }))), { ...none, doubled: 1 });
    assert.deepEqual(wrongs(judge(evidence({ tails: [whole, [b, a, c]] }))), { ...none, reordered: 1 });
  });

  it('counts what a tail delivered and the log does not have, or has elsewhere or otherwise', () => {
    const [a, b, c] = [entry('1:1'), entry('2:1'), entry('1:2')];
    assert.equal(judge(evidence({ tails: [[a, b, c, entry('9:9')]] })).reordered, 1);
    assert.equal(
      judge(evidence({ tails: [[a, { ...b, position: 'elsewhere' as Position }, c]] })).reordered,
      1,
    );
    assert.equal(judge(evidence({ tails: [[a, { ...b, bytes: recordLine('8:8', '') }, c]] })).reordered, 1);
  });

  it('counts a record that is in the log twice', () => {
    const again = { ...entry('1:1'), id: 'another' as EntryId };
    assert.equal(judge(evidence({ history: [entry('1:1'), entry('2:1'), entry('1:2'), again] })).doubled, 1);
  });

  it('counts records of one writer that are not in the order of their submission', () => {
    assert.equal(judge(evidence({ history: [entry('1:2'), entry('2:1'), entry('1:1')] })).reordered, 1);
  });

  it('counts what stands behind something that was submitted after it was acked', () => {
    const submissions = [told('1:1', 'acked', 50, 60), told('2:1', 'acked', 0, 40)];
    const history = [entry('1:1'), entry('2:1')];
    assert.equal(judge(evidence({ submissions, history, tails: [] })).reordered, 1);
    const overlapping = [told('1:1', 'acked', 30, 60), told('2:1', 'acked', 0, 40)];
    assert.equal(judge(evidence({ submissions: overlapping, history, tails: [] })).reordered, 0);
  });

  it('counts what was told as failed and is there, and takes unknown for either', () => {
    const submissions = [
      told('1:1', 'failed'),
      told('2:1', 'unknown'),
      told('1:2', 'acked'),
      told('2:2', 'unknown'),
    ];
    const judgement = judge(evidence({ submissions }));
    assert.deepEqual(wrongs(judgement), { ...none, untrue: 1 });
    assert.deepEqual([judgement.unknown, judgement.unknownApplied, judgement.failed], [2, 1, 1]);
  });

  it('counts answers and findings that are not so', () => {
    const answers = [
      { id: 'id 1:1', position: undefined },
      { id: 'id 2:1', position: 'at 2:1' as Position },
      { id: 'id 7:7', position: 'somewhere' as Position },
    ];
    const findings = [
      { id: 'id 1:1', isCarriedOut: false },
      { id: 'id 1:2', isCarriedOut: true },
      { id: 'id 7:7', isCarriedOut: true },
    ];
    assert.equal(judge(evidence({ answers, findings })).untrue, 4);
  });

  it('measures the longest time between two acks', () => {
    const submissions = [
      told('1:1', 'acked', 0, 10),
      told('1:2', 'acked', 11, 50),
      told('2:1', 'acked', 0, 20),
    ];
    assert.equal(judge(evidence({ submissions })).gapMs, 30);
    assert.equal(judge(evidence({ submissions: [] })).gapMs, undefined);
  });
});

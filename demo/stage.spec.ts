import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { CommandResult } from '../lab/command.ts';
import { type Place, Stage, StepFailed } from './stage.ts';

describe('the stage of the demo', () => {
  it('prints the command as typed and its real output, and returns it', async () => {
    const { stage, text } = makeStage();
    const output = await stage.act(place(['one\n']), 'weft', ['network', 'ls', 'a b']);
    assert.equal(output, 'one\n');
    assert.equal(text(), "\nhere# weft network ls 'a b'\none\n");
  });

  it('shows only the lines that it is to show', async () => {
    const { stage, text } = makeStage();
    await stage.act(place(['one\ntwo\nthree\n']), 'ip', ['link'], { grep: 'two' });
    assert.equal(text(), '\nhere# ip link | grep two\ntwo\n');
  });

  it('fails where the output does not show what it must, and prints it all the same', async () => {
    const { stage, text } = makeStage();
    const expect = [{ pattern: /two/, what: 'the second' }];
    await assert.rejects(
      stage.act(place(['one\n']), 'weft', ['ls'], { expect }),
      (error) => error instanceof StepFailed && error.message === '`here# weft ls` does not show the second',
    );
    assert.match(text(), /one\n$/);
  });

  it('fails where the output shows what it must not', async () => {
    const expect = [{ pattern: /one/, what: 'the first', absent: true }];
    await assert.rejects(
      makeStage().stage.act(place(['one\n']), 'weft', ['ls'], { expect }),
      /shows the first/,
    );
  });

  it('fails where the status is not as it must be', async () => {
    const { stage } = makeStage();
    await assert.rejects(stage.act(place(['no\n'], 1), 'ping', [], {}), /exited with 1/);
    await assert.rejects(stage.act(place(['yes\n']), 'ping', [], { fails: true }), /must not/);
    await stage.act(place(['no\n'], 1), 'ping', [], { fails: true });
  });

  it('looks again while there is time, and shows the last output alone', async () => {
    const { stage, text } = makeStage();
    const expect = [{ pattern: /two/, what: 'the second' }];
    await stage.look(place(['one\n', 'two\n']), 'weft', ['ls'], { expect });
    assert.equal(text(), '\nhere# weft ls\ntwo\n');
  });
});

function makeStage(): { stage: Stage; text: () => string } {
  let written = '';
  const stage = new Stage((text) => {
    written += text;
  }, false);
  return { stage, text: () => written };
}

/** Gives one output after the other, and the last one for ever. */
function place(outputs: readonly string[], code = 0): Place {
  let turn = 0;
  const run = (): Promise<CommandResult> => {
    const stdout = outputs[Math.min(turn++, outputs.length - 1)] ?? '';
    return Promise.resolve({ code, stdout, stderr: '' });
  };
  return { name: 'here', run };
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { findCommand, skipBecause } from '../../test/support/requirements.ts';
import { run } from '../main.ts';

async function scriptFor(shell: string): Promise<string> {
  let out = '';
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => assert.fail(text),
    drained: () => assert.fail('completion writes little'),
    bytes: () => assert.fail('completion writes text'),
    lines: () => assert.fail('completion reads nothing'),
  };
  const unused = () => assert.fail('completion needs no daemon');
  assert.equal((await run(['completion', shell], streams, unused)).exitCode, 0);
  return out;
}

/** Runs a shell on a script in a file: fish reads none from the socket that Node gives for standard input. */
async function evaluate(shell: string, script: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-completion-'));
  try {
    const file = join(folder, 'script');
    writeFileSync(file, script);
    return (await promisify(execFile)(shell, [file])).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('completion', () => {
  it('in bash offers verbs, then options, by what was typed', async function () {
    if (findCommand('bash') === undefined) skipBecause(this, "needs the command 'bash'");
    const script = await scriptFor('bash');
    const complete = async (...words: string[]): Promise<string[]> => {
      const typed = words.map((word) => `'${word}'`).join(' ');
      const out = await evaluate(
        'bash',
        `${script}\nCOMP_WORDS=(weft ${typed}); COMP_CWORD=${words.length}; _weft; printf '%s\\n' "\${COMPREPLY[@]}"\n`,
      );
      return out.split('\n').filter((line) => line !== '');
    };
    assert.deepEqual(await complete('net'), ['network']);
    assert.deepEqual((await complete('network', '')).slice(0, 7), [
      ...['create', 'ls', 'inspect', 'rm', 'prune', 'connect', 'disconnect'],
    ]);
    assert.deepEqual(await complete('network', 'create', '--sub'), ['--subnet']);
    assert.deepEqual(await complete('--socket', '/x', 'host', 'ls', '--fo'), ['--format']);
    assert.deepEqual(await complete('daemon', '--adv'), ['--advertise']);
  });

  for (const shell of ['zsh', 'fish']) {
    it(`in ${shell} is a script that it takes`, async function () {
      const script = await scriptFor(shell);
      assert.match(script, /network/);
      assert.match(script, /netns-prefix/);
      if (findCommand(shell) === undefined) skipBecause(this, `needs the command '${shell}'`);
      await evaluate(shell, `${script}\nexit 0\n`);
    });
  }
});

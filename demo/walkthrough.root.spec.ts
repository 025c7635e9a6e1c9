import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, it } from 'mocha';
import { leftovers } from '../lab/claim.ts';
import { labHindrance } from '../lab/hosts.ts';
import { storeUnavailable } from './store-server.ts';

const hindrance = await labHindrance();
const demoTimeoutMs = 120_000;

for (const store of ['file', 'etcd'] as const) {
  const reason = hindrance ?? storeUnavailable(store);
  describe(`the demo on ${store}${reason === undefined ? '' : ` (skipped: ${reason})`}`, function () {
    this.timeout(demoTimeoutMs);

    before(function () {
      if (reason !== undefined) this.skip();
    });

    it('shows the whole walk-through and leaves nothing behind', async () => {
      const { code, output } = await demo(['--store', store]);
      assert.equal(code, 0, output);
      assert.match(output, /The demo is complete/);
      assert.match(output, /VXLAN, flags \[I\] \(0x08\), vni 256/);
      assert.doesNotMatch(output, /\x1b\[/, 'no colours where it is not a terminal');
      assert.deepEqual(leftovers(prefixIn(output)), []);
    });

    it('removes everything on Ctrl-C', async () => {
      const { code, output } = await demo(['--store', store], /PING mastertest/);
      assert.equal(code, 130, output);
      assert.deepEqual(leftovers(prefixIn(output)), []);
    });
  });
}

describe('the demo', () => {
  it('says how it is used when it is used otherwise', async () => {
    const { code, output } = await demo(['--store', 'paper']);
    assert.equal(code, 2);
    assert.match(output, /usage: npm run demo/);
  });
});

/** Runs the demo in a process of its own; interrupts it as soon as it has written `interruptAt`. */
async function demo(
  args: readonly string[],
  interruptAt?: RegExp,
): Promise<{ code: number; output: string }> {
  const source = `
    import { runDemo } from ${JSON.stringify(new URL('./walkthrough.js', import.meta.url).href)};
    process.exitCode = await runDemo(${JSON.stringify(args)});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (interruptAt?.test(output) === true) child.kill('SIGINT');
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** The prefix of the names of what the demo made, from one of the names that it printed. */
function prefixIn(output: string): string {
  const prefix = /netns add (\S+)miniontest/.exec(output)?.[1];
  assert.ok(prefix, output);
  return prefix;
}

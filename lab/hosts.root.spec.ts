import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, before, describe, it } from 'mocha';
import { leftovers } from './claim.ts';
import { run } from './command.ts';
import { execIn } from './host.ts';
import { createLab, type Lab, type LabOptions, labHindrance } from './hosts.ts';

const hindrance = await labHindrance();
const title = hindrance === undefined ? 'a lab' : `a lab (skipped: ${hindrance})`;

describe(title, function () {
  let lab: Lab | undefined;

  before(function () {
    if (hindrance !== undefined) this.skip();
  });

  afterEach(() => {
    lab?.dispose();
    lab = undefined;
  });

  async function makeLab(options: LabOptions): Promise<Lab> {
    lab = await createLab(options);
    return lab;
  }

  async function assertPing(from: Lab['hosts'][number], to: string): Promise<string> {
    return (await from.exec('ping', ['-c', '1', '-W', '2', to])).stdout;
  }

  it('joins its hosts on one underlay, in both families', async () => {
    const [a, b] = (await makeLab({ hosts: ['a', { name: 'b', number: 200 }] })).hosts;
    assert.ok(a && b);
    assert.equal(a.place.address, '192.168.2.11');
    assert.equal(b.place.address, '192.168.2.200');
    assert.match(await assertPing(a, b.place.ipv4), /ttl=64/);
    assert.match(await assertPing(b, a.place.ipv6), /ttl=64/);
  });

  it('puts hosts in two subnets with a router between them', async () => {
    const [a, b] = (await makeLab({ hosts: ['a', 'b'], routed: true, underlay: 'ipv6' })).hosts;
    assert.ok(a && b);
    assert.equal(b.place.address, 'fd00:3::12');
    assert.match(await assertPing(a, b.place.ipv4), /ttl=63/);
    assert.match(await assertPing(a, b.place.ipv6), /ttl=63/);
  });

  it('gives its underlay the MTU asked for', async () => {
    const [a] = (await makeLab({ hosts: ['a'], mtu: 9000 })).hosts;
    assert.ok(a);
    assert.match((await a.exec('ip', ['link', 'show', 'eth0'])).stdout, / mtu 9000 /);
  });

  it('makes sandboxes with loopback up', async () => {
    const { hosts, prefix } = await makeLab({ hosts: ['a'] });
    const [host] = hosts;
    assert.ok(host);
    const sandbox = await host.addSandbox('box');
    assert.equal(sandbox, `${prefix}box`);
    await execIn(sandbox, 'ping', ['-c', '1', '127.0.0.1']);
    await host.removeSandbox(sandbox);
    assert.ok(!readdirSync('/run/netns').includes(sandbox));
  });

  it('leaves nothing behind, its processes included, and never touches the machine’s own network', async () => {
    const linksBefore = (await run('ip', ['-o', 'link'])).stdout;
    const { hosts, prefix } = await makeLab({ hosts: ['a'], routed: true });
    const child = hosts[0]?.start('sleeper', 'sleep', ['600']);
    assert.ok(child);
    assert.equal((await run('ip', ['-o', 'link'])).stdout, linksBefore);
    assert.ok(leftovers(prefix).length > 3, 'a running lab shows what it holds');

    const gone = once(child, 'exit');
    lab?.dispose();
    assert.deepEqual(leftovers(prefix), []);
    assert.deepEqual(await gone, [null, 'SIGKILL']);
  });

  it('removes what it made when it cannot be finished', async () => {
    const prefix = `wt${process.pid}twice-`;
    await assert.rejects(createLab({ hosts: ['same', 'same'], prefixes: [prefix] }), /File exists/);
    assert.deepEqual(leftovers(prefix), []);
  });

  it('is removed when its process is told to end', async () => {
    const { child, prefix } = await labInChild('interrupted');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.deepEqual(leftovers(prefix), []);
  });

  it('is cleared away by the next one when its process was killed, and not while that lives', async () => {
    const { child, prefix } = await labInChild('killed');
    await assert.rejects(
      createLab({ hosts: ['a'], prefixes: [prefix] }),
      /Labs are running under every prefix/,
    );
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    assert.notDeepEqual(leftovers(prefix), []);
    await makeLab({ hosts: ['other'], prefixes: [prefix] });
    assert.ok(!readdirSync('/run/netns').includes(`${prefix}a`));
  });
});

/** A process that holds a lab with one host, `a`, until it is ended. */
async function labInChild(word: string): Promise<{ child: ReturnType<typeof spawn>; prefix: string }> {
  const prefix = `wt${process.pid}${word}-`;
  const source = `
    import { createLab } from ${JSON.stringify(new URL('./hosts.js', import.meta.url).href)};
    await createLab({ hosts: ['a'], prefixes: [${JSON.stringify(prefix)}] });
    console.log('made');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { child, prefix };
}

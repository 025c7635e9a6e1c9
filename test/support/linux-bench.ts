/**
 * The machine itself as a bench for the kernel port: namespaces of the test's own, one of which stands for the host and
 * has the underlay link, under names that carry the process id, all removed afterwards. What users do is done by `ip`,
 * `bridge` and `nft`.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Context } from 'mocha';
import { SystemClock } from '../../adapters/system/clock.ts';
import { type Namespace, parseNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, Link } from '../../core/dataplane/object.ts';
import { toCommands, toDeletion } from '../../core/dataplane/text.ts';
import type { IpAddress } from '../../core/model/address.ts';
import { LinuxKernel } from '../../kernel/linux-kernel.ts';
import type { KernelBench } from '../contract/kernel-bench.ts';
import { QuietLogger } from './quiet-logger.ts';
import { requireCommand, requireRoot } from './requirements.ts';

const run = promisify(execFile);
let benches = 0;

export interface LinuxBench extends KernelBench {
  readonly kernel: LinuxKernel;
  /** The prefix that the kernel was given; names of owned namespaces are that and ten hexadecimal digits. */
  readonly prefix: string;
  readonly hostsDir: string;
  readonly logger: QuietLogger;
  /** Another adapter of the same machine, as after a restart; closed with the bench. */
  restart(): LinuxKernel;
}

/** Skips where the machine does not allow it. */
export async function openLinuxBench(context: Context): Promise<LinuxBench> {
  requireRoot(context);
  for (const command of ['ip', 'bridge', 'nft', 'nsenter']) requireCommand(context, command);
  benches += 1;
  const tag = `wt${process.pid}n${benches}`;
  const bench = new MachineBench(tag);
  try {
    await bench.addUnderlay();
    return bench;
  } catch (error) {
    await bench.close();
    throw error;
  }
}

/** Runs a command; its output. Never a shell. */
export async function command(line: readonly string[]): Promise<string> {
  const [file, ...words] = line;
  if (file === undefined) throw new Error('no command');
  return (await run(file, words, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })).stdout;
}

/** The words of a command as `text.ts` writes it: what stands between quotes is one. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|\S+/g)].map(([whole, quoted]) => quoted ?? whole);
}

/** The `ip -n` name of a namespace. */
export function nameOf(ns: Namespace): string {
  const parsed = parseNamespace(ns);
  if (parsed.type === 'host') throw new Error('the host has no name');
  return parsed.type === 'owned' ? parsed.name : parsed.ref;
}

class MachineBench implements LinuxBench {
  readonly kernel: LinuxKernel;
  readonly prefix: string;
  readonly netnsPrefix: string;
  readonly hostsDir: string;
  readonly logger: QuietLogger = new QuietLogger();
  readonly local: IpAddress;
  readonly underlayMtu = 1490;
  readonly vni: number;
  readonly refs: { readonly missing: string; readonly host: string; readonly noNamespace: string };
  readonly #tag: string;
  readonly #host: string;
  readonly #kernels: LinuxKernel[] = [];
  readonly #listeners: ChildProcess[] = [];
  #sandboxes = 0;
  #chains = 0;

  constructor(tag: string) {
    this.#tag = tag;
    this.#host = `${tag}h`;
    this.prefix = `${tag}-`;
    // With the letter of a network this makes ten digits.
    this.netnsPrefix = `${this.prefix}012345678`;
    this.hostsDir = mkdtempSync(join(tmpdir(), `${tag}-hosts-`));
    this.local = `198.18.${process.pid % 256}.${benches % 250}` as IpAddress;
    this.vni = 8_000_000 + (process.pid % 50_000) * 64 + (benches % 16) * 4;
    this.refs = { missing: `${tag}-nobody`, host: this.#host, noNamespace: '/etc/hostname' };
    execFileSync('ip', ['netns', 'add', this.#host]);
    this.kernel = this.restart();
  }

  restart(): LinuxKernel {
    const kernel = new LinuxKernel(
      {
        netnsPrefix: this.prefix,
        hostsDir: this.hostsDir,
        hostNetns: `/run/netns/${this.#host}`,
      },
      { logger: this.logger, clock: new SystemClock() },
    );
    this.#kernels.push(kernel);
    return kernel;
  }

  async addUnderlay(): Promise<void> {
    const link = this.#underlayLink();
    const ip = ['ip', '-n', this.#host];
    await command([...ip, 'link', 'add', link, 'mtu', String(this.underlayMtu), 'type', 'bridge']);
    await command([...ip, 'address', 'add', `${this.local}/32`, 'dev', link]);
    await command([...ip, 'link', 'set', link, 'up']);
  }

  async addSandbox(): Promise<string> {
    this.#sandboxes += 1;
    const name = `${this.#tag}s${this.#sandboxes}`;
    await command(['ip', 'netns', 'add', name]);
    return name;
  }

  async removeSandbox(ref: string): Promise<void> {
    await command(['ip', 'netns', 'delete', ref]);
  }

  async recreateSandbox(ref: string): Promise<void> {
    await this.removeSandbox(ref);
    await command(['ip', 'netns', 'add', ref]);
  }

  async addByHand(object: KernelObject): Promise<void> {
    for (const line of toCommands(object)) await this.#onHost(wordsOf(line));
  }

  async deleteByHand(object: KernelObject): Promise<void> {
    await this.#onHost(wordsOf(toDeletion(object)));
  }

  async alterLinkByHand(link: Link): Promise<void> {
    const words = ['ip', '-n', this.#nameOf(link.ns), 'link', 'set', 'dev', link.name];
    if (link.mtu !== undefined) words.push('mtu', String(link.mtu));
    if (link.mac !== undefined) words.push('address', link.mac);
    if (link.owner === '') words.push('alias', '');
    words.push(link.up ? 'up' : 'down');
    await command(words);
  }

  async addForeignLink(ns: Namespace, name: string): Promise<void> {
    await command(['ip', '-n', this.#nameOf(ns), 'link', 'add', name, 'type', 'bridge']);
  }

  async hasLink(ns: Namespace, name: string): Promise<boolean> {
    const links = JSON.parse(await command(['ip', '-n', this.#nameOf(ns), '-j', 'link', 'show'])) as {
      readonly ifname: string;
    }[];
    return links.some((link) => link.ifname === name);
  }

  async close(): Promise<void> {
    for (const kernel of this.#kernels) await kernel.close();
    for (const child of this.#listeners) child.kill('SIGKILL');
    const ours = readdirSync('/run/netns').filter((name) => name.startsWith(this.#tag));
    // One command after the other, whatever becomes of each: what is left must not keep the rest.
    for (const name of ours) quietly(['ip', 'netns', 'delete', name]);
    rmSync(this.hostsDir, { recursive: true, force: true });
  }

  async flushRuleset(): Promise<void> {
    await this.#onHost(['nft', 'flush', 'ruleset']);
  }

  async alterFirewallByHand(): Promise<void> {
    await this.#onHost(['nft', 'insert rule inet weft forward accept']);
  }

  async addDroppingChain(): Promise<void> {
    const chain = `c${++this.#chains}`;
    await this.#onHost(['nft', 'add table ip other']);
    const hook = 'type filter hook forward priority 0; policy drop;';
    await this.#onHost(['nft', `add chain ip other ${chain} { ${hook} }`]);
  }

  async startFlow(port: number): Promise<void> {
    await this.#onHost(['ip', 'route', 'replace', '203.0.113.0/24', 'dev', this.#underlayLink()]);
    await this.#onHost(['bash', '-c', 'echo >"/dev/udp/$0/$1"', this.local, String(port)]);
  }

  async flowsTo(port: number): Promise<readonly string[]> {
    const tracked = await command([...this.#inHost(), 'cat', '/proc/net/nf_conntrack']);
    // The tuple of the first packet, then that of its answers.
    return tracked.split('\n').flatMap((line) => {
      const [, sent = '', answers = ''] =
        /^ipv4 .* udp .*? (src=.*?dport=\d+) .*?(src=.*?dport=\d+)/.exec(line) ?? [];
      if (!sent.endsWith(`dport=${port}`)) return [];
      const [, target, targetPort] = /^src=(\S+) .*sport=(\d+)/.exec(answers) ?? [];
      return [`${target} ${targetPort}`];
    });
  }

  async listen(protocol: 'tcp' | 'udp', port: number): Promise<number> {
    const program =
      protocol === 'tcp'
        ? `require('net').createServer().listen(${port}, '::', () => console.log('ready'))`
        : `require('dgram').createSocket('udp6').bind(${port}, '::', () => console.log('ready'))`;
    const [file, ...words] = this.#inHost();
    const child = spawn(file, [...words, process.execPath, '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#listeners.push(child);
    await once(child.stdout, 'data');
    return child.pid ?? 0;
  }

  #inHost(): readonly [string, ...string[]] {
    return ['nsenter', `--net=/run/netns/${this.#host}`];
  }

  /** Where a command says nothing of a namespace, it means the host's. */
  async #onHost(words: readonly string[]): Promise<void> {
    await command(['nsenter', `--net=/run/netns/${this.#host}`, ...words]);
  }

  #nameOf(ns: Namespace): string {
    return parseNamespace(ns).type === 'host' ? this.#host : nameOf(ns);
  }

  #underlayLink(): string {
    return `${this.#tag}u`;
  }
}

/** For cleaning up: that something is gone already is no matter, and is not told. */
function quietly(line: readonly string[]): void {
  const [file, ...words] = line;
  try {
    execFileSync(file as string, words, { stdio: 'ignore' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/** One host of a lab: a network namespace, its daemon, and the sandboxes on it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Claim } from './claim.ts';
import { type CommandOptions, type CommandResult, ip, run, weftCommand } from './command.ts';
import { LabDaemon } from './daemon.ts';

export interface HostPlace {
  /** As the cluster knows it. */
  readonly name: string;
  /** Its namespace. */
  readonly netns: string;
  /** Its addresses on the underlay. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** Which of them it advertises as its VTEP. */
  readonly address: string;
}

export interface DaemonOptions {
  /** URL of the store. */
  readonly store: string;
  /** Further arguments of `weft daemon`. */
  readonly args?: readonly string[];
}

export class LabHost {
  readonly place: HostPlace;
  /** A folder of its own for the daemon's data, socket and output. */
  readonly folder: string;
  readonly socket: string;
  /** Prefix of the namespaces that its daemon makes. */
  readonly netnsPrefix: string;
  readonly #claim: Claim;
  readonly #sandboxes = new Set<string>();

  constructor(place: HostPlace, claim: Claim) {
    this.place = place;
    this.folder = join(claim.folder, place.name);
    this.socket = join(this.folder, 'weft.sock');
    this.netnsPrefix = `${claim.prefix}${place.name}-`;
    this.#claim = claim;
    mkdirSync(this.folder, { recursive: true });
  }

  get name(): string {
    return this.place.name;
  }

  /** Runs a command in the host's namespace. */
  exec(command: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return run('ip', ['netns', 'exec', this.place.netns, command, ...args], options);
  }

  /** Runs `bin/weft` against the host's daemon. */
  weft(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run(weftCommand, args, { ...options, env: { ...options.env, WEFT_SOCKET: this.socket } });
  }

  /**
   * Starts a command in the host's namespace and leaves it running; it is killed with the lab. Its output goes to
   * `NAME.log` in the host's folder.
   */
  start(name: string, command: string, args: readonly string[]): ChildProcess {
    const output = openSync(join(this.folder, `${name}.log`), 'a');
    // A group of its own, so that Ctrl-C at the terminal reaches the lab alone, which then ends its processes in order.
    const child = spawn('ip', ['netns', 'exec', this.place.netns, command, ...args], {
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    if (child.pid !== undefined) this.#claim.addProcess(child.pid);
    return child;
  }

  /** Starts a daemon and waits until it is at work. */
  async startDaemon(options: DaemonOptions): Promise<LabDaemon> {
    const daemon = this.daemon(options);
    await daemon.start();
    return daemon;
  }

  /** A daemon that does not run yet. */
  daemon(options: DaemonOptions): LabDaemon {
    return new LabDaemon({
      hostName: this.name,
      socket: this.socket,
      logPath: join(this.folder, 'daemon.log'),
      launch: () => this.start('daemon', weftCommand, this.daemonArgs(options)),
    });
  }

  /** What follows `weft` when its daemon is started. */
  daemonArgs({ store, args = [] }: DaemonOptions): string[] {
    return [
      ...['daemon', '--store', store, '--host', this.name, '--advertise', this.place.address],
      ...['--data-dir', join(this.folder, 'data'), '--socket', this.socket],
      ...['--netns-prefix', this.netnsPrefix, ...args],
    ];
  }

  /** Makes a sandbox: a namespace with a loopback interface. Returns the name to give to `weft network connect`. */
  async addSandbox(name: string): Promise<string> {
    const netns = `${this.#claim.prefix}${name}`;
    await ip(undefined, [`netns add ${netns}`]);
    await ip(netns, ['link set lo up']);
    this.#sandboxes.add(netns);
    return netns;
  }

  async removeSandbox(netns: string): Promise<void> {
    await ip(undefined, [`netns del ${netns}`]);
    this.#sandboxes.delete(netns);
  }

  get sandboxes(): readonly string[] {
    return [...this.#sandboxes];
  }
}

/** Runs a command inside a sandbox or any other namespace by name. */
export function execIn(
  netns: string,
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<CommandResult> {
  return run('ip', ['netns', 'exec', netns, command, ...args], options);
}

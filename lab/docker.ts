/**
 * A real Docker daemon in a namespace of a lab, for tests of what weft and Docker do beside each other, and for benchmarks.
 *
 * It lives in mount and process namespaces of its own, so that its mounts are nobody else's and all that it has started
 * (containerd, shims, containers) ends with it, however that comes. Its data lies in a folder that `dispose` removes. There
 * is no registry: the one image is made from Debian's `busybox-static`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandOptions, type CommandResult, run } from './command.ts';
import { missingCommands, ownFolder, removeFolder, ServerProcess } from './server-process.ts';

const readyTimeoutMs = 30_000;
const readyPollMs = 50;
const busybox = '/bin/busybox';
/** Commands that containers of the image have. */
const applets = ['sh', 'sleep', 'nc', 'httpd', 'wget', 'ping', 'ip'];

/** The image that every lab's Docker has. */
export const labImage = 'busybox';

/** Why no Docker can be started here, one line; undefined when one can. */
export function dockerUnavailable(): string | undefined {
  const missing = missingCommands(['dockerd', 'docker', 'nsenter', 'unshare', 'setpriv', 'tar']);
  if (!existsSync(busybox)) missing.push(busybox);
  if (missing.length > 0)
    return `no ${missing.join(' and no ')} (Debian: apt-get install docker.io busybox-static util-linux)`;
  if (process.geteuid?.() !== 0) return 'needs root';
  return existsSync('/sys/fs/cgroup') ? undefined : 'no control groups are mounted';
}

/** Starts a daemon in a namespace and waits until it takes requests. @param netns by its `ip netns` name */
export async function startDocker(netns: string, daemonArgs: readonly string[] = []): Promise<LabDocker> {
  const docker = new LabDocker(netns, await ownFolder('weft-docker-'), daemonArgs);
  try {
    await docker.start();
    await docker.importImage();
    return docker;
  } catch (error) {
    await docker.dispose();
    throw error;
  }
}

export class LabDocker {
  readonly #netns: string;
  readonly #folder: string;
  readonly #daemonArgs: readonly string[];
  readonly #process: ServerProcess;

  constructor(netns: string, folder: string, daemonArgs: readonly string[]) {
    this.#netns = netns;
    this.#folder = folder;
    this.#daemonArgs = daemonArgs;
    this.#process = new ServerProcess(`dockerd in ${netns}`, undefined);
  }

  /** `DOCKER_HOST` of its clients. */
  get url(): string {
    return `unix://${join(this.#folder, 'docker.sock')}`;
  }

  /**
   * Starts it, also again after `stop` or `kill`, and waits until it takes requests. Containers with a restart policy come
   * back with it.
   *
   * @throws Error with the end of what it wrote when it does not become ready
   */
  async start(): Promise<void> {
    const at = (name: string): string => join(this.#folder, name);
    // What one that was killed has left of its processes: the next one's have the same numbers in their namespace, so that
    // they would pass for alive. A machine's start empties such folders too.
    for (const name of ['docker.pid', 'exec']) await rm(at(name), { recursive: true, force: true });
    this.#process.launch('nsenter', [
      ...[`--net=/run/netns/${this.#netns}`, 'unshare', '--mount', '--pid', '--fork', '--kill-child'],
      ...['--mount-proc', '--propagation', 'private', 'dockerd', '--host', this.url],
      ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('docker.pid')],
      // Copies whole layers, and works upon any file system.
      ...['--storage-driver', 'vfs', '--log-level', 'warn', ...this.#daemonArgs],
    ]);
    const deadline = performance.now() + readyTimeoutMs;
    while ((await this.docker(['info'], { allowFailure: true })).code !== 0) {
      if (this.#process.pid === undefined || performance.now() > deadline)
        throw new Error(`dockerd in ${this.#netns} is not ready:\n${this.#process.output}`);
      await sleep(readyPollMs);
    }
  }

  /** In good order: containers end first. Resolves when all of it is gone. */
  async stop(): Promise<void> {
    const outer = this.#process.pid;
    if (outer === undefined) return;
    // `unshare` waits for its child and passes no signal on.
    for (const child of childrenOf(outer)) process.kill(child, 'SIGTERM');
    while (this.#process.pid !== undefined) await sleep(readyPollMs);
  }

  /** As power loss would: the daemon and all of its containers at once. */
  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  /** Runs a command of the `docker` client against it. */
  docker(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run('docker', args, { ...options, env: { ...options.env, DOCKER_HOST: this.url } });
  }

  /** Makes the lab's image. */
  async importImage(): Promise<void> {
    const bin = join(this.#folder, 'image', 'bin');
    await mkdir(bin, { recursive: true });
    await copyFile(busybox, join(bin, 'busybox'));
    for (const applet of applets) await symlink('busybox', join(bin, applet));
    const archive = join(this.#folder, 'image.tar');
    await run('tar', ['--create', '--file', archive, '--directory', join(this.#folder, 'image'), '.']);
    await this.docker(['import', archive, labImage]);
  }

  /** Ends it and removes all that it left. Idempotent. */
  async dispose(): Promise<void> {
    await this.kill();
    await removeFolder(this.#folder);
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

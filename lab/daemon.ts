/** A daemon of a lab's host: started, asked whether it is ready, killed and started again. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const readyTimeoutMs = 20_000;
const readyPollMs = 20;
const logLinesShown = 20;

/** What a host gives its daemon. */
export interface DaemonHome {
  readonly hostName: string;
  readonly socket: string;
  /** Where its output goes, over all its lives. */
  readonly logPath: string;
  launch(): ChildProcess;
}

export class LabDaemon {
  readonly #home: DaemonHome;
  #child: ChildProcess | undefined;

  constructor(home: DaemonHome) {
    this.#home = home;
  }

  /** Undefined while none is running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get logPath(): string {
    return this.#home.logPath;
  }

  /**
   * Starts it, also again after `kill` or `stop`, and resolves when `/readyz` says that it is at work.
   *
   * @throws Error with the end of its output when it ends before that or takes too long
   */
  async start(): Promise<void> {
    this.launch();
    const deadline = performance.now() + readyTimeoutMs;
    while (!(await isReady(this.#home.socket))) {
      if (this.#child === undefined)
        throw new Error(`The daemon of ${this.#home.hostName} ended:\n${this.#logEnd()}`);
      if (performance.now() > deadline) {
        throw new Error(`The daemon of ${this.#home.hostName} is not ready in time:\n${this.#logEnd()}`);
      }
      await sleep(readyPollMs);
    }
  }

  /** Starts it without waiting, for a store that cannot be reached. */
  launch(): void {
    const child = this.#home.launch();
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
  }

  /** As power loss would, as far as one process goes. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** In good order. Resolves when it is gone. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  #logEnd(): string {
    if (!existsSync(this.logPath)) return '(no output)';
    return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-logLinesShown).join('\n');
  }
}

/** Asks over HTTP rather than by `weft status`, which takes a process each time. */
function isReady(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: '/readyz', timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

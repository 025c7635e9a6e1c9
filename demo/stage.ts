/**
 * What the demo is made of: text for people, and commands that are shown with their real output and must show what the
 * text promises. A demo that only prints cannot fail; this one stops at the first output that is not as it should be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../lab/command.ts';

/** Where a command runs: a host or a container, with the prompt that stands for it. */
export interface Place {
  readonly name: string;
  run(command: string, args: readonly string[]): Promise<CommandResult>;
}

/** Something that an output must show, and its name for people. */
export interface Expectation {
  readonly pattern: RegExp;
  readonly what: string;
  /** The output must not show it. */
  readonly absent?: boolean;
}

export interface ShowOptions {
  /** What the output must show. */
  readonly expect?: readonly Expectation[];
  /** The command must fail, as the ping of a segregated neighbour does. */
  readonly fails?: boolean;
  /** Only lines that hold this text are shown, as behind `| grep`. */
  readonly grep?: string;
}

/** A step did not show what it must. The message is one line for people. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

const lookMsMax = 10_000;
const pollMs = 20;

export class Stage {
  readonly #write: (text: string) => void;
  readonly #colours: boolean;
  #chapters = 0;

  constructor(write: (text: string) => void, colours: boolean) {
    this.#write = write;
    this.#colours = colours;
  }

  chapter(title: string): void {
    this.#chapters += 1;
    this.#write(`\n${this.#paint('1;36', `${this.#chapters}. ${title}`)}\n`);
  }

  say(...lines: readonly string[]): void {
    this.#write(`\n${lines.map((line) => `${line}\n`).join('')}`);
  }

  /** What came of something that was not a command, such as a measured time. */
  note(text: string): void {
    this.#write(`${this.#paint('32', `=> ${text}`)}\n`);
  }

  /** A command that was run by other means, as a person would have typed it. */
  typed(place: string, text: string): void {
    this.#write(`\n${this.#paint('1', `${place}#`)} ${text}\n`);
  }

  /** An output that was caught by other means. */
  output(text: string): void {
    this.#write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
  }

  /**
   * Runs a command that changes something, prints it with its output and returns the output.
   *
   * @throws StepFailed when its status or its output is not as it must be
   */
  act(place: Place, command: string, args: readonly string[], options: ShowOptions = {}): Promise<string> {
    return this.#show(place, command, args, options, 0);
  }

  /**
   * As `act`, for a command that only looks: it is run again, unseen, until it shows what it must, for a while. What one
   * host does takes its time to reach the other.
   *
   * @throws StepFailed when it does not show it in time
   */
  look(place: Place, command: string, args: readonly string[], options: ShowOptions = {}): Promise<string> {
    return this.#show(place, command, args, options, lookMsMax);
  }

  async #show(
    place: Place,
    command: string,
    args: readonly string[],
    options: ShowOptions,
    patienceMs: number,
  ): Promise<string> {
    const filter = options.grep === undefined ? [] : ['|', 'grep', quote(options.grep)];
    const line = [command, ...args.map((arg) => quote(arg)), ...filter].join(' ');
    this.typed(place.name, line);
    const deadline = performance.now() + patienceMs;
    let attempt = await tryOnce(place, command, args, options);
    while (attempt.missing !== undefined && performance.now() < deadline) {
      await sleep(pollMs);
      attempt = await tryOnce(place, command, args, options);
    }
    this.output(attempt.output);
    if (attempt.missing !== undefined) throw new StepFailed(`\`${place.name}# ${line}\` ${attempt.missing}`);
    return attempt.output;
  }

  #paint(code: string, text: string): string {
    return this.#colours ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

async function tryOnce(
  place: Place,
  command: string,
  args: readonly string[],
  { expect = [], fails = false, grep = '' }: ShowOptions,
): Promise<{ output: string; missing: string | undefined }> {
  const { code, stdout, stderr } = await place.run(command, args);
  const lines = `${stdout}${stderr}`.split('\n');
  const output = lines.filter((line) => line.includes(grep)).join('\n');
  const unmet = expect.find(({ pattern, absent = false }) => pattern.test(output) === absent);
  if (fails && code === 0) return { output, missing: 'succeeded, and must not' };
  if (!fails && code !== 0) return { output, missing: `exited with ${code}` };
  return {
    output,
    missing:
      unmet === undefined ? undefined : `${unmet.absent === true ? 'shows' : 'does not show'} ${unmet.what}`,
  };
}

/** As a person would have to type it. */
function quote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`;
}

/**
 * `log.json` in the data directory: the log that this host followed last, and what its configuration said then. So a restart
 * finds a cluster that has moved meanwhile, and does not take an emptied store for a new cluster.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WeftError } from '../core/errors.ts';
import { pastLogsMax } from '../core/fold/course.ts';
import type { LogId } from '../core/model/ids.ts';
import type { LastLog, LogMemory } from '../core/ports/log-memory.ts';

const name = 'log.json';
const fileMode = 0o600;

const logId = z.string().regex(/^[0-9a-f]{32}$/);
const shape = z.strictObject({
  /** The store in the configuration at that time. */
  configured: z.string(),
  logId,
  url: z.string(),
  past: z.array(logId).max(pastLogsMax).default([]),
});

export class FileLogMemory implements LogMemory {
  readonly configuredUrl: string;
  readonly #directory: string;
  #last: LastLog | undefined;

  private constructor(directory: string, configuredUrl: string, last: LastLog | undefined) {
    this.#directory = directory;
    this.configuredUrl = configuredUrl;
    this.#last = last;
  }

  /**
   * @param configuredUrl of the store that the daemon is configured with, without credentials. Where it is another than at
   *   the last time, the operator has changed it, and it counts.
   * @throws WeftError `bad-configuration` where the file is damaged
   */
  static async load(directory: string, configuredUrl: string): Promise<FileLogMemory> {
    const path = join(directory, name);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return new FileLogMemory(directory, configuredUrl, undefined);
    const { configured, url, ...found } = parsed(text, path);
    const last = {
      logId: found.logId as LogId,
      url: configured === configuredUrl ? url : configuredUrl,
      past: found.past as LogId[],
    };
    return new FileLogMemory(directory, configuredUrl, last);
  }

  get last(): LastLog | undefined {
    return this.#last;
  }

  async remember(last: LastLog): Promise<void> {
    const path = join(this.#directory, name);
    const file = await open(`${path}.new`, 'w', fileMode);
    try {
      await file.writeFile(`${JSON.stringify({ configured: this.configuredUrl, ...last })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    this.#last = last;
  }
}

function parsed(text: string, path: string): z.infer<typeof shape> {
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new WeftError(
      'bad-configuration',
      `The file ${path} is damaged: remove it if the store of the configuration is the right one, then start again`,
      { cause },
    );
  }
}

/**
 * A client of the API over the daemon's unix socket, for the CLI, plugins and programs.
 *
 * Every route is one `call`, typed by the contract. Answers of a daemon of this client's own version were written by
 * the types that read them; those of another version are validated first. The schemas are loaded only then: loading
 * them takes a short command several times longer than its exchange with the daemon.
 */
import { WeftError } from '../core/errors.ts';
import type { Answer, Body, Params, Query } from './contract.ts';
import { answerWaitMs } from './limits.ts';
import { errorOfProblem } from './problem.ts';
import { type RouteName, routes, versionHeader } from './routes.ts';
import { exchange, type RawAnswer } from './transport.ts';
import { version } from './version.ts';

export interface ClientOptions {
  /** Path of the daemon's socket. */
  readonly socket: string;
  /** Longest wait for one answer, milliseconds. */
  readonly waitMs?: number;
  /** Validates every answer, also of a daemon of this client's own version. */
  readonly validate?: boolean;
}

/** What a route takes. Members that it does not take may be left out. */
export interface CallInput<R extends RouteName> {
  readonly params?: Params<R>;
  readonly query?: Query<R>;
  readonly body?: Body<R>;
  /** Gives up waiting; a change that was sent may still be carried out. */
  readonly signal?: AbortSignal;
}

export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Calls a route of the daemon.
   *
   * @throws WeftError every code that the daemon answers with; `daemon-unreachable` and `permission-denied` (of the
   *   socket); `outcome-unknown` when a change was sent and no answer came back; `internal` when what came back is no
   *   answer of weft's
   */
  async call<R extends RouteName>(route: R, input: CallInput<R> = {}): Promise<Answer<R>> {
    const { method, path } = routes[route];
    const timeout = AbortSignal.timeout(this.#options.waitMs ?? answerWaitMs);
    const raw = await exchange(this.#options.socket, {
      method,
      path: fillPath(path, input.params ?? {}) + queryText(input.query ?? {}),
      ...(input.body !== undefined && { body: JSON.stringify(input.body) }),
      signal: input.signal === undefined ? timeout : AbortSignal.any([timeout, input.signal]),
    });
    const value = parseAnswer(raw);
    if (raw.status >= 400)
      throw errorOfProblem(value) ?? notWeft(`status ${raw.status} without a problem document`);
    const trusted = raw.headers[versionHeader] === version && this.#options.validate !== true;
    return trusted ? (value as Answer<R>) : validated(route, value);
  }
}

function fillPath(template: string, params: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = params[name];
    if (typeof value !== 'string' || value === '') {
      throw new WeftError('malformed', 'A name or id is empty: give a name, an id or the beginning of an id');
    }
    return encode(value);
  });
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]): (readonly [string, unknown])[] =>
    Array.isArray(value) ? value.map((each) => [name, each]) : value === undefined ? [] : [[name, value]],
  );
  return pairs.length === 0
    ? ''
    : `?${pairs.map(([name, value]) => `${name}=${encode(String(value))}`).join('&')}`;
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch (cause) {
    throw new WeftError('malformed', 'A name or id is not valid Unicode: give it anew', { cause });
  }
}

function parseAnswer(raw: RawAnswer): unknown {
  try {
    return JSON.parse(raw.body.toString('utf8'));
  } catch (cause) {
    throw notWeft(`status ${raw.status} without JSON`, cause);
  }
}

async function validated<R extends RouteName>(route: R, value: unknown): Promise<Answer<R>> {
  const [{ contract }, { explainIssues }] = await Promise.all([
    import('./contract.ts'),
    import('./explain.ts'),
  ]);
  const result = contract[route].answer.safeParse(value);
  if (!result.success) throw notWeft(explainIssues(result.error, 'answer'), result.error);
  return result.data as Answer<R>;
}

function notWeft(what: string, cause?: unknown): WeftError {
  const message = `The daemon gave an answer that this version of weft (${version}) does not understand: ${what}`;
  return new WeftError('internal', message, { cause });
}

/** What a handler is: a function from a valid request to the answer of its route, or a WeftError. */
import type { Answer, ParsedBody, ParsedParams, ParsedQuery } from '../../../api/contract.ts';
import type { RouteName } from '../../../api/routes.ts';
import type { Control, RequestContext } from '../../../core/controller/control.ts';
import type { LogHealth } from '../../../core/log/event-log.ts';
import type { Readiness } from '../readiness.ts';

/** A valid request. */
export interface Call<R extends RouteName> {
  readonly params: ParsedParams<R>;
  readonly query: ParsedQuery<R>;
  readonly body: ParsedBody<R>;
  /** Who asked, and when to give up. */
  readonly context: RequestContext;
}

export type Handlers = { readonly [R in RouteName]: (call: Call<R>) => Promise<Answer<R>> };

/** Where the store stands, without asking it. */
export interface HealthSource {
  readonly health: LogHealth;
}

/** What the daemon knows of itself, without secrets, for a bundle. */
export interface SelfAccount {
  /** By their names on the command line. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly system: Readonly<Record<string, string>>;
  /** Its last log lines, oldest first. */
  logLines(): readonly string[];
}

/** What handlers work with. */
export interface HandlerDeps {
  readonly control: Control;
  readonly log: HealthSource;
  readonly self: SelfAccount;
  readonly readiness: Readiness;
  /** Name of this host. */
  readonly host: string;
  readonly version: string;
}

/** Items of the state as it is at this moment, and what that moment is worth. */
export function listOf<T>({ control, log }: HandlerDeps, items: T[]): Listing<T> {
  return { ordinal: control.state.ordinal, storeReachable: log.health.reachable, items };
}

interface Listing<T> {
  ordinal: number;
  storeReachable: boolean;
  items: T[];
}

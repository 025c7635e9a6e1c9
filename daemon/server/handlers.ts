/** What each route does: the control behind it, in the API's terms. Validation, errors and transport are the server's. */
import type { Answer, ParsedBody, ParsedParams, ParsedQuery } from '../../api/contract.ts';
import { openApiDocument } from '../../api/openapi.ts';
import type { RouteName } from '../../api/routes.ts';
import type { Control, RequestContext } from '../../core/controller/control.ts';
import { WeftError } from '../../core/errors.ts';
import { endpointsOfNetwork, hostNamed } from '../../core/fold/lookup.ts';
import { quote } from '../../core/lib/quote.ts';
import type { LogHealth } from '../../core/log/event-log.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Host } from '../../core/model/host.ts';
import { Readiness } from './readiness.ts';
import {
  doctorView,
  endpointsByHost,
  endpointView,
  historyItemView,
  hostView,
  networkDetail,
  networkNameOf,
  networkView,
  statusView,
} from './views.ts';

/** A valid request. */
export interface Call<R extends RouteName> {
  readonly params: ParsedParams<R>;
  readonly query: ParsedQuery<R>;
  readonly body: ParsedBody<R>;
  /** Who asked, and when to give up. */
  readonly context: RequestContext;
}

export type Handlers = { readonly [R in RouteName]: (call: Call<R>) => Promise<Answer<R>> };

export interface HandlerOptions {
  /** Name of this host. */
  readonly host: string;
  readonly version: string;
}

/** Where the store stands, without asking it. */
export type HealthSource = { readonly health: LogHealth };

export function createHandlers(control: Control, log: HealthSource, options: HandlerOptions): Handlers {
  const readiness = new Readiness(control);
  const list = <T>(items: T[]): { ordinal: number; storeReachable: boolean; items: T[] } => {
    return { ordinal: control.state.ordinal, storeReachable: log.health.reachable, items };
  };
  const shown = (endpoint: Endpoint) => endpointView(endpoint, networkNameOf(endpoint, control.state));
  const hostShown = (host: Host) => {
    return hostView(host, options.host, endpointsByHost(control.state).get(host.name) ?? 0);
  };

  return {
    async listNetworks({ context }) {
      await readiness.requireReadable(context.signal);
      return list([...control.state.networks.values()].map(networkView));
    },
    async createNetwork({ body, context }) {
      return networkView(await control.createNetwork(body, context));
    },
    async inspectNetwork({ params, context }) {
      await readiness.requireReadable(context.signal);
      const network = await control.findNetwork(params.ref, context.signal);
      return networkDetail(network, control.state);
    },
    async removeNetwork({ params, context }) {
      return networkView(await control.removeNetwork(params.ref, context));
    },
    async connect({ params, body, context }) {
      return shown(await control.connect(params.ref, body, context));
    },
    async disconnect({ params, body, context }) {
      return shown(await control.disconnect(params.ref, body.ref, context));
    },
    async listEndpoints({ query, context }) {
      await readiness.requireReadable(context.signal);
      const wanted =
        query.network === undefined ? undefined : await control.findNetwork(query.network, context.signal);
      const { state } = control;
      const endpoints = wanted === undefined ? state.endpoints.values() : endpointsOfNetwork(state, wanted);
      return list([...endpoints].map((endpoint) => endpointView(endpoint, networkNameOf(endpoint, state))));
    },
    async inspectEndpoint({ params, context }) {
      await readiness.requireReadable(context.signal);
      return shown(await control.findEndpoint(params.ref, context.signal));
    },
    async removeEndpoint({ params, context }) {
      return shown(await control.removeEndpoint(params.ref, context));
    },
    async listHosts({ context }) {
      await readiness.requireReadable(context.signal);
      const counts = endpointsByHost(control.state);
      return list(
        [...control.state.hosts.values()].map((host) =>
          hostView(host, options.host, counts.get(host.name) ?? 0),
        ),
      );
    },
    async inspectHost({ params, context }) {
      await readiness.requireReadable(context.signal);
      const host = hostNamed(control.state, params.name);
      if (host === undefined) throw noSuchHost(params.name);
      return hostShown(host);
    },
    async removeHost({ params, context }) {
      return hostShown(await control.removeHost(params.name, context));
    },
    async status({ context }) {
      return statusView(await control.status(context.signal));
    },
    async log({ query, context }) {
      await readiness.requireReadable(context.signal);
      return list(control.history(query).map(historyItemView));
    },
    async doctor({ context }) {
      return doctorView(control.doctor(), await control.status(context.signal));
    },
    async openApi() {
      return openApiDocument(options.version);
    },
    async healthy() {
      return { status: 'ok' };
    },
    async ready({ context }) {
      await readiness.requireRunning(context.signal);
      return { status: 'ok' };
    },
  };
}

function noSuchHost(name: string): WeftError {
  return new WeftError(
    'no-such-host',
    `No host is named ${quote(name)}: 'weft host ls' shows those there are`,
  );
}

/**
 * The routes of the API by the name of their operation: the one list that server, client and OpenAPI document share.
 *
 * Kept apart from their schemas (`contract.ts`) because a client needs only this: loading the schemas takes longer than
 * all else that a short command does.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `{ref}` and `{name}` are percent-encoded texts. */
  readonly path: string;
}

export const routes = {
  listNetworks: { method: 'GET', path: '/v1/networks' },
  createNetwork: { method: 'POST', path: '/v1/networks' },
  inspectNetwork: { method: 'GET', path: '/v1/networks/{ref}' },
  removeNetwork: { method: 'DELETE', path: '/v1/networks/{ref}' },
  pruneNetworks: { method: 'POST', path: '/v1/networks/prune' },
  connect: { method: 'POST', path: '/v1/networks/{ref}/connect' },
  disconnect: { method: 'POST', path: '/v1/networks/{ref}/disconnect' },
  listEndpoints: { method: 'GET', path: '/v1/endpoints' },
  inspectEndpoint: { method: 'GET', path: '/v1/endpoints/{ref}' },
  removeEndpoint: { method: 'DELETE', path: '/v1/endpoints/{ref}' },
  listHosts: { method: 'GET', path: '/v1/hosts' },
  inspectHost: { method: 'GET', path: '/v1/hosts/{name}' },
  removeHost: { method: 'DELETE', path: '/v1/hosts/{name}' },
  plan: { method: 'POST', path: '/v1/plan' },
  status: { method: 'GET', path: '/v1/status' },
  log: { method: 'GET', path: '/v1/log' },
  doctor: { method: 'GET', path: '/v1/doctor' },
  evidence: { method: 'GET', path: '/v1/evidence' },
  entries: { method: 'GET', path: '/v1/log/entries' },
  logStart: { method: 'GET', path: '/v1/log/start' },
  storeStatus: { method: 'GET', path: '/v1/store' },
  reseedStore: { method: 'POST', path: '/v1/store/reseed' },
  moveStore: { method: 'POST', path: '/v1/store/move' },
  makeSnapshot: { method: 'POST', path: '/v1/store/snapshot' },
  snapshotLines: { method: 'GET', path: '/v1/store/snapshots/{ref}/lines' },
  beginExport: { method: 'POST', path: '/v1/store/export' },
  exportLines: { method: 'GET', path: '/v1/store/export/{ref}/lines' },
  openApi: { method: 'GET', path: '/v1/openapi.json' },
  healthy: { method: 'GET', path: '/healthz' },
  ready: { method: 'GET', path: '/readyz' },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;

export const routeNames = Object.keys(routes) as readonly RouteName[];

/** On every answer of a daemon: the version of weft that wrote it. */
export const versionHeader = 'weft-version';
/** On every answer that was read from the fold: the ordinal that it stands at. */
export const ordinalHeader = 'weft-ordinal';
/** On every answer: `reachable` or `unreachable`, as of the daemon's last exchange with its store. */
export const storeHeader = 'weft-store';

/**
 * The API of a weft daemon: HTTP and JSON under `/v1`, on a unix socket.
 *
 * `routes.ts` lists the operations, `contract.ts` says what each takes and answers (zod schemas in `schemas/`),
 * `problem.ts` how errors travel, `client.ts` calls them. Requests are strict (an unknown member is refused), answers
 * are read leniently (a newer daemon may add members). Lists say at which ordinal they stand and whether the store was
 * reachable; every other answer has that in its headers.
 */
export { type CallInput, Client, type ClientOptions } from './client.ts';
export type { Answer, Body, Params, Query } from './contract.ts';
export { type Problem, problemMediaType, problemOf } from './problem.ts';
export { type RouteName, routes } from './routes.ts';
export type { EvidenceView } from './schemas/bundle.ts';
export type { DoctorView } from './schemas/doctor.ts';
export type { EndpointRequestBody, EndpointView } from './schemas/endpoint.ts';
export type { HistoryItemView } from './schemas/history.ts';
export type { HostView } from './schemas/host.ts';
export type { NetworkDetail, NetworkRequestBody, NetworkView, Pruned } from './schemas/network.ts';
export type { PlanRequestBody, PlanView } from './schemas/plan.ts';
export type { StatusView } from './schemas/status.ts';
export type { StoreView } from './schemas/store.ts';
export { version } from './version.ts';

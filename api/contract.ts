/**
 * The contract of every route: what it takes, what it answers and with which status. The server validates requests by
 * it, the client answers, and the OpenAPI document is generated from it, so none of the three can drift apart.
 */
import { z } from 'zod';
import type { RouteName } from './routes.ts';
import {
  entriesQuerySchema,
  entriesSchema,
  evidenceSchema,
  logStartQuerySchema,
  logStartSchema,
  snapshotLinesQuerySchema,
  snapshotLinesSchema,
  snapshotParamsSchema,
} from './schemas/bundle.ts';
import { listOf, ref } from './schemas/common.ts';
import { doctorSchema } from './schemas/doctor.ts';
import {
  disconnectRequestSchema,
  endpointQuerySchema,
  endpointRequestSchema,
  endpointSchema,
} from './schemas/endpoint.ts';
import { historyItemSchema, historyQuerySchema } from './schemas/history.ts';
import { hostSchema } from './schemas/host.ts';
import {
  createdNetworkSchema,
  networkDetailSchema,
  networkRequestSchema,
  networkSchema,
  networksQuerySchema,
  prunedSchema,
  pruneRequestSchema,
} from './schemas/network.ts';
import { planRequestSchema, planSchema } from './schemas/plan.ts';
import { statusSchema } from './schemas/status.ts';
import {
  exportHeadSchema,
  exportPageSchema,
  exportQuerySchema,
  madeSnapshotSchema,
  moveBodySchema,
  movedSchema,
  reseedBodySchema,
  reseededSchema,
  storeQuerySchema,
  storeSchema,
} from './schemas/store.ts';

export interface Operation {
  readonly summary: string;
  /** Texts in the path. */
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  /** Absent: the request has no body. */
  readonly body?: z.ZodType;
  /** Status of success. */
  readonly status: 200 | 201;
  readonly answer: z.ZodType;
}

const none = z.strictObject({});
const byRef = z.strictObject({ ref });
const byName = z.strictObject({ name: ref });
const alive = z.object({ status: z.literal('ok') });

export const contract = {
  listNetworks: {
    summary: 'The networks of the cluster that meet the filters.',
    params: none,
    query: networksQuerySchema,
    status: 200,
    answer: listOf(networkSchema),
  },
  createNetwork: {
    summary: 'Creates a network; answers once the log has accepted it.',
    params: none,
    query: none,
    body: networkRequestSchema,
    status: 201,
    answer: createdNetworkSchema,
  },
  inspectNetwork: {
    summary: 'One network and its endpoints, by name, id or unambiguous id prefix.',
    params: byRef,
    query: none,
    status: 200,
    answer: networkDetailSchema,
  },
  removeNetwork: {
    summary: 'Removes a network without endpoints; answers with what was removed.',
    params: byRef,
    query: none,
    status: 200,
    answer: networkSchema,
  },
  pruneNetworks: {
    summary:
      'Removes the networks that nothing is on and that meet the filters; answers with what was removed, and what stopped it.',
    params: none,
    query: none,
    body: pruneRequestSchema,
    status: 200,
    answer: prunedSchema,
  },
  connect: {
    summary: "Attaches a sandbox of the daemon's host; answers once its interface is up.",
    params: byRef,
    query: none,
    body: endpointRequestSchema,
    status: 201,
    answer: endpointSchema,
  },
  disconnect: {
    summary: "Detaches a sandbox or endpoint; answers once the daemon's host no longer has it.",
    params: byRef,
    query: none,
    body: disconnectRequestSchema,
    status: 200,
    answer: endpointSchema,
  },
  listEndpoints: {
    summary: 'The endpoints of the cluster, or of one network, that meet the filters.',
    params: none,
    query: endpointQuerySchema,
    status: 200,
    answer: listOf(endpointSchema),
  },
  inspectEndpoint: {
    summary: 'One endpoint, by id, NETWORK/NAME, name or unambiguous id prefix.',
    params: byRef,
    query: none,
    status: 200,
    answer: endpointSchema,
  },
  removeEndpoint: {
    summary: 'Removes an endpoint of any host; answers with what was removed.',
    params: byRef,
    query: none,
    status: 200,
    answer: endpointSchema,
  },
  listHosts: {
    summary: 'All hosts of the cluster.',
    params: none,
    query: none,
    status: 200,
    answer: listOf(hostSchema),
  },
  inspectHost: {
    summary: 'One host, by name.',
    params: byName,
    query: none,
    status: 200,
    answer: hostSchema,
  },
  removeHost: {
    summary: 'Removes a host and releases its endpoints; answers with what was removed.',
    params: byName,
    query: none,
    status: 200,
    answer: hostSchema,
  },
  plan: {
    summary: 'What a change would do on each host, as commands; appends nothing and writes nothing.',
    params: none,
    query: none,
    body: planRequestSchema,
    status: 200,
    answer: planSchema,
  },
  status: {
    summary: 'Where the daemon, its store, its fold and its data plane stand.',
    params: none,
    query: none,
    status: 200,
    answer: statusSchema,
  },
  log: {
    summary:
      'Records of the log with their outcomes, oldest first: the newest ones, or pages of all that the host knows.',
    params: none,
    query: historyQuerySchema,
    status: 200,
    answer: listOf(historyItemSchema),
  },
  doctor: {
    summary: 'What is wrong on this host, and what was found wrong and repaired.',
    params: none,
    query: none,
    status: 200,
    answer: doctorSchema,
  },
  evidence: {
    summary: 'What a bundle holds beside the log: status, configuration, hashes, and what the kernel has.',
    params: none,
    query: none,
    status: 200,
    answer: evidenceSchema,
  },
  entries: {
    summary: "The log's entries as the store has them, a page at a time, oldest first.",
    params: none,
    query: entriesQuerySchema,
    status: 200,
    answer: entriesSchema,
  },
  logStart: {
    summary: 'The snapshot that the entries up to a position go on from, where the log was trimmed.',
    params: none,
    query: logStartQuerySchema,
    status: 200,
    answer: logStartSchema,
  },
  storeStatus: {
    summary: 'The snapshots in the store, what lies behind them, and whose turn the next one is.',
    params: none,
    query: storeQuerySchema,
    status: 200,
    answer: storeSchema,
  },
  makeSnapshot: {
    summary:
      'Makes a snapshot now, and trims the log behind the older of two; answers once it was read back.',
    params: none,
    query: none,
    status: 201,
    answer: madeSnapshotSchema,
  },
  reseedStore: {
    summary: 'Writes the log that was lost back into its store, from the replica of the host that is asked.',
    params: none,
    query: none,
    body: reseedBodySchema,
    status: 201,
    answer: reseededSchema,
  },
  moveStore: {
    summary: 'Moves the running cluster to another store; answers once the log that it leaves is sealed.',
    params: none,
    query: none,
    body: moveBodySchema,
    status: 200,
    answer: movedSchema,
  },
  snapshotLines: {
    summary: 'The lines of one chunk of a snapshot.',
    params: snapshotParamsSchema,
    query: snapshotLinesQuerySchema,
    status: 200,
    answer: snapshotLinesSchema,
  },
  beginExport: {
    summary: 'Holds the state as it is now for an export; ends the one before.',
    params: none,
    query: none,
    status: 201,
    answer: exportHeadSchema,
  },
  exportLines: {
    summary: 'The lines of the state that is held for an export, a page at a time, in turn.',
    params: snapshotParamsSchema,
    query: exportQuerySchema,
    status: 200,
    answer: exportPageSchema,
  },
  openApi: {
    summary: 'This document.',
    params: none,
    query: none,
    status: 200,
    answer: z.record(z.string(), z.unknown()),
  },
  healthy: { summary: 'The daemon answers.', params: none, query: none, status: 200, answer: alive },
  ready: {
    summary: 'The daemon has caught up with the log and takes part in it.',
    params: none,
    query: none,
    status: 200,
    answer: alive,
  },
} as const satisfies Record<RouteName, Operation>;

export type Contract = typeof contract;
/** What a route answers. */
export type Answer<R extends RouteName> = z.output<Contract[R]['answer']>;
/** Texts in its path, its query and its body, as a client gives them. */
export type Params<R extends RouteName> = z.input<Contract[R]['params']>;
export type Query<R extends RouteName> = z.input<Contract[R]['query']>;
export type Body<R extends RouteName> = Contract[R] extends { readonly body: infer B extends z.ZodType }
  ? z.input<B>
  : undefined;
/** The same after validation, with defaults filled in, as a server gets them. */
export type ParsedParams<R extends RouteName> = z.output<Contract[R]['params']>;
export type ParsedQuery<R extends RouteName> = z.output<Contract[R]['query']>;
export type ParsedBody<R extends RouteName> = Contract[R] extends { readonly body: infer B extends z.ZodType }
  ? z.output<B>
  : undefined;

/** The OpenAPI 3.1 document of the API, generated from the contract that also validates requests. */
import { z } from 'zod';
import { type ErrorCode, errorTraits } from '../core/errors.ts';
import { contract, type Operation } from './contract.ts';
import { problemMediaType } from './problem.ts';
import { ordinalHeader, type Route, routeNames, routes, storeHeader, versionHeader } from './routes.ts';
import { problemSchema } from './schemas/problem.ts';

type Json = Record<string, unknown>;

export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const name of routeNames) {
    const route: Route = routes[name];
    const atPath = (paths[route.path] ??= {});
    atPath[route.method.toLowerCase()] = describe(name, contract[name]);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'weft',
      version,
      description: 'Reads answer at once from the local fold of the log, also with the store unreachable.',
    },
    paths,
    components: { schemas: { Problem: { ...jsonSchema(problemSchema), description: codesText() } } },
  };
}

function describe(operationId: string, operation: Operation): Json {
  const parameters = [...parametersOf(operation.params, 'path'), ...parametersOf(operation.query, 'query')];
  return {
    operationId,
    summary: operation.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(operation.body) } },
      },
    }),
    responses: {
      [operation.status]: {
        description: 'Done.',
        headers: answerHeaders,
        content: { 'application/json': { schema: jsonSchema(operation.answer) } },
      },
      default: {
        description: 'Refused or failed: `code` says why.',
        content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const answerHeaders: Json = {
  [versionHeader]: { description: 'Version of the daemon.', schema: { type: 'string' } },
  [ordinalHeader]: { description: 'Ordinal at which the fold stood.', schema: { type: 'integer' } },
  [storeHeader]: {
    description: "Whether the daemon's last exchange with its store succeeded.",
    schema: { enum: ['reachable', 'unreachable'] },
  },
};

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  const { properties = {} } = jsonSchema(schema) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, property]) => {
    return { name, in: place, required: place === 'path', schema: property };
  });
}

/** `input`: what may be sent, and for answers what a lenient reader accepts. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json;
  return rest;
}

function codesText(): string {
  const lines = (Object.keys(errorTraits) as ErrorCode[]).map((code) => {
    return `- \`${code}\` (${errorTraits[code].status}): ${errorTraits[code].summary}`;
  });
  return `RFC 9457. Values of \`code\`:\n${lines.join('\n')}`;
}

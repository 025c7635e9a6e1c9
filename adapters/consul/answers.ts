/** What Consul's answers say, checked at the border: a proxy or another server may answer in its place. */
import { z } from 'zod';
import { ConsulCallError } from './errors.ts';

/** One key as it is in the store. */
export interface StoredKey {
  readonly key: string;
  readonly value: Buffer;
  /** Raft index of the write that made it. */
  readonly createIndex: number;
  /** Raft index of the last write to it. */
  readonly modifyIndex: number;
}

/** Why an operation of a transaction was refused. */
export interface Refusal {
  readonly opIndex: number;
  readonly what: string;
}

const index = z.int().min(0);
const pairShape = z.object({ Key: z.string(), CreateIndex: index, ModifyIndex: index });
const base64 = z.string().nullish();
const listShape = z.array(pairShape.extend({ Value: z.union([z.instanceof(Buffer), base64]) }));
const resultsShape = z.object({
  Results: z.array(z.object({ KV: pairShape.extend({ Value: base64 }) })).nullish(),
});
const refusalsShape = z.object({ Errors: z.array(z.object({ OpIndex: index, What: z.string() })).min(1) });
const namesShape = z.array(z.string());

type Pair = z.infer<typeof listShape>[number];

/** Of a read of keys. @throws ConsulCallError */
export function parseList(body: unknown): StoredKey[] {
  return parse(listShape, body).map(toStored);
}

/** Of a transaction that was carried out. @throws ConsulCallError */
export function parseResults(body: unknown): StoredKey[] {
  return (parse(resultsShape, body).Results ?? []).map(({ KV }) => toStored(KV));
}

/** Of a transaction that was not. @throws ConsulCallError */
export function parseRefusals(body: unknown): Refusal[] {
  return parse(refusalsShape, body).Errors.map(({ OpIndex, What }) => ({ opIndex: OpIndex, what: What }));
}

/** @throws ConsulCallError */
export function parseNames(body: unknown): string[] {
  return parse(namesShape, body);
}

/** The index to wait for in the next read; undefined where there is none or it is of no use. */
export function parseIndex(header: string | string[] | undefined): number | undefined {
  const value = Number(header);
  // Zero would not wait (https://developer.hashicorp.com/consul/api-docs/features/blocking).
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}

function toStored({ Key, CreateIndex, ModifyIndex, Value }: Pair): StoredKey {
  const value = Buffer.isBuffer(Value) ? Value : Buffer.from(Value ?? '', 'base64');
  return { key: Key, value, createIndex: CreateIndex, modifyIndex: ModifyIndex };
}

function parse<T>(shape: z.ZodType<T>, body: unknown): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  throw new ConsulCallError('broken', 'what answers there does not answer as Consul does');
}

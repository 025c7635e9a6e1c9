/**
 * What a daemon writes of itself beside the log, over and over: that it lives, and how far it is.
 *
 * A beat is a sign of life because it changes, by its count; nothing in it says when it was written. Others may write
 * anything into the store: what does not have the shape of a beat is none.
 */
import { z } from 'zod';
import { canonicalJson } from '../lib/canonical-json.ts';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.ts';
import { nameLengthMax } from '../limits.ts';

/** The version of the schema that this build writes. */
const beatVersion = 1;

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().max(64);
/** Hashes after an ordinal. */
const mark = z.strictObject({ ordinal: count, recordHash: hash, stateHash: hash });
const phase = z.enum(['opening', 'catching-up', 'joining', 'running', 'halted', 'removed']);

const life = {
  host: z.string().min(1).max(nameLengthMax),
  epoch: z.int().min(1),
  /** Of the beats of one boot, from 1; a lower one than was seen already is late. */
  count: z.int().min(1),
};

const account = z.strictObject({
  /** Underlay address. */
  address: text,
  version: text,
  phase,
  /** The last record that it has folded. */
  ordinal: count,
  /** Where it stands, and at the last ordinal before at which all others remember their hashes too. */
  marks: z.array(mark).max(2),
});

const ofThisVersion = z.strictObject({ v: z.literal(beatVersion), ...life, account });
/** A later version may say other things, but that it lives it says so. */
const ofLaterVersion = z.looseObject({ v: z.int().min(beatVersion + 1), ...life });

export type Mark = z.infer<typeof mark>;
export type Account = z.infer<typeof account>;

export interface Beat {
  readonly host: string;
  readonly epoch: number;
  readonly count: number;
  /** Absent where a later version of weft wrote it. */
  readonly account?: Account;
}

export function encodeBeat(beat: Beat & { readonly account: Account }): Uint8Array {
  const { host, epoch, count: number, account: own } = beat;
  return encodeUtf8(canonicalJson({ v: beatVersion, host, epoch, count: number, account: { ...own } }));
}

/** Undefined where it is none. */
export function decodeBeat(bytes: Uint8Array): Beat | undefined {
  const value = parseJson(decodeUtf8(bytes));
  const known = ofThisVersion.safeParse(value);
  if (known.success) {
    const { v: _, ...beat } = known.data;
    return beat;
  }
  const later = ofLaterVersion.safeParse(value);
  if (!later.success) return undefined;
  const { host, epoch, count: number } = later.data;
  return { host, epoch, count: number };
}

function parseJson(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

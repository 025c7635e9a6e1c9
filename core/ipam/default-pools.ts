/** Subnets for networks that ask for none: as Docker's global scope has them in IPv4, unique local ones in IPv6. */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { addressFromBigInt, addressFromBytes, boundsOf, overlaps, type Prefix } from '../model/address.ts';
import type { Pools } from './pools.ts';

/** 10.0.0.0/8 cut in /24. */
const firstAddress = 10n << 24n;
const lastAddress = (11n << 24n) - 1n;
const blockBits = 8n;
const blockLast = (1n << blockBits) - 1n;

/** Where the search begins in a space without pools. */
export const defaultPoolCursor: bigint = firstAddress;

/** Different ids to try when a derived IPv6 prefix lies in a pool; that even one does is a matter of 2^-40 or of intent. */
const derivationsMax = 16;

/**
 * The next /24 of 10.0.0.0/8 that has no address in any pool of the space, from the space's cursor on and around, and
 * where the cursor then stands; undefined when there is none.
 */
export function nextDefaultPool(
  pools: Pools,
  space: string,
): { readonly prefix: Prefix; readonly cursor: bigint } | undefined {
  const cursor = pools.space(space)?.cursor ?? defaultPoolCursor;
  const block =
    freeBlock(pools, space, cursor, lastAddress) ?? freeBlock(pools, space, firstAddress, cursor - 1n);
  if (block === undefined) return undefined;
  const after = block + blockLast + 1n;
  return {
    prefix: `${addressFromBigInt(block, 4)}/${32n - blockBits}` as Prefix,
    cursor: after > lastAddress ? firstAddress : after,
  };
}

/** The first free block that begins between two addresses; each turn passes at least one range of pools. */
function freeBlock(pools: Pools, space: string, from: bigint, to: bigint): bigint | undefined {
  const covered = pools.space(space)?.covered;
  let block = from;
  while (block <= to) {
    const taken = covered?.nextTaken(block);
    if (covered === undefined || taken === undefined || taken > block + blockLast) return block;
    block = ((covered.nextFree(taken) + blockLast) >> blockBits) << blockBits;
  }
  return undefined;
}

/**
 * A unique local /64 (RFC 4193 §3: `fd`, 40 bits that nobody else has, subnet 0), from the id of the network that gets
 * it instead of from chance, so that every host derives the same; undefined when all that are tried lie in pools.
 */
export function derivedIpv6Pool(pools: Pools, space: string, network: string): Prefix | undefined {
  for (let attempt = 0; attempt < derivationsMax; attempt += 1) {
    const globalId = sha256(utf8ToBytes(`weft ula ${network} ${attempt}`)).subarray(0, 5);
    const prefix = `${addressFromBytes([0xfd, ...globalId, ...new Array<number>(10).fill(0)])}/64` as Prefix;
    if (pools.overlapping(space, 6, boundsOf(prefix)) === undefined) return prefix;
  }
  return undefined;
}

/** Docker's pools of local networks: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 cut in /20. */
const localPools: readonly Prefix[] = [
  ...Array.from({ length: 15 }, (_, at) => `172.${17 + at}.0.0/16` as Prefix),
  ...Array.from({ length: 16 }, (_, at) => `192.168.${16 * at}.0/20` as Prefix),
];

/** The first of Docker's local pools that overlaps no pool of the space and nothing that is to be avoided. */
export function nextLocalPool(pools: Pools, space: string, avoided: readonly Prefix[]): Prefix | undefined {
  return localPools.find((prefix) => isFree(pools, space, avoided, prefix));
}

/** The same from their other end, so that whoever takes the next one finds it where it always was. */
export function lastLocalPool(pools: Pools, space: string, avoided: readonly Prefix[]): Prefix | undefined {
  return localPools.findLast((prefix) => isFree(pools, space, avoided, prefix));
}

function isFree(pools: Pools, space: string, avoided: readonly Prefix[], prefix: Prefix): boolean {
  return (
    pools.overlapping(space, 4, boundsOf(prefix)) === undefined &&
    !avoided.some((other) => overlaps(prefix, other))
  );
}

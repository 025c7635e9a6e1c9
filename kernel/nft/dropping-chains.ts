/**
 * Base chains of others that drop what is forwarded, read over our own netlink socket.
 *
 * Equivalent to: nft list chains, and of those with `hook forward` nft list chain, as far as the policy and the last rule.
 */
import type { DroppingChain, ForwardingFamily } from '../../core/dataplane/dropping-chain.ts';
import { nftTableName } from '../../core/dataplane/firewall.ts';
import { errno } from '../native/constants.ts';
import { allAttributes, readAttributes, slice } from '../netlink/attribute.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import {
  nftChain,
  nftExpression,
  nftFamilyNumber,
  nftHook,
  nftImmediate,
  nftListItem,
  nftMessage,
  nftRule,
  nftTarget,
} from '../netlink/tables/nftables.ts';

/** NF_INET_FORWARD (`linux/netfilter.h`). */
const forwardHook = 2;
/** NF_DROP: a policy, and the code of a verdict. */
const drop = 0;

/** What a rule may do besides its verdict without being a condition. */
const sideEffects: ReadonlySet<string> = new Set(['counter', 'log']);

export interface ForwardChain {
  readonly family: ForwardingFamily;
  readonly table: string;
  readonly chain: string;
  readonly dropsByPolicy: boolean;
}

/** Every chain of the hook `forward` that is not weft's, and drops what comes to its end. */
export function droppingChains(requests: RequestSocket): DroppingChain[] {
  return forwardChains(requests).flatMap((one): DroppingChain[] => {
    const { family, table, chain, dropsByPolicy } = one;
    const last = rulesOf(requests, one).at(-1);
    if (!dropsByPolicy && (last === undefined || !isDrop(last))) return [];
    return [{ family, table, chain, by: dropsByPolicy ? 'policy' : 'last-rule', accepts: false }];
  });
}

function forwardChains(requests: RequestSocket): ForwardChain[] {
  const question = request(nftChain, nftMessage.getChain, 0, { family: nftFamilyNumber.unspecified }, {});
  return dumped(requests, question).flatMap((message): ForwardChain[] => {
    const { header, attributes } = decode(nftChain, message);
    const { table = '', name = '', type, hook, policy } = attributes;
    const family = familyOf(header.family);
    const isOurs = family === 'inet' && table === nftTableName;
    if (family === undefined || isOurs || type !== 'filter' || hook === undefined) return [];
    if (readAttributes(nftHook, viewOf(hook), 0).number !== forwardHook) return [];
    return [{ family, table, chain: name, dropsByPolicy: policy === drop }];
  });
}

/** The expressions of each rule of the chain, as the kernel has them, in order. */
function rulesOf(requests: RequestSocket, { family, table, chain }: ForwardChain): Uint8Array[] {
  const header = { family: nftFamilyNumber[family] };
  return dumped(requests, request(nftRule, nftMessage.getRule, 0, header, { table, chain })).flatMap(
    (message) => {
      const { attributes } = decode(nftRule, message);
      return attributes.chain === chain && attributes.table === table
        ? [attributes.expressions ?? new Uint8Array()]
        : [];
    },
  );
}

/** Whether the rule drops or rejects, and asks for nothing before. */
function isDrop(expressions: Uint8Array): boolean {
  const all = allAttributes(nftListItem, viewOf(expressions)).map((item) =>
    readAttributes(nftExpression, item, 0),
  );
  const verdict = all.pop();
  if (!all.every(({ name }) => name !== undefined && sideEffects.has(name))) return false;
  const data = verdict?.data;
  if (verdict?.name === 'reject') return true;
  if (data === undefined) return false;
  if (verdict?.name === 'immediate')
    return readAttributes(nftImmediate, viewOf(data), 0).data?.verdict?.code === drop;
  // As iptables-nft words it.
  return verdict?.name === 'target' && readAttributes(nftTarget, viewOf(data), 0).name === 'REJECT';
}

function familyOf(number: number): ForwardingFamily | undefined {
  const families = ['ip', 'ip6', 'inet'] as const;
  return families.find((family) => nftFamilyNumber[family] === number);
}

function viewOf(bytes: Uint8Array): DataView {
  return slice(new DataView(bytes.buffer), bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** Nothing where the table went meanwhile, or the kernel has no nftables. */
function dumped(requests: RequestSocket, question: Request): Message[] {
  try {
    return requests.dump(question);
  } catch (error) {
    if (error instanceof KernelError && error.errno === errno.ENOENT) return [];
    throw error;
  }
}

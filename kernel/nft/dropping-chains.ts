/**
 * Base chains of others that drop what is forwarded, and weft's rule in them: read over our own netlink socket, changed by
 * statements of nft's language.
 *
 * Reading is equivalent to: nft --handle list chains, and of those with `hook forward` nft --handle list chain.
 */
import type { DroppingChain, ForwardingFamily } from '../../core/dataplane/dropping-chain.ts';
import { nftAcceptRule, nftTableName } from '../../core/dataplane/firewall.ts';
import { allAttributes, readAttributes } from '../netlink/attribute.ts';
import { decode, request } from '../netlink/message.ts';
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
import { endOfChain, type Step } from './chain-end.ts';
import { dumped, viewOf } from './dumped.ts';

/** NF_INET_FORWARD (`linux/netfilter.h`). */
const forwardHook = 2;
/** NF_DROP: a policy, and the code of a verdict. */
const drop = 0;
/** Codes of verdicts: NF_ACCEPT, and NFT_RETURN, NFT_GOTO and NFT_JUMP, which are negative. */
const accept = 1;
const verdictReturn = -5 >>> 0;
const verdictGoto = -4 >>> 0;
const verdictJump = -3 >>> 0;

/** What a rule may do besides its verdict without being a condition. */
const sideEffects: ReadonlySet<string> = new Set(['counter', 'log']);

/** Of a rule with the comment "weft": type, length and text, as nft packs them (`libnftnl/udata.h`). */
const ownUserData = Buffer.from('\0\x05weft\0', 'latin1').toString('hex');

/** A base chain of the hook `forward` that is somebody else's. */
export interface ForeignChain {
  readonly family: ForwardingFamily;
  readonly table: string;
  readonly chain: string;
  /** How it drops what comes to its end; absent where it does not. */
  readonly by?: DroppingChain['by'];
  /** The chain in which that is decided, where a rule for all leads there. */
  readonly via?: string;
  /** weft's rule is in it as it was made, where it counts. */
  readonly accepts: boolean;
  /** Handle of the rule behind which no packet comes, before which weft's must be; absent where there is none. */
  readonly barrier?: bigint;
  /** Handles of the rules that bear weft's comment, good ones or not. */
  readonly own: readonly bigint[];
}

interface Rule {
  readonly handle: bigint;
  readonly expressions: Uint8Array;
  readonly userData: string;
}

type BaseChain = Pick<ForeignChain, 'family' | 'table' | 'chain'> & { readonly dropsByPolicy: boolean };

/** @param ownRule expressions of weft's rule, as the kernel has them, in hexadecimal digits */
export function readForeignChains(requests: RequestSocket, ownRule: string): ForeignChain[] {
  return forwardChains(requests).map(({ dropsByPolicy, ...place }) => {
    const rules = readRules(requests, place);
    const own = rules.filter(({ userData }) => userData === ownUserData);
    const stepsOf = (chain: string) => stepsIn(readRules(requests, { ...place, chain }));
    const { at, verdict, via } = endOfChain(stepsIn(rules), stepsOf);
    const isByPolicy = verdict === undefined && dropsByPolicy;
    const by = verdict === 'drop' ? 'rule' : isByPolicy ? 'policy' : undefined;
    const barrier = by === undefined || at === undefined ? undefined : rules[at]?.handle;
    const accepts = rules
      .slice(0, at)
      .some(({ expressions, userData }) => userData === ownUserData && hexOf(expressions) === ownRule);
    return {
      ...place,
      ...(by === undefined ? {} : { by }),
      ...(by === undefined || via === undefined ? {} : { via }),
      accepts,
      ...(barrier === undefined ? {} : { barrier }),
      own: own.map(({ handle }) => handle),
    };
  });
}

/**
 * Whether weft's rule can be put there: not where zones decide, and not where the names are no plain words. Nor where another
 * chain decides: in front of the rule that leads there it would pass by whatever that one drops under a condition.
 */
export function isOpenToUs({ table, chain, via }: ForeignChain): boolean {
  return via === undefined && hasPlainNames({ table, chain });
}

function hasPlainNames({ table, chain }: Pick<ForeignChain, 'table' | 'chain'>): boolean {
  return table !== 'firewalld' && [table, chain].every((name) => /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name));
}

/** Puts weft's rule at the end, behind whatever else the chain's owner decides, and takes out what is left of older ones. */
export function acceptStatements(foreign: ForeignChain): string[] {
  const { family, table, chain, by, accepts, barrier } = foreign;
  if (by === undefined || accepts || !isOpenToUs(foreign)) return [];
  const place = `${family} ${table} ${chain}`;
  const verb = barrier === undefined ? `add rule ${place}` : `insert rule ${place} position ${barrier}`;
  return [`${verb} ${nftAcceptRule}`, ...removalStatements(foreign)];
}

/** Takes out every rule of weft's. */
export function removalStatements(foreign: ForeignChain): string[] {
  const { family, table, chain, own } = foreign;
  if (!hasPlainNames(foreign)) return [];
  return own.map((handle) => `delete rule ${family} ${table} ${chain} handle ${handle}`);
}

/** The expressions of the first rule of a chain, in hexadecimal digits. */
export function firstRuleText(requests: RequestSocket, family: ForwardingFamily, name: string): string {
  return hexOf(readRules(requests, { family, table: name, chain: name })[0]?.expressions);
}

function forwardChains(requests: RequestSocket): BaseChain[] {
  const question = request(nftChain, nftMessage.getChain, 0, { family: nftFamilyNumber.unspecified }, {});
  return dumped(requests, question).flatMap((message): BaseChain[] => {
    const { header, attributes } = decode(nftChain, message);
    const { table = '', name = '', type, hook, policy } = attributes;
    const family = familyOf(header.family);
    const isOurs = family === 'inet' && table === nftTableName;
    if (family === undefined || isOurs || type !== 'filter' || hook === undefined) return [];
    if (readAttributes(nftHook, viewOf(hook), 0).number !== forwardHook) return [];
    return [{ family, table, chain: name, dropsByPolicy: policy === drop }];
  });
}

/** In the order in which packets meet them. */
function readRules(
  requests: RequestSocket,
  { family, table, chain }: Pick<ForeignChain, 'family' | 'table' | 'chain'>,
): Rule[] {
  const header = { family: nftFamilyNumber[family] };
  const question = request(nftRule, nftMessage.getRule, 0, header, { table, chain });
  return dumped(requests, question).flatMap((message): Rule[] => {
    const { attributes } = decode(nftRule, message);
    if (attributes.chain !== chain || attributes.table !== table) return [];
    return [
      {
        handle: BigInt(`0x${hexOf(attributes.handle)}`),
        expressions: attributes.expressions ?? new Uint8Array(),
        userData: hexOf(attributes.userData),
      },
    ];
  });
}

function stepsIn(rules: readonly Rule[]): Step[] {
  return rules.map(({ expressions }) => stepOf(expressions));
}

/** What a rule that asks for nothing does; a rejection drops. Undefined for all others. */
function stepOf(expressions: Uint8Array): Step {
  const all = allAttributes(nftListItem, viewOf(expressions)).map((item) =>
    readAttributes(nftExpression, item, 0),
  );
  const verdict = all.pop();
  if (!all.every(({ name }) => name !== undefined && sideEffects.has(name))) return undefined;
  const data = verdict?.data;
  if (verdict?.name === 'reject') return { does: 'drop' };
  if (data === undefined) return undefined;
  if (verdict?.name === 'immediate') {
    const { code, chain = '' } = readAttributes(nftImmediate, viewOf(data), 0).data?.verdict ?? {};
    return stepOfVerdict(code, chain);
  }
  // As iptables-nft words it.
  const isReject = verdict?.name === 'target' && readAttributes(nftTarget, viewOf(data), 0).name === 'REJECT';
  return isReject ? { does: 'drop' } : undefined;
}

function stepOfVerdict(code: number | undefined, chain: string): Step {
  switch (code) {
    case drop:
      return { does: 'drop' };
    case accept:
      return { does: 'accept' };
    case verdictReturn:
      return { does: 'return' };
    case verdictJump:
      return { does: 'jump', chain };
    case verdictGoto:
      return { does: 'goto', chain };
    default:
      return undefined;
  }
}

function familyOf(number: number): ForwardingFamily | undefined {
  const families = ['ip', 'ip6', 'inet'] as const;
  return families.find((family) => nftFamilyNumber[family] === number);
}

function hexOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}

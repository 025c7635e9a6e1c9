/**
 * What nftables has, asked for over our own netlink socket: cheaper than libnftables' listings by far, which sort and
 * print, and exact, because rules are compared as the kernel's own bytes.
 */
import { type NftSetName, nftSet, nftSetNames, nftTableName } from '../../core/dataplane/firewall.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { NftElement } from '../../core/dataplane/object.ts';
import { errno } from '../native/constants.ts';
import { allAttributes, readAttributes } from '../netlink/attribute.ts';
import { KernelError } from '../netlink/kernel-error.ts';
import { decode, type Message, type Request, request } from '../netlink/message.ts';
import type { RequestSocket } from '../netlink/request.ts';
import {
  nftAny,
  nftChain,
  nftElementAttributes,
  nftElementList,
  nftElementQuestion,
  nftFamilyNumber,
  nftGeneration,
  nftListItem,
  nftMessage,
  nftRule,
  nftSetLayout,
} from '../netlink/tables/nftables.ts';
import { dumped, viewOf } from './dumped.ts';
import { decodeFields, encodeFields } from './element-codec.ts';

const inet = { family: nftFamilyNumber.inet } as const;
const table = { table: nftTableName } as const;

/** Equivalent to: nft list table inet weft, as far as whether it is there. */
export function hasTable(requests: RequestSocket): boolean {
  const [answer] = requests.ask([request(nftAny, nftMessage.getTable, 0, inet, table)], () => true);
  return isThere(answer);
}

/** Counts the transactions of the namespace, by whomever. */
export function readGeneration(requests: RequestSocket): number {
  const question = request(nftGeneration, nftMessage.getGeneration, 0, {}, {});
  const [answer] = requests.ask([question], generationOf);
  if (answer === undefined || answer instanceof KernelError) throw answer ?? new Error('no generation');
  return answer;
}

/** @throws MalformedMessage */
export function generationOf(message: Message): number {
  return decode(nftGeneration, message).attributes.id ?? 0;
}

/**
 * Sets, chains and rules of weft's table in one text, such that two tables that are made alike have the same; undefined
 * where there is none. Equivalent to: nft --stateless --terse list table inet weft.
 */
export function readSkeleton(requests: RequestSocket): string | undefined {
  if (!hasTable(requests)) return undefined;
  const sets = ours(requests, request(nftSetLayout, nftMessage.getSet, 0, inet, table), (message) => {
    const { table: of, name, ...rest } = decode(nftSetLayout, message).attributes;
    return { of, text: `set ${name ?? ''} ${Object.values(rest).join(' ')}` };
  });
  const chains = ours(requests, request(nftChain, nftMessage.getChain, 0, inet, {}), (message) => {
    const { table: of, name, hook, ...rest } = decode(nftChain, message).attributes;
    return { of, text: `chain ${name ?? ''} ${hexOf(hook)} ${Object.values(rest).join(' ')}` };
  });
  const rules = ours(requests, request(nftRule, nftMessage.getRule, 0, inet, table), (message) => {
    const { table: of, chain, expressions } = decode(nftRule, message).attributes;
    return { of, text: `rule ${chain ?? ''} ${hexOf(expressions)}` };
  });
  // The order of rules counts, that of the others does not.
  return [...sets.sort(), ...chains.sort(), ...rules].join('\n');
}

/** Every element of weft's sets, or of some. Equivalent to: nft list set inet weft NAME, for each. */
export function readElements(
  requests: RequestSocket,
  ns: Namespace,
  sets: readonly NftSetName[] = nftSetNames,
): NftElement[] {
  return sets.flatMap((set) => {
    const question = request(nftElementList, nftMessage.getElement, 0, inet, { ...table, set });
    return dumped(requests, question).flatMap((message) => elementsOf(message, ns, set));
  });
}

/** Those of the elements that are there, as they are. Equivalent to: nft get element, for each. */
export function findElements(
  requests: RequestSocket,
  elements: readonly NftElement[],
): (NftElement | undefined)[] {
  const questions = elements.map(({ set, key }): Request => {
    const value = encodeFields(nftSet(set).key, key);
    return request(nftElementQuestion, nftMessage.getElement, 0, inet, {
      ...table,
      set,
      elements: { element: { key: { value } } },
    });
  });
  const answers = requests.ask(questions, (message) => {
    const set = decode(nftElementList, message).attributes.set as NftSetName;
    return elementsOf(message, elements[0]?.ns as Namespace, set)[0];
  });
  return answers.map((answer) => (isThere(answer) && !(answer instanceof KernelError) ? answer : undefined));
}

function elementsOf(message: Message, ns: Namespace, set: NftSetName): NftElement[] {
  const list = decode(nftElementList, message).attributes.elements;
  if (list === undefined) return [];
  const { key: keyTypes, value: valueTypes } = nftSet(set);
  return allAttributes(nftListItem, viewOf(list)).flatMap((item): NftElement[] => {
    const { key, value } = readAttributes(nftElementAttributes, item, 0);
    if (key?.value === undefined) return [];
    return [
      {
        kind: 'nft-element',
        ns,
        set,
        key: decodeFields(keyTypes, key.value),
        ...(valueTypes === undefined || value?.value === undefined
          ? {}
          : { value: decodeFields(valueTypes, value.value) }),
      },
    ];
  });
}

function ours(
  requests: RequestSocket,
  question: Request,
  read: (message: Message) => { readonly of: string | undefined; readonly text: string },
): string[] {
  return dumped(requests, question)
    .map(read)
    .flatMap(({ of, text }) => (of === nftTableName ? [text] : []));
}

/** @throws KernelError for any refusal but absence */
function isThere(answer: unknown): boolean {
  if (!(answer instanceof KernelError)) return answer !== undefined;
  if (answer.errno === errno.ENOENT) return false;
  throw answer;
}

function hexOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}

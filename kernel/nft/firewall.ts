/**
 * The host's nftables: weft's table as kernel objects.
 *
 * - `reader.ts` asks what is there, over netlink; changes are statements of nft's language that libnftables
 *   (`native/libnftables.ts`) makes one transaction of.
 * - Whether the table is intact is told by comparing it, byte by byte of its rules, with one that was made by the same
 *   library in the same kernel: in a new namespace that is gone at once (`patterns`).
 * - Every transaction of a namespace, by whomever, makes its generation one higher. One that was exactly one higher after
 *   ours than before is ours, so its notification says nothing new (`isOwnGeneration`).
 *
 * - A published port that comes, changes or goes takes the flows along that contradict it (`outdated-flows.ts`).
 *
 * Only the table of weft's name is touched, and of others' those chains that drop what is forwarded, by one rule each where
 * that is asked for (`dropping-chains.ts`).
 */

import type { DroppingChain } from '../../core/dataplane/dropping-chain.ts';
import { sameState } from '../../core/dataplane/equal.ts';
import {
  nftAcceptRule,
  nftElementStatement,
  nftSkeleton,
  nftTableDeletion,
} from '../../core/dataplane/firewall.ts';
import type { Operation, OperationResult } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject, NftAccepts, NftElement, NftTable } from '../../core/dataplane/object.ts';
import { failed, refusal, succeeded } from '../apply/outcome.ts';
import { ownGenerationsMax } from '../limits.ts';
import { errno } from '../native/constants.ts';
import { NftContext } from '../native/libnftables.ts';
import { RequestSocket } from '../netlink/request.ts';
import { NetlinkSocket, netlinkNetfilter } from '../netlink/socket.ts';
import type { NamespaceHandle, NamespaceRegistry } from '../netns/registry.ts';
import {
  acceptStatements,
  type ForeignChain,
  firstRuleText,
  isOpenToUs,
  readForeignChains,
  removalStatements,
} from './dropping-chains.ts';
import { forgetFormerFlows, forgetOutdatedFlows } from './outdated-flows.ts';
import { findElements, hasTable, readElements, readGeneration, readSkeleton } from './reader.ts';

type NftObject = NftTable | NftElement | NftAccepts;

export interface NftOperation extends Operation {
  readonly object: NftObject;
}

/** What the library makes of weft's statements in this kernel. */
interface Pattern {
  /** The table, as `readSkeleton` tells it. */
  readonly skeleton: string;
  /** The expressions of the rule in others' chains, in hexadecimal digits. */
  readonly accept: string;
}

export class Firewall {
  readonly #registry: NamespaceRegistry;
  readonly #requests: RequestSocket;
  #context: NftContext | undefined;
  #pattern: Pattern | undefined;
  /** Whether weft has, or should have, rules in others' chains: then it matters what others do to those. */
  #accepting = false;
  readonly #own: Set<number> = new Set();
  /** Whether flows were compared with the published ports that a former life of the daemon left. */
  #flowsCompared = false;

  constructor(registry: NamespaceRegistry) {
    this.#registry = registry;
    this.#requests = new RequestSocket((receiveBufferBytes) =>
      registry.home.inside(registry.host.fd, () => netfilterSocket(receiveBufferBytes)),
    );
  }

  /** Weft's table of the host, what is in its sets, and its rules in chains of others. */
  dump(handle: NamespaceHandle, wants: (kind: NftObject['kind']) => boolean): KernelObject[] {
    const { type, ns } = handle;
    if (type !== 'host') return [];
    const accepts = wants('nft-accepts') ? this.#readAccepts(ns) : [];
    const isThere = this.isThere();
    const elements = isThere && wants('nft-element') ? readElements(this.#requests, ns) : [];
    if (wants('nft-element')) this.#compareFlows(handle, elements);
    if (!isThere) return accepts;
    const intact = !wants('nft-table') || readSkeleton(this.#requests) === this.#patterns().skeleton;
    return [
      ...(wants('nft-table') ? [{ kind: 'nft-table', ns, intact } as const] : []),
      ...elements,
      ...accepts,
    ];
  }

  isThere(): boolean {
    return hasTable(this.#requests);
  }

  /** Chains of others on this host that drop what is forwarded. */
  droppingChains(): DroppingChain[] {
    return this.#foreignChains().flatMap(({ family, table, chain, by, via, accepts }) =>
      by === undefined ? [] : [{ family, table, chain, by, ...(via === undefined ? {} : { via }), accepts }],
    );
  }

  /** Whether it matters what others do to their own chains. */
  get isAccepting(): boolean {
    return this.#accepting;
  }

  /** Whether the generation was made by a transaction of this object's alone. */
  isOwnGeneration(generation: number): boolean {
    return this.#own.has(generation);
  }

  /** All as one transaction. Where that is refused, each by itself, so that one does not stop the rest. */
  apply(handle: NamespaceHandle, operations: readonly NftOperation[]): OperationResult[] {
    if (handle.type !== 'host') {
      const fault = failed(refusal(errno.EOPNOTSUPP, `weft has no firewall in ${handle.ns}`));
      return operations.map(() => fault);
    }
    try {
      const lost = this.#lostPorts(handle.ns, operations);
      this.#transact(operations);
      // Also where the element was there already: an earlier attempt may have come no further.
      forgetOutdatedFlows(this.#requests, handle.requests, [...operations, ...lost]);
      return operations.map(() => succeeded);
    } catch (error) {
      if (operations.length === 1) return [failed(error)];
      return operations.flatMap((operation) => this.apply(handle, [operation]));
    }
  }

  close(): void {
    this.#requests.close();
    this.#context?.close();
    this.#context = undefined;
  }

  /**
   * Once: ends flows that are outdated since a daemon died between a transaction and them, or since there was none. Where all
   * is in order nothing would be applied any more, and such a flow would go on for ever.
   */
  #compareFlows({ requests }: NamespaceHandle, elements: readonly NftElement[]): void {
    if (this.#flowsCompared) return;
    forgetFormerFlows(this.#requests, requests, elements);
    this.#flowsCompared = true;
  }

  #transact(operations: readonly NftOperation[]): void {
    const statements = [...this.#statementsOf(operations), ...this.#acceptStatementsOf(operations)];
    if (statements.length === 0) return;
    const { home, host } = this.#registry;
    this.#context ??= home.inside(host.fd, () => new NftContext());
    const before = readGeneration(this.#requests);
    this.#context.run(statements);
    const after = readGeneration(this.#requests);
    if (after === (before + 1) >>> 0) this.#remember(after);
  }

  /** Deletions of the published ports that go with the table, and are not made again with it. */
  #lostPorts(ns: Namespace, operations: readonly NftOperation[]): Operation[] {
    if (!operations.some(({ op, object }) => object.kind === 'nft-table' && op !== 'set')) return [];
    const kept = new Set(operations.flatMap(({ op, object }) => (op === 'delete' ? [] : [keyOf(object)])));
    return readElements(this.#requests, ns)
      .filter((element) => !kept.has(keyOf(element)))
      .map((object) => ({ op: 'delete', object }));
  }

  #remember(generation: number): void {
    this.#own.add(generation);
    if (this.#own.size <= ownGenerationsMax) return;
    for (const oldest of this.#own) {
      this.#own.delete(oldest);
      return;
    }
  }

  #readAccepts(ns: Namespace): NftAccepts[] {
    const chains = this.#foreignChains();
    const isMarking = hasTable(this.#requests) && readElements(this.#requests, ns, ['marked']).length > 0;
    this.#accepting = isMarking || chains.some(({ own }) => own.length > 0);
    if (!this.#accepting) return [];
    const lacking = chains.filter((one) => one.by !== undefined && !one.accepts && isOpenToUs(one));
    return [{ kind: 'nft-accepts', ns, complete: lacking.length === 0 }];
  }

  #foreignChains(): ForeignChain[] {
    return readForeignChains(this.#requests, this.#patterns().accept);
  }

  #acceptStatementsOf(operations: readonly NftOperation[]): string[] {
    return operations.flatMap(({ op, object }) => {
      if (object.kind !== 'nft-accepts') return [];
      this.#accepting = op !== 'delete';
      return this.#foreignChains().flatMap(op === 'delete' ? removalStatements : acceptStatements);
    });
  }

  /** What makes the operations on weft's own table come true from what is there now, and nothing where it is so already. */
  #statementsOf(operations: readonly NftOperation[]): string[] {
    const elements = operations.flatMap(({ object }) => (object.kind === 'nft-element' ? [object] : []));
    let present = hasTable(this.#requests);
    const found = present ? findElements(this.#requests, elements) : [];
    const before = new Map(elements.map((element, at) => [element, found[at]]));
    const statements: string[] = [];
    let emptied = !present;
    for (const { op, object } of operations) {
      if (object.kind === 'nft-accepts') continue;
      if (object.kind === 'nft-table') {
        const stays = op === 'set' && present && readSkeleton(this.#requests) === this.#patterns().skeleton;
        if (stays) continue;
        if (present) statements.push(nftTableDeletion);
        if (op !== 'delete') statements.push(...nftSkeleton);
        present = op !== 'delete';
        emptied = true;
        continue;
      }
      if (!present && op !== 'delete') throw refusal(errno.ENOENT, 'no table inet weft');
      statements.push(...elementStatements(op, object, emptied ? undefined : before.get(object)));
    }
    return statements;
  }

  /** Made once: it does not depend on anything but the library and the kernel. */
  #patterns(): Pattern {
    this.#pattern ??= this.#registry.home.insideNew(() => {
      const context = new NftContext();
      const requests = new RequestSocket(netfilterSocket);
      try {
        context.run(nftSkeleton);
        context.run(['add table ip x', 'add chain ip x x', `add rule ip x x ${nftAcceptRule}`]);
        return { skeleton: readSkeleton(requests) ?? '', accept: firstRuleText(requests, 'ip', 'x') };
      } finally {
        requests.close();
        context.close();
      }
    });
    return this.#pattern;
  }
}

function elementStatements(op: Operation['op'], wanted: NftElement, found: NftElement | undefined): string[] {
  if (op === 'delete') return found === undefined ? [] : [nftElementStatement('delete', found)];
  if (found !== undefined && sameState(wanted, found)) return [];
  const deletion = found === undefined ? [] : [nftElementStatement('delete', found)];
  return [...deletion, nftElementStatement('add', wanted)];
}

function netfilterSocket(receiveBufferBytes: number): NetlinkSocket {
  return new NetlinkSocket({ receiveBufferBytes, protocol: netlinkNetfilter });
}

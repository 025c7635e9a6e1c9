/**
 * ZooKeeper's tree of nodes as one server has it. The leader decides about a transaction and says what it changes; every
 * server makes the same changes in the same order, sooner or later.
 *
 * The number of a sequential node is the count of all nodes that were ever made under its parent, of any kind; it begins
 * again with a new parent. Source: ZooKeeper 3.8, `PrepRequestProcessor` and `DataTree`.
 */
import type { MultiOp, NodeStat } from '../../../../adapters/zookeeper/channel.ts';
import { zkCode } from '../../../../adapters/zookeeper/errors.ts';

export type Change =
  | { readonly type: 'create'; readonly path: string; readonly data: Buffer }
  | { readonly type: 'set'; readonly path: string; readonly data: Buffer }
  | { readonly type: 'delete'; readonly path: string };

export interface Transaction {
  readonly zxid: number;
  readonly changes: readonly Change[];
}

export interface Node {
  data: Buffer;
  version: number;
  readonly czxid: number;
  creations: number;
  readonly children: Set<string>;
}

export type Decision =
  | {
      readonly type: 'done';
      readonly changes: readonly Change[];
      readonly paths: readonly (string | undefined)[];
    }
  | { readonly type: 'refused'; readonly index: number; readonly code: number };

const notEmpty = -111;
const numberDigits = 10;

export class Tree {
  readonly #nodes = new Map<string, Node>([['/', newNode(Buffer.alloc(0), 0)]]);

  get(path: string): Node | undefined {
    return this.#nodes.get(path);
  }

  /** What a transaction would do here, all of it or nothing; it is not done. */
  decide(ops: readonly MultiOp[]): Decision {
    const draft = new Draft(this);
    const paths: (string | undefined)[] = [];
    for (const [index, op] of ops.entries()) {
      const outcome = draft.try(op);
      if (typeof outcome === 'number') return { type: 'refused', index, code: outcome };
      paths.push(outcome.path);
    }
    return { type: 'done', changes: draft.changes, paths };
  }

  apply({ zxid, changes }: Transaction): void {
    for (const change of changes) {
      const { path } = change;
      const parent = this.#nodes.get(parentOf(path));
      if (change.type === 'create') {
        this.#nodes.set(path, newNode(change.data, zxid));
        parent?.children.add(nameOf(path));
        if (parent !== undefined) parent.creations += 1;
        continue;
      }
      if (change.type === 'delete') {
        this.#nodes.delete(path);
        parent?.children.delete(nameOf(path));
        continue;
      }
      const node = this.#nodes.get(path);
      if (node === undefined) throw new Error(`Broken invariant: no node ${path}`);
      node.data = change.data;
      node.version += 1;
    }
  }

  /** Every node but the root, children before their parents. */
  paths(): readonly string[] {
    return [...this.#nodes.keys()].filter((path) => path !== '/').sort((a, b) => b.length - a.length);
  }
}

/** What the operations of one transaction see: the tree with what those before them change. */
class Draft {
  readonly changes: Change[] = [];
  readonly #tree: Tree;
  readonly #versions = new Map<string, number | undefined>();
  readonly #creations = new Map<string, number>();
  readonly #children = new Map<string, number>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** The path of what was made, or the code of its refusal. */
  try(op: MultiOp): { readonly path: string | undefined } | number {
    if (op.type === 'create') return this.#create(op);
    const { path } = op;
    const version = this.#versionOf(path);
    if (version === undefined) return zkCode.noNode;
    if (op.type === 'delete') {
      if (this.#childrenOf(path) > 0) return notEmpty;
      this.#versions.set(path, undefined);
      this.#children.set(parentOf(path), this.#childrenOf(parentOf(path)) - 1);
      this.changes.push({ type: 'delete', path });
      return { path: undefined };
    }
    if (op.version !== undefined && op.version !== version) return zkCode.badVersion;
    if (op.type === 'set') {
      this.#versions.set(path, version + 1);
      this.changes.push({ type: 'set', path, data: Buffer.from(op.data) });
    }
    return { path: undefined };
  }

  #create({ path, data, sequential }: MultiOp & { type: 'create' }): { readonly path: string } | number {
    const parent = parentOf(path);
    if (this.#versionOf(parent) === undefined) return zkCode.noNode;
    const creations = this.#creations.get(parent) ?? this.#tree.get(parent)?.creations ?? 0;
    const made = sequential === true ? path + String(creations).padStart(numberDigits, '0') : path;
    if (this.#versionOf(made) !== undefined) return zkCode.nodeExists;
    // A node that goes takes no number back.
    this.#creations.set(parent, creations + 1);
    this.#children.set(parent, this.#childrenOf(parent) + 1);
    this.#versions.set(made, 0);
    this.changes.push({ type: 'create', path: made, data: Buffer.from(data ?? '') });
    return { path: made };
  }

  #childrenOf(path: string): number {
    return this.#children.get(path) ?? this.#tree.get(path)?.children.size ?? 0;
  }

  #versionOf(path: string): number | undefined {
    return this.#versions.has(path) ? this.#versions.get(path) : this.#tree.get(path)?.version;
  }
}

export function statOf({ czxid, version, creations, children }: Node): NodeStat {
  return { czxid: czxid.toString(16).padStart(16, '0'), version, creations, children: children.size };
}

function newNode(data: Buffer, czxid: number): Node {
  return { data, version: 0, czxid, creations: 0, children: new Set() };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

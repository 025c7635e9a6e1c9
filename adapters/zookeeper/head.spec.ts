import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cancelScope } from '../../core/lib/cancel-scope.ts';
import type { EntryId, LogId } from '../../core/model/ids.ts';
import type { Channel, NodeStat } from './channel.ts';
import { formatFloor } from './floor.ts';
import { readHead } from './head.ts';
import { formatEntry, formatSegment, logKeys } from './keys.ts';
import { type LogScope, toPosition } from './transactions.ts';

const keys = logKeys('/weft');
const logId = 'ab'.repeat(16) as LogId;
const paths = keys.log(logId);
const scope: LogScope = { keys, paths, logId, url: 'zookeeper://z1/weft' };
const czxid = '0'.repeat(15);
const { signal } = cancelScope();

function idOf(number: number): EntryId {
  return number.toString(16).padStart(32, '0') as EntryId;
}

/** Some nodes of one log, and how often they are asked for. */
class Nodes {
  requests = 0;
  readonly #data = new Map<string, Buffer>();
  readonly #creations = new Map<string, number>();
  readonly #open: number;

  constructor(open: number) {
    this.#open = open;
    this.#data.set(paths.open, formatSegment(open));
    for (let segment = 1; segment <= open; segment += 1) this.#creations.set(paths.segment(segment), 0);
  }

  /** @param numbers of the entries that are there; all others up to `creations` are foreign or gone */
  segment(segment: number, creations: number, numbers: readonly number[]): this {
    this.#creations.set(paths.segment(segment), creations);
    for (const number of numbers) {
      const ref = { id: idOf(number), base: 0 };
      this.#data.set(paths.entry(segment, number), formatEntry(ref, Buffer.from('{}')));
    }
    return this;
  }

  floor(segment: number, sequence: number): this {
    const mark = { segment, sequence, id: idOf(sequence) };
    this.#data.set(paths.floor, formatFloor({ mark, czxid: `${czxid}1` }));
    return this;
  }

  /** Reads alone. */
  get channel(): Channel {
    const reads: Pick<Channel, 'exists' | 'read' | 'children'> = {
      exists: async (path) => {
        this.requests += 1;
        return this.#data.has(path) || this.#creations.has(path) ? this.#statOf(path) : undefined;
      },
      read: async (path) => {
        this.requests += 1;
        const data = this.#data.get(path);
        return data === undefined ? undefined : { data, stat: this.#statOf(path) };
      },
      children: async (path) => {
        this.requests += 1;
        const below = [...this.#data.keys()].filter((other) => other.startsWith(`${path}/`));
        return { names: below.map((other) => other.slice(path.length + 1)), stat: this.#statOf(path) };
      },
    };
    return reads as Channel;
  }

  #statOf(path: string): NodeStat {
    // A segment is opened by a new version of that node.
    const version = path === paths.open ? this.#open : 0;
    return { czxid: `${czxid}2`, version, creations: this.#creations.get(path) ?? 0, children: 0 };
  }
}

async function headOf(nodes: Nodes): Promise<string> {
  return await readHead(scope, nodes.channel, signal);
}

function at(segment: number, sequence: number): string {
  return toPosition({ segment, sequence, id: idOf(sequence) });
}

describe('the head of a log in ZooKeeper', () => {
  it('is the last entry of the open segment', async () => {
    assert.equal(await headOf(new Nodes(2).segment(1, 9, [8]).segment(2, 3, [0, 1, 2])), at(2, 2));
  });

  it('is that of the segment before where the open one has none', async () => {
    assert.equal(await headOf(new Nodes(2).segment(1, 9, [7, 8])), at(1, 8));
    assert.equal(await headOf(new Nodes(2).segment(1, 9, [7, 8]).segment(2, 5, [])), at(1, 8));
    assert.equal(await headOf(new Nodes(1)), '');
  });

  it('is found in a few round trips, however many numbers behind it others have used up', async () => {
    const nodes = new Nodes(1).segment(1, 500, [0, 1]);
    assert.equal(await headOf(nodes), at(1, 1));
    assert.ok(nodes.requests <= 7, `it took ${nodes.requests}`);
  });

  it('is the floor where everything was trimmed, also behind many foreign nodes and segments that are gone', async () => {
    for (const numbers of [[4], []]) {
      const nodes = new Nodes(900).segment(900, 300, numbers).floor(900, 4);
      assert.equal(await headOf(nodes), at(900, 4));
      assert.ok(nodes.requests <= 7, `it took ${nodes.requests}`);
    }
  });
});

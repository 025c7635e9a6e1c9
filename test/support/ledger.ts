/**
 * A log written by hand, for tests of the fold: every call appends one record and folds it at once. What a test does not
 * say takes a value that is right, so that a record is refused for what the test says alone.
 */
import assert from 'node:assert/strict';
import type { ErrorCode } from '../../core/errors.ts';
import { apply } from '../../core/fold/apply.ts';
import type { Change } from '../../core/fold/change.ts';
import { checkState } from '../../core/fold/check.ts';
import type { Outcome } from '../../core/fold/outcome.ts';
import { initialState } from '../../core/fold/predefined.ts';
import type { State } from '../../core/fold/state.ts';
import type { BodyOf, LogRecord, RecordKind } from '../../core/log/record.ts';
import { encodeRecord } from '../../core/log/record-codec.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { EndpointId, RecordId } from '../../core/model/ids.ts';
import type { Network } from '../../core/model/network.ts';

export interface Folded {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
  readonly line: Uint8Array;
}

/** Members of the envelope that a test wants otherwise. */
export type Envelope = Partial<Pick<LogRecord, 'id' | 'epoch' | 'base' | 'by' | 'at'>>;
export type NetworkWishes = Partial<BodyOf<'network-create'>>;
export type EndpointWishes = Partial<Omit<BodyOf<'endpoint-create'>, 'network'>>;

/** 32 hexadecimal digits that are a number's alone. */
export function recordId(number: number): RecordId {
  return number.toString(16).padStart(32, '0') as RecordId;
}

/** A subnet as a request has it. */
export function subnet(prefix: string, rest: Partial<BodyOf<'network-create'>['subnets'][number]> = {}) {
  return { prefix, aux: [], ...rest };
}

export class Ledger {
  #state: State = initialState();
  #records = 0;
  readonly lines: Uint8Array[] = [];
  readonly outcomes: Outcome[] = [];

  /** With hosts of these names, already joined: the first at 192.168.2.1 and so on. */
  constructor(...hosts: readonly string[]) {
    for (const [index, host] of hosts.entries())
      accepted(this.join(host, { address: `192.168.2.${index + 1}` }));
  }

  get state(): State {
    return this.#state;
  }

  /** Any line. @throws AssertionError when the fold halts */
  line(line: Uint8Array): Folded {
    const applied = apply(this.#state, line);
    assert.ok(!applied.halted, 'the fold halted');
    this.#state = applied.state;
    this.lines.push(line);
    this.outcomes.push(applied.outcome);
    return { outcome: applied.outcome, changes: applied.changes, line };
  }

  record<K extends RecordKind>(host: string, kind: K, body: BodyOf<K>, envelope: Envelope = {}): Folded {
    return this.line(encodeRecord(this.draft(host, kind, body, envelope)));
  }

  /** A record that would be right as the next one. */
  draft<K extends RecordKind>(host: string, kind: K, body: BodyOf<K>, envelope: Envelope = {}): LogRecord {
    this.#records += 1;
    const epoch = kind === 'host-join' ? 0 : (this.#state.hosts.get(host)?.epoch ?? 1);
    const right = {
      v: 1,
      id: recordId(this.#records),
      host,
      epoch,
      base: this.#state.ordinal,
      at: 1_767_225_600_000,
      by: 'uid:0',
    };
    return { ...right, ...envelope, kind, body } as LogRecord;
  }

  join(host: string, body: Partial<BodyOf<'host-join'>> = {}, envelope: Envelope = {}): Folded {
    const identity = Buffer.from(host.toLowerCase().padEnd(16, '.').slice(0, 16)).toString('hex');
    const right = { address: '192.168.2.99', identity, mtu: 1500, version: '0.1.0' };
    return this.record(host, 'host-join', { ...right, ...body }, envelope);
  }

  removeHost(author: string, name: string): Folded {
    return this.record(author, 'host-remove', { name });
  }

  /** @param name a host that is judged in its present life */
  takeDown(author: string, name: string, envelope: Envelope = {}): Folded {
    return this.record(author, 'host-down', { name, epoch: this.#epochOf(name) }, envelope);
  }

  expire(author: string, name: string, envelope: Envelope = {}): Folded {
    return this.record(author, 'host-expire', { name, epoch: this.#epochOf(name) }, envelope);
  }

  network(host: string, name: string, wishes: NetworkWishes = {}, envelope: Envelope = {}): Folded {
    const right = {
      name,
      driver: 'overlay',
      subnets: [],
      ipv6: false,
      internal: false,
      space: 'default',
      options: [],
      labels: [],
    };
    return this.record(host, 'network-create', { ...right, ...wishes }, envelope);
  }

  /** @param network its name */
  removeNetwork(host: string, network: string): Folded {
    return this.record(host, 'network-remove', { network: this.networkNamed(network).id });
  }

  /** @param network its name; a sandbox of its own for each, unless the wishes say another */
  attach(host: string, network: string, wishes: EndpointWishes = {}, envelope: Envelope = {}): Folded {
    const sandbox = { ref: `c${this.#records}`, identity: `boot-${this.#records}` };
    const body = { network: this.networkNamed(network).id, aliases: [], avoid: [], sandbox, ...wishes };
    return this.record(host, 'endpoint-create', body, envelope);
  }

  detach(host: string, endpoint: EndpointId): Folded {
    return this.record(host, 'endpoint-remove', { endpoint, reason: 'requested' });
  }

  networkNamed(name: string): Network {
    const id = this.#state.networkNames.get(name.toLowerCase());
    const network = id === undefined ? undefined : this.#state.networks.get(id);
    assert.ok(network !== undefined, `network ${name} exists`);
    return network;
  }

  #epochOf(name: string): number {
    return this.#state.hosts.get(name)?.epoch ?? 1;
  }

  /** As many lines that are no records, to let ordinals pass. */
  pass(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const applied = apply(this.#state, Uint8Array.of(0x7b));
      assert.ok(!applied.halted);
      this.#state = applied.state;
    }
  }

  /** Everything that can be recomputed is as recomputed. */
  check(): void {
    assert.deepEqual(checkState(this.#state), []);
  }
}

/** The same, of which a test says that it is accepted. */
export function accepted(folded: Folded): Folded {
  assert.ok(folded.outcome.accepted, `refused: ${JSON.stringify(folded.outcome)}`);
  return folded;
}

/** The network that an accepted record made. */
export function networkOf(folded: Folded): Network {
  const change = accepted(folded).changes[0];
  assert.ok(change?.type === 'network-added');
  return change.network;
}

/** The endpoint that an accepted record made. */
export function endpointOf(folded: Folded): Endpoint {
  const change = accepted(folded).changes[0];
  assert.ok(change?.type === 'endpoint-added');
  return change.endpoint;
}

/** Asserts a refusal: its code, one line, and what of its text the test cares for. */
export function refused(folded: Folded, code: ErrorCode, text: RegExp = /./): void {
  const { outcome } = folded;
  assert.ok(!outcome.accepted, `accepted, and should be refused with ${code}`);
  assert.equal(outcome.code, code, outcome.message);
  assert.match(outcome.message, text);
  assert.match(outcome.message, /^[\x20-\x7e]+$/);
  assert.ok(outcome.message.length < 500);
  assert.deepEqual(folded.changes, []);
}

/** What every record leaves behind, refused or not. */
const traces: ReadonlySet<string> = new Set(['ordinal', 'recordHash', 'stateHash', 'memory']);

/** Asserts that the state differs in nothing but what every record leaves behind. */
export function assertUnmoved(before: State, after: State): void {
  const rest = (state: State) => Object.entries(state).filter(([name]) => !traces.has(name));
  const plain = (state: State) => rest(state).map(([name, value]) => [name, plainOf(value)]);
  assert.deepEqual(plain(after), plain(before));
}

/** What a table or set holds, as data. */
function plainOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('entries' in value && typeof value.entries === 'function') return [...value.entries()];
  if ('ranges' in value && typeof value.ranges === 'function') return [...value.ranges()];
  if ('all' in value && 'spaces' in value) {
    const pools = value as State['pools'];
    const taken = [...pools.all()].map((pool) => ({ ...pool, taken: [...pool.taken.ranges()] }));
    return {
      taken,
      spaces: [...pools.spaces()].map((space) => ({ ...space, covered: [...space.covered.ranges()] })),
    };
  }
  return value;
}

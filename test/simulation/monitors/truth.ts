/**
 * The truth: the store's own log, folded entry by entry as it comes about, by which every host is measured. Watches over
 * what must hold of any log, whoever wrote it.
 */

import type { Change } from '../../../core/fold/change.ts';
import { checkState } from '../../../core/fold/check.ts';
import type { Outcome } from '../../../core/fold/outcome.ts';
import { initialState } from '../../../core/fold/predefined.ts';
import type { State } from '../../../core/fold/state.ts';
import { decodeEntry } from '../../../core/log/entry.ts';
import type { LogEntry } from '../../../core/log/event-log.ts';
import type { LogRecord } from '../../../core/log/record.ts';
import type { World } from '../world/world.ts';
import { AllocationMonitor } from './allocation-monitor.ts';
import { isPoolFull } from './pool-room.ts';
import { portFault } from './port-monitor.ts';
import { Violation } from './violation.ts';

/** One record as every host must see it. */
export interface TrueStep {
  readonly outcome: Outcome;
  readonly record?: LogRecord;
  readonly state: State;
}

/** Ends a record in an entry of several. */
const newline = 0x0a;
/** Records between two checks of everything. */
const recordsPerCheck = 16;

export class Truth {
  /** By ordinal less one. */
  readonly steps: TrueStep[] = [];
  readonly entries: LogEntry[] = [];
  state: State = initialState();
  readonly #world: World;
  readonly #onStep: (step: TrueStep) => void;
  /** By record id: whether weft wrote it, and where it came first. */
  readonly #seen = new Map<string, { readonly isOurs: boolean; readonly ordinal: number }>();
  /** The last ordinal that anybody may have trimmed. */
  #trimmed = 0;
  readonly #allocation = new AllocationMonitor();
  /** The highest epoch that each host ever had. */
  readonly #epochs = new Map<string, number>();
  /** When the present life of each host began. */
  readonly #joinedAtMs = new Map<string, number>();
  readonly #entryIds = new Set<string>();
  /** Entries of which a host has said that they will never be in the log. */
  readonly #never = new Set<string>();
  readonly #strays = new Set<string>();
  #isForeign = false;

  constructor(world: World, onStep: (step: TrueStep) => void) {
    this.#world = world;
    this.#onStep = onStep;
  }

  take(entry: LogEntry): void {
    this.entries.push(entry);
    this.#entryIds.add(entry.id);
    if (this.#never.has(entry.id)) this.#fail('I7', `entry ${entry.id} was given up for lost, and is here`);
    const lines = decodeEntry(entry.bytes);
    // What is over its bounds counts as one.
    const expected = entry.bytes.reduce((count, byte) => (byte === newline ? count + 1 : count), 1);
    if (entry.bytes.length > 0 && lines.length !== expected && lines.length !== 1)
      this.#fail('I1', `an entry of ${expected} records is read as ${lines.length}`);
    for (const line of lines) this.#takeLine(line);
  }

  /** Behind the seal: no part of any log, though it is in its store. */
  takeStray(entry: LogEntry): void {
    this.#strays.add(entry.id);
    this.#world.met('entry behind the seal');
  }

  /** What a host has found out about an entry of unknown outcome. */
  settled(entry: string, isCarriedOut: boolean): void {
    // Of what lies behind the seal the store says that it is there, whoever asks it before he knows.
    if (this.#world.phase === 'ending' || this.#strays.has(entry)) return;
    if (!isCarriedOut) this.#never.add(entry);
    if (this.#entryIds.has(entry) !== isCarriedOut)
      this.#fail('I7', `entry ${entry} is said ${isCarriedOut ? '' : 'not '}to be in the log`);
    this.#world.checked('I7 found out');
  }

  /** Somebody is about to trim the log up to a record. */
  trims(ordinal: number): void {
    this.#trimmed = Math.max(this.#trimmed, ordinal);
  }

  /** Whatever comes into the log meanwhile was written by no weft: it answers no caller. */
  takeForeign(write: () => void): void {
    this.#isForeign = true;
    write();
    this.#isForeign = false;
  }

  /** Everything that can be recomputed equals what is kept up. */
  checkWhole(): void {
    const [fault] = checkState(this.state);
    if (fault !== undefined) this.#fail('I13-I21', `at ${this.state.ordinal}: ${fault}`);
    this.#world.checked('I13-I21');
  }

  #takeLine(line: Uint8Array): void {
    const before = this.state;
    const applied = this.#world.fold(before, line);
    if (applied.halted) {
      if (this.#world.phase !== 'ending') this.#fail('I22', `version ${applied.version} was never written`);
      return;
    }
    this.state = applied.state;
    const { outcome, record } = applied;
    const step = { outcome, ...(record === undefined ? {} : { record }), state: applied.state };
    this.steps.push(step);
    const verdict = outcome.accepted ? 'accepted' : `rejected ${outcome.code}`;
    this.#world.note(
      'log',
      `${outcome.ordinal} ${record?.kind} of ${record?.host} by ${record?.by}: ${verdict}`,
    );
    if (record !== undefined) this.#checkOnce(record, outcome);
    if (outcome.accepted && record !== undefined) this.#checkAccepted(before, record, applied.changes);
    else this.#checkRejected(before, step);
    if (!this.#isForeign) this.#onStep(step);
    if (outcome.ordinal % recordsPerCheck === 0) this.checkWhole();
  }

  /** A record is decided on once, and weft writes it once, however often it has to try. */
  #checkOnce(record: LogRecord, outcome: Outcome): void {
    const first = this.#seen.get(record.id);
    this.#world.checked('I2');
    if (first === undefined) {
      this.#seen.set(record.id, { isOurs: !this.#isForeign, ordinal: outcome.ordinal });
      return;
    }
    if (outcome.accepted || outcome.code !== 'duplicate')
      this.#fail('I2', `record ${record.id} is judged anew at its second coming`);
    // A late attempt at what was trimmed meanwhile comes to the log once more.
    // What is under way while the cluster moves is asked once more of the next log, whether it got to either or not; what
    // its author wrote when he had begun to follow that one is not.
    const { past, present } = this.state.course;
    const wasUnderWay = present !== undefined && record.base <= (past.at(-1)?.ordinal ?? 0);
    if (first.isOurs && !this.#isForeign && !wasUnderWay && first.ordinal > this.#trimmed)
      this.#fail('I2', `record ${record.id} was written twice`);
  }

  #checkAccepted(before: State, record: LogRecord, changes: readonly Change[]): void {
    if (record.kind === 'host-join') this.#checkEpoch(record.host);
    else this.#checkAuthor(before, record);
    if (record.kind === 'host-down') this.#checkSilence(record.body.name);
    for (const change of changes) if (change.type === 'endpoint-removed') this.#checkRelease(record, change);
    if (record.base >= this.state.ordinal)
      this.#fail('I2', `record ${this.state.ordinal} counts, which follows ${record.base}`);
    this.#noteHosts(before, record);
    const fault = this.#allocation.take(before, record, changes) ?? portFault(before, record, changes);
    if (fault !== undefined) this.#fail(...fault);
    for (const invariant of ['I13', 'I19']) this.#world.checked(invariant);
    if (record.kind === 'endpoint-create' && record.body.ports !== undefined) this.#world.checked('I47');
    const removed = changes.filter(({ type }) => type === 'endpoint-removed').length;
    const added = changes.filter(({ type }) => type === 'endpoint-added').length;
    if (this.state.endpoints.size !== before.endpoints.size + added - removed) {
      this.#fail('I14', `record ${this.state.ordinal} changed the number of endpoints without saying so`);
    }
  }

  #checkEpoch(host: string): void {
    const epoch = this.state.hosts.get(host)?.epoch ?? 0;
    if (epoch <= (this.#epochs.get(host) ?? 0)) this.#fail('I23', `epoch ${epoch} of ${host} is not new`);
    this.#epochs.set(host, epoch);
    this.#world.checked('I23');
  }

  /** Nobody is down before a whole grace time of his life is over, by the fastest clock, and never more than half are. */
  #checkSilence(name: string): void {
    const { graceMs, drift } = this.#world.plan;
    const host = this.state.hosts.get(name);
    const ageMs = this.#world.nowMs - (this.#joinedAtMs.get(name) ?? 0);
    if (!this.#isForeign && ageMs < graceMs / (1 + drift))
      this.#fail('I26', `${name} went down ${ageMs} ms after its life ${host?.epoch} began`);
    const { size } = this.state.downHosts;
    if (2 * size > this.state.hosts.size)
      this.#fail('I26', `${size} of ${this.state.hosts.size} hosts are down`);
    this.#world.checked('I26');
  }

  /** What becomes of hosts. */
  #noteHosts(before: State, record: LogRecord): void {
    if (record.kind === 'host-join') {
      this.#joinedAtMs.set(record.host, this.#world.nowMs);
      if (before.hosts.get(record.host)?.isDown === true) this.#world.met('host comes up again');
      if (before.removedHosts.get(record.host.toLowerCase())?.isExpired === true)
        this.#world.met('expired host comes back');
    }
    if (record.kind === 'host-down') this.#world.met('host goes down');
    if (record.kind === 'host-expire') this.#world.met('host expires');
  }

  #checkAuthor(before: State, record: LogRecord): void {
    // Whoever begins a log lives no life in the cluster.
    if (record.kind === 'log-begin') return;
    const living = before.hosts.get(record.host);
    if (living === undefined || living.epoch !== record.epoch || living.isDown) {
      this.#fail('I24', `a record of ${record.host} in epoch ${record.epoch} counts, which is not its life`);
    }
    this.#world.checked('I24');
  }

  #checkRelease(record: LogRecord, change: Extract<Change, { type: 'endpoint-removed' }>): void {
    const { endpoint } = change;
    const isAsked =
      (record.kind === 'endpoint-remove' && record.body.endpoint === endpoint.id) ||
      ((record.kind === 'host-remove' || record.kind === 'host-expire') &&
        record.body.name.toLowerCase() === endpoint.host.toLowerCase());
    if (!isAsked) this.#fail('I14', `endpoint ${endpoint.id} went by a ${record.kind} that did not name it`);
    this.#world.checked('I14');
  }

  #checkRejected(before: State, { outcome, record, state }: TrueStep): void {
    if (outcome.accepted) return;
    const isKept =
      sameKeys(before.hosts, state.hosts) &&
      sameKeys(before.networks, state.networks) &&
      sameKeys(before.endpoints, state.endpoints) &&
      before.pools === state.pools &&
      before.vnis === state.vnis;
    if (!isKept) this.#fail('I12', `rejected record ${outcome.ordinal} changed the state`);
    this.#world.checked('I12');
    if (outcome.code !== 'pool-exhausted' || record?.kind !== 'endpoint-create') return;
    const network = before.networks.get(record.body.network as never);
    if (network !== undefined && !isPoolFull(before, network)) {
      this.#fail('I18', `record ${outcome.ordinal} was refused for want of an address, and there is one`);
    }
    this.#world.checked('I18');
  }

  #fail(invariant: string, seen: string): void {
    this.#world.fail(new Violation(invariant, seen));
  }
}

interface Sized {
  readonly size: number;
  values(): Iterable<unknown>;
}

/** The very same things, in the same order. */
export function sameKeys(before: Sized, after: Sized): boolean {
  if (before.size !== after.size) return false;
  const others = [...after.values()];
  return [...before.values()].every((value, index) => value === others[index]);
}
